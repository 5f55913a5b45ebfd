"""The street on a real record, SQLite and PostgreSQL alike.

What is answered, what is kept, what happens only once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Profile
from geofence.model.receipt import Receipt
from geofence.ports.listing import EventFilter
from geofence.ports.unit import Unit
from tests.rigs.street import HOME, T0, StreetRig, fence, ping


@pytest.fixture
def rig(record_url: str) -> Iterator[StreetRig]:
    rig = StreetRig(record_url)
    rig.edit(
        lambda unit: EditResult(unit.accounts.put_project(Project("p", "shop", Profile("exact"))))
    )
    rig.put(fence())
    yield rig
    rig.close()


def test_a_walk_past_the_store_is_one_enter_and_one_exit(rig: StreetRig) -> None:
    receipt = rig.post(ping(0, 500), ping(60, 100), ping(120, -100), ping(180, -500))
    assert (receipt.accepted, receipt.duplicates, receipt.rejected) == (4, 0, ())
    assert rig.events == [("entered", "phone", 60), ("exited", "phone", 180)]
    [visit] = rig.visits
    assert (visit.arrival_ms, visit.last_inside_ms, visit.departure_ms, visit.points) == (
        T0 + 60_000,
        T0 + 120_000,
        T0 + 180_000,
        2,
    )


def test_posting_everything_twice_changes_nothing_and_says_duplicate(rig: StreetRig) -> None:
    walk = [ping(0, 500), ping(60, 100), ping(180, -500)]
    rig.post(*walk)
    assert rig.post(*walk) == Receipt(0, 3, ())
    assert len(rig.events) == 2


def test_after_a_death_the_same_pings_again_are_late_and_change_nothing(rig: StreetRig) -> None:
    walk = [ping(0, 500), ping(60, 100), ping(120, 0), ping(180, -500), ping(300, 20)]
    rig.post(*walk)
    before = (rig.events, rig.visits)
    rig.die_and_return()
    rig.post(*walk)
    assert (rig.events, rig.visits) == before


def test_a_device_inside_is_still_inside_after_a_death(rig: StreetRig) -> None:
    rig.post(ping(0, 0))
    rig.die_and_return()
    rig.post(ping(60, 10), ping(120, 900))
    assert rig.events == [("entered", "phone", 0), ("exited", "phone", 120)]


def test_a_repeated_ping_is_answered_with_the_events_it_once_caused(rig: StreetRig) -> None:
    first = rig.post(ping(0, 0), include=["events"]).devices["phone"].events
    again = rig.post(ping(0, 0), include=["events"]).devices["phone"].events
    assert [event.id for event in again] == [event.id for event in first]
    assert len(first) == 1


def test_the_same_id_with_other_content_is_a_conflict_and_the_rest_goes_through(
    rig: StreetRig,
) -> None:
    rig.post(ping(0, 900, id="a"))
    receipt = rig.post(ping(60, 0, id="a"), ping(120, 0, id="b"))
    assert (receipt.accepted, [(r.index, r.code) for r in receipt.rejected]) == (
        1,
        [(0, "conflict")],
    )
    assert rig.events == [("entered", "phone", 120)]


def test_bad_items_are_named_and_never_spoil_their_batch(rig: StreetRig) -> None:
    bad = PingIn(float("nan"), 11.0, T0, "phone")
    receipt = rig.post(
        bad,
        ping(0, 0),
        PingIn(48.0, 181.0, T0, "phone"),
        PingIn(48.0, 11.0, 1_790_000_000, "phone"),
        ping(5, 0, ""),
    )
    assert receipt.accepted == 1
    assert [(r.index, r.code) for r in receipt.rejected] == [
        (0, "invalid_position"),
        (2, "invalid_position"),
        (3, "invalid_time"),
        (4, "invalid_device"),
    ]


def test_a_phone_that_says_it_does_not_know_where_it_is_is_not_believed(rig: StreetRig) -> None:
    receipt = rig.post(ping(0, 0, accuracy_m=-1.0), ping(10, 900, speed_mps=-1.0))
    assert (receipt.accepted, [(r.index, r.code) for r in receipt.rejected]) == (
        1,
        [(0, "invalid_field")],
    )
    assert rig.events == []


def test_seconds_taken_for_milliseconds_are_reported_as_such(rig: StreetRig) -> None:
    [rejection] = rig.post(PingIn(*HOME, T0 // 1000, "phone")).rejected
    assert (rejection.code, "milliseconds" in rejection.detail) == ("invalid_time", True)


def test_a_late_ping_moves_an_arrival_back_but_triggers_nothing(rig: StreetRig) -> None:
    rig.post(ping(0, 500), ping(100, 0))
    rig.post(ping(50, 50))
    assert rig.events == [("entered", "phone", 100), ("visit.amended", "phone", 50)]
    rig.post(ping(200, 900))
    [visit] = rig.visits
    assert (visit.arrival_ms, visit.amended) == (T0 + 50_000, True)


def test_a_late_ping_amends_a_visit_that_has_ended_and_may_come_twice(rig: StreetRig) -> None:
    rig.post(ping(0, 500), ping(100, 0), ping(200, 900))
    for _ in range(2):
        rig.die_and_return()
        rig.post(ping(50, 50), ping(150, 50))
        [visit] = rig.visits
        assert (visit.arrival_ms, visit.last_inside_ms, visit.departure_ms) == (
            T0 + 50_000,
            T0 + 150_000,
            T0 + 200_000,
        )
    assert rig.events[2:] == [("visit.amended", "phone", 50)]


def test_removing_a_geofence_ends_its_visits_with_the_reason(rig: StreetRig) -> None:
    rig.post(ping(0, 0), ping(0, 0, "other"))
    rig.remove("gf_1")
    events = rig.database.queries.events.page("p", EventFilter(kind="geofence.exited"), None, 10)
    rig.database.sequence()
    events = rig.database.queries.events.page("p", EventFilter(kind="geofence.exited"), None, 10)
    assert sorted((event.device_id, event.reason) for event in events) == [
        ("other", "geofence_removed"),
        ("phone", "geofence_removed"),
    ]
    rig.post(ping(60, 10))
    assert len(rig.events) == 4


def test_a_geofence_made_anew_under_its_old_name_makes_new_visits(rig: StreetRig) -> None:
    rig.post(ping(0, 0))
    rig.remove("gf_1")
    rig.put(fence("gf_2"))
    rig.post(ping(60, 0))
    assert [kind for kind, _, _ in rig.events] == ["entered", "exited", "entered"]
    assert len({visit.visit_id for visit in rig.visits}) == 2


def test_a_late_ping_does_not_hand_the_phone_to_its_former_owner(rig: StreetRig) -> None:
    rig.post(ping(100, 900, customer_id="ann"), ping(1000, 900, customer_id="bob"))
    rig.post(ping(500, 900, customer_id="ann"))
    rig.post(ping(1600, 0))
    assert [
        event.customer_id
        for event in rig.database.queries.events.page("p", EventFilter(customer="bob"), None, 9)
    ] == ["bob"]


def test_an_exact_geofence_that_is_given_an_end_ends_its_visit_then(rig: StreetRig) -> None:
    rig.post(ping(0, 0))
    rig.put(fence(active_until_ms=T0 + 60_000))
    rig.post(ping(30, 0))
    rig.post(ping(90, 0, "other"))
    rig.post(ping(91, 0, "other"))
    assert rig.events == [("entered", "phone", 0), ("exited", "phone", 60)]


def test_a_thousand_late_pings_cost_one_look_at_the_visits_and_change_nothing(
    rig: StreetRig,
) -> None:
    walk = [ping(n, 0) for n in range(1000)] + [ping(1001, 900)]
    rig.post(*walk)
    before = (rig.events, rig.visits)
    rig.die_and_return()
    asked: list[str] = []
    sa.event.listen(
        rig.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2])
    )
    rig.post(*walk)
    assert (rig.events, rig.visits) == before
    assert sum("FROM visits" in statement for statement in asked) < 10


def test_time_that_no_phone_can_have_is_refused_also_where_pings_move_the_clock(
    rig: StreetRig,
) -> None:
    receipt = rig.post(PingIn(*HOME, 2**61, "phone"))
    assert [rejection.code for rejection in receipt.rejected] == ["future"]
    assert rig.post(ping(0, 0)).accepted == 1


def test_whatever_an_edit_raises_the_street_goes_on(rig: StreetRig) -> None:
    class Panic(BaseException):
        pass

    def panic(unit: Unit) -> EditResult:
        raise Panic

    with pytest.raises(RuntimeError):
        rig.edit(panic)
    assert rig.post(ping(0, 0)).accepted == 1


def test_a_listener_that_fails_makes_no_committed_unit_a_failed_one(rig: StreetRig) -> None:
    rig.street.on_unit(lambda report: 1 / 0)
    assert rig.post(ping(0, 0)).accepted == 1
    assert len(rig.events) == 1


def test_another_process_keeps_the_visit_at_a_geofence_it_has_not_heard_of(
    postgres_url: str,
) -> None:
    one, other = StreetRig(postgres_url), StreetRig(postgres_url)
    one.edit(
        lambda unit: EditResult(
            unit.accounts.put_project(Project("p", "shop", Profile("exact"))), reload=True
        )
    )
    other.post(ping(0, 900, "warm"))
    one.put(fence("gf_d", profile=Profile("balanced", dwell_s=(60,))))
    one.post(ping(0, 0))
    other.post(ping(100, 900, "warm"))
    other.post(ping(101, 900, "warm"))
    assert [kind for kind, device, _ in one.events if device == "phone"] == ["entered", "dwelled"]
    other.put(fence("gf_e", lat=49.0))
    one.put(fence("gf_f", lat=50.0))
    for rig in (one, other):
        rig.post(
            PingIn(49.0, HOME[1], T0 + 200_000, f"at-{id(rig)}"),
            PingIn(50.0, HOME[1], T0 + 300_000, f"at-{id(rig)}"),
        )
    assert [kind for kind, device, _ in one.events if device.startswith("at-")].count(
        "entered"
    ) == 4
    one.close()
    other.close()


def test_exits_come_before_enters_in_one_move(rig: StreetRig) -> None:
    rig.put(fence("gf_2", lat=HOME[0] + 1000 / 111_195))
    rig.post(ping(0, 0), ping(60, 1000))
    assert rig.events == [
        ("entered", "phone", 0),
        ("exited", "phone", 60),
        ("entered", "phone", 60),
    ]


def test_timers_fire_once_in_the_pings_own_time(rig: StreetRig) -> None:
    rig.put(fence("gf_b", lat=49.0, profile=Profile("balanced", dwell_s=(300,))))
    quiet = PingIn(49.0, HOME[1], T0, "quiet")
    rig.post(quiet)
    rig.post(ping(301, 5000))
    rig.post(ping(302, 5000))
    rig.post(ping(3600, 5000))
    rig.post(ping(7200, 5000))
    quiets = [(kind, at_s) for kind, device, at_s in rig.events if device == "quiet"]
    assert quiets == [("entered", 0), ("dwelled", 300), ("exited", 0)]


def test_two_threads_of_requests_lose_and_double_nothing(rig: StreetRig) -> None:
    futures = [
        rig.street.submit_pings(
            "p", list(enumerate([ping(2 * n, 0, f"d{m}"), ping(2 * n + 1, 900, f"d{m}")]))
        )
        for n in range(20)
        for m in range(10)
    ]
    assert sum(future.result(60).accepted for future in futures) == 400
    assert len(rig.events) == len(set(rig.events)) == 400


def test_batching_changes_nothing_of_what_happened(rig: StreetRig, tmp_path: Any) -> None:
    dice = random.Random(7)
    rig.put(
        fence("gf_2", lat=HOME[0] + 200 / 111_195),
        fence("gf_b", profile=Profile("balanced", dwell_s=(120,)), radius_m=200),
    )
    walk = [
        ping(
            30 * n + m,
            dice.uniform(-400, 600),
            f"d{m}",
            accuracy_m=dice.choice([5.0, 40.0, 90.0, None]),
        )
        for n in range(60)
        for m in range(5)
    ]
    for one in walk:
        rig.post(one)
    first = sorted(rig.events)
    other = StreetRig(f"sqlite:///{tmp_path}/other.db")
    other.edit(
        lambda unit: EditResult(
            unit.accounts.put_project(Project("p", "shop", Profile("exact"))), reload=True
        )
    )
    other.put(
        fence(),
        fence("gf_2", lat=HOME[0] + 200 / 111_195),
        fence("gf_b", profile=Profile("balanced", dwell_s=(120,)), radius_m=200),
    )
    for start in range(0, len(walk), 100):
        other.post(*walk[start : start + 100])
        other.post(*walk[max(0, start - 50) : start + 100])
    assert sorted(other.events) == first
    assert len(first) > 100
    other.close()
