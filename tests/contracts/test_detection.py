"""Detection on a real record.

Stops, late pings, wrong clocks; whatever the batches, the same log.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from geofence.clock import PingClock
from geofence.model.ping import PingIn
from geofence.model.place import Profile
from tests.rigs.street import BALANCED, HOME, T0, StreetRig, events, fence, opened, ping


@pytest.fixture
def rig(record_url: str) -> Iterator[StreetRig]:
    rig = StreetRig(record_url)
    opened(rig)
    yield rig
    rig.close()


def test_a_visit_is_listed_with_its_newest_ping_while_it_goes_on(rig: StreetRig) -> None:
    rig.post(*(ping(60 * minute, 10.0, accuracy_m=8.0) for minute in range(6)))
    [visit] = rig.visits
    assert (visit.last_inside_ms, visit.points, visit.departure_ms) == (T0 + 300_000, 6, None)


def test_a_stop_inside_is_reported_once_for_each_place_also_after_a_death(rig: StreetRig) -> None:
    rig.post(ping(0, 0), ping(60, 5))
    rig.die_and_return()
    rig.post(ping(140, 5), ping(200, 0), ping(260, 120), ping(320, 120), ping(420, 118))
    stops = events(rig, kind="device.stopped")
    assert [((e.ts_ms - T0) / 1000, e.duration_s) for e in stops] == [(140, 140), (420, 160)]
    assert {e.visit_id for e in stops} == {rig.visits[0].visit_id}
    assert len({e.id for e in stops}) == 2


def test_a_jump_moves_nobody_and_a_real_flight_does_after_two_fixes(rig: StreetRig) -> None:
    rig.post(ping(0, 0), ping(60, 900_000), ping(120, 10))
    assert rig.events == [("entered", "phone", 0)]
    rig.post(ping(180, 900_000), ping(240, 900_010), ping(300, 900_020))
    assert rig.events[1:] == [("exited", "phone", 240)]


def test_a_wrong_first_fix_locks_nobody_out_also_over_a_death(rig: StreetRig) -> None:
    rig.post(ping(0, 3_000_000))
    rig.post(ping(60, 300))
    rig.post(ping(90, 10))
    assert rig.events == [("entered", "phone", 90)]


def test_rings_of_one_store_are_entered_from_outside_in_and_left_from_inside_out(
    rig: StreetRig,
) -> None:
    rig.put(
        *(
            fence(f"gf_{name}", lat=49.0, radius_m=r, store_id="s", ring=name, profile=BALANCED)
            for name, r in (("b", 300), ("a", 150), ("c", 600))
        )
    )
    at = [
        PingIn(49.0 + m / 111_195, HOME[1], T0 + int(s * 1000), "phone")
        for s, m in ((0, 3000), (60, 0), (120, 3000), (180, 3000))
    ]
    rig.post(*at)
    found = [(e.kind.removeprefix("geofence."), e.ring) for e in events(rig)]
    assert found == [*(("entered", ring) for ring in "cba"), *(("exited", ring) for ring in "abc")]


def test_rings_that_fall_silent_together_are_left_from_inside_out(rig: StreetRig) -> None:
    rig.put(
        *(
            fence(f"gf_{name}", lat=49.0, radius_m=r, store_id="s", ring=name, profile=BALANCED)
            for name, r in (("b", 300), ("a", 150))
        )
    )
    rig.post(PingIn(49.0, HOME[1], T0, "phone"))
    rig.post(ping(7200, 5000, "other"))
    rig.post(ping(7201, 5000, "other"))
    assert [e.ring for e in events(rig, kind="geofence.exited")] == ["a", "b"]


def test_a_late_ping_that_amends_a_visit_is_reported_with_the_new_facts(rig: StreetRig) -> None:
    rig.post(ping(0, 500), ping(100, 0), ping(200, 900), ping(300, 900))
    rig.post(ping(50, 50), ping(60, 60))
    [event] = events(rig, kind="visit.amended")
    [visit] = rig.visits
    assert (event.visit_id, event.reason, event.duration_s) == (visit.visit_id, "arrival", 150.0)
    assert (visit.arrival_ms, visit.departure_ms, visit.amended) == (
        T0 + 50_000,
        T0 + 200_000,
        True,
    )
    rig.die_and_return()
    rig.post(ping(60, 60), ping(50, 50))
    assert len(events(rig, kind="visit.amended")) == 1


def test_a_late_ping_lengthens_a_visit_that_silence_ended(rig: StreetRig) -> None:
    rig.post(ping(0, 0), ping(600, 0))
    rig.post(ping(9000, 5000))
    [visit] = rig.visits
    assert (visit.departure_ms, visit.inferred) == (T0 + 600_000, True)
    rig.post(ping(1500, 0))
    rig.post(ping(1200, 0), ping(4300, 0))
    [visit] = rig.visits
    assert visit.departure_ms == T0 + 1_500_000
    assert [e.reason for e in events(rig, kind="visit.amended")] == ["departure"]


def test_a_late_ping_between_two_visits_belongs_to_the_first(rig: StreetRig) -> None:
    rig.post(ping(0, 0), ping(600, 0))
    rig.post(ping(5000, 0))
    rig.post(ping(3000, 0))
    first, second = rig.visits
    assert (first.departure_ms, second.arrival_ms) == (T0 + 3_000_000, T0 + 5_000_000)


def test_every_order_of_the_same_late_pings_gives_the_same_visits(
    rig: StreetRig, tmp_path: Any
) -> None:
    late = [
        ping(-3000, 20),
        ping(-2000, 10),
        ping(1500, 0),
        ping(2400, 30),
        ping(3000, 400),
        ping(4500, 0),
        ping(6000, 0),
    ]
    found = set()
    for number, order in enumerate([late, late[::-1], late[3:] + late[:3]]):
        name = f"d{number}"
        mine = [PingIn(one.lat, one.lon, one.ts, name) for one in order]
        rig.post(
            ping(-9000, 5000, name),
            ping(0, 0, name),
            ping(600, 0, name),
            ping(5000, 0, name),
            ping(9000, 5000, name),
        )
        for one in mine:
            rig.post(one)
        visits = [one for one in rig.visits if one.device_id == name]
        found.add(
            tuple(
                (v.arrival_ms, v.last_inside_ms, v.departure_ms, v.best_probability) for v in visits
            )
        )
    assert len(found) == 1


def test_traccar_4417_a_device_that_sends_newest_first_in_one_batch_is_put_in_order(
    rig: StreetRig,
) -> None:
    rig.post(*reversed([ping(0, 500), ping(60, 0), ping(120, 10), ping(180, 500), ping(240, 600)]))
    assert rig.events == [("entered", "phone", 60), ("exited", "phone", 180)]


def test_traccar_4417_newest_first_one_by_one_tells_nothing_twice_and_amends_the_visit(
    rig: StreetRig,
) -> None:
    rig.post(ping(240, 10))
    for at_s in (180, 120, 60):
        rig.post(ping(at_s, 10))
    [visit] = rig.visits
    assert visit.arrival_ms == T0 + 60_000
    assert [kind for kind, _, _ in rig.events] == ["entered", *["visit.amended"] * 3]


def test_tile38_522_six_points_at_once_are_judged_by_their_own_times(rig: StreetRig) -> None:
    six = [
        ping(10, 900),
        ping(70, 50),
        ping(130, 20),
        ping(190, 400),
        ping(250, 500),
        ping(310, 600),
    ]
    rig.post(*random.Random(522).sample(six, 6))
    assert rig.events == [("entered", "phone", 70), ("exited", "phone", 190)]


def test_a_day_of_offline_pings_in_one_batch_gives_the_right_visits(rig: StreetRig) -> None:
    stays = ((9 * 3600, 9.5 * 3600), (13 * 3600, 13.2 * 3600), (20 * 3600, 21 * 3600))
    day = [
        ping(at_s, 10 if any(a <= at_s < b for a, b in stays) else 3000)
        for at_s in range(0, 24 * 3600, 120)
    ]
    rig.post(*day)
    assert [((v.arrival_ms - T0) / 1000, (v.departure_ms - T0) / 1000) for v in rig.visits] == list(
        stays
    )


def test_a_clock_that_runs_ahead_freezes_nobody(rig: StreetRig) -> None:
    class Wall(PingClock):
        follows_pings = False

        def now_ms(self) -> int:
            return T0 + 1_000_000

    rig.street.stop()
    rig.database.close()
    rig.open(clock=Wall())
    ahead = rig.post(ping(90_000, 500), ping(86_400, 0))
    assert ([one.code for one in ahead.rejected], ahead.accepted) == (["future", "future"], 0)
    assert rig.post(ping(900, 500), ping(960, 0)).accepted == 2
    assert rig.events == [("entered", "phone", 960)]


def test_a_clock_set_back_triggers_nothing_until_it_has_caught_up(rig: StreetRig) -> None:
    rig.post(ping(1000, 500))
    rig.post(ping(400, 0), ping(460, 0))
    assert rig.events == []
    rig.post(ping(1060, 0))
    assert [kind for kind, _, _ in rig.events] == ["entered"]


def test_of_two_pings_of_one_moment_the_first_counts(rig: StreetRig) -> None:
    rig.post(ping(0, 900), ping(60, 900), ping(60, 0))
    assert rig.events == []


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_of_a_stream_into_batches_gives_the_same_log(
    seed: int, sqlite_url: str, tmp_path: Any, sqlite_template: Any
) -> None:
    stream = _stream(random.Random(seed))
    logs = []
    for number, sizes in enumerate(((len(stream),), (1,), (7, 1, 30), (50, 3))):
        path = tmp_path / f"{number}.db"
        path.write_bytes(sqlite_template.read_bytes())
        rig = StreetRig(f"sqlite:///{path}")
        opened(rig)
        rig.put(
            fence("gf_2", lat=HOME[0] + 500 / 111_195, profile=Profile("strict", dwell_s=(120,))),
            fence("gf_3", lat=HOME[0] + 900 / 111_195, radius_m=40, profile=BALANCED),
            fence(
                "gf_4",
                radius_m=400,
                profile=Profile("balanced", dwell_s=(60, 300), presence_timeout_s=900),
            ),
        )
        for batch in _cut(stream, sizes):
            rig.post(*random.Random(number).sample(batch, len(batch)))
            rig.post(*batch[: len(batch) // 2])
        rig.post(ping(100_000, 0, "clock"))
        rig.post(ping(100_001, 0, "clock"))
        logs.append(
            sorted(
                (e.id, e.kind, e.ts_ms, e.probability, e.edge_m)
                for e in events(rig)
                if e.device_id != "clock"
            )
        )
        rig.close()
    assert logs[0] == logs[1] == logs[2] == logs[3]
    kinds = {kind for _, kind, *_ in logs[0]}
    assert kinds >= {
        "geofence.entered",
        "geofence.exited",
        "geofence.crossed",
        "geofence.dwelled",
        "device.stopped",
    }


def _stream(dice: random.Random) -> list[PingIn]:
    """Three phones up and down past four stores for some hours, in order of time.

    Their tracks have poor fixes, jumps and gaps.
    """
    pings = []
    for device in "abc":
        at_s, north_m, speed_mps = dice.uniform(0, 60), -800.0, 10.0
        while at_s < 4 * 3600:
            north_m += speed_mps * 30
            if dice.random() < 0.15 or not -1500 < north_m < 2500:
                speed_mps = dice.choice([0.0, 1.4, 12.0]) * (1 if north_m < 500 else -1)
            odd_m = dice.choice([400_000.0, 900.0]) if dice.random() < 0.03 else dice.gauss(0, 6)
            accuracy_m = dice.choice([5.0, 5.0, 20.0, 90.0, 1400.0, None])
            pings.append(
                ping(
                    at_s,
                    north_m + odd_m,
                    device,
                    accuracy_m=accuracy_m,
                    mocked=dice.random() < 0.02,
                )
            )
            at_s += dice.choice([30.0, 30.0, 45.0, 60.0, 1500.0 if dice.random() < 0.1 else 20.0])
    return sorted(pings, key=_time_of)


def _time_of(sent: PingIn) -> float:
    assert isinstance(sent.ts, int | float)
    return sent.ts


def _cut(stream: Sequence[PingIn], sizes: Sequence[int]) -> Iterator[list[PingIn]]:
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(stream):
            return
        yield list(stream[start : start + size])
        start += size


def test_a_repeated_ping_is_answered_with_what_it_reported_also_where_that_began_earlier(
    rig: StreetRig,
) -> None:
    walk = [
        ping(0, 900, accuracy_m=8.0),
        *(ping(60 * nth, 135, accuracy_m=60.0) for nth in (1, 2, 3, 4)),
    ]
    walk += [ping(300 + 60 * nth, 700, accuracy_m=10.0) for nth in range(4)]

    def answers() -> list[list[tuple[str, int]]]:
        said = (rig.post(one, include=["events"]).devices["phone"].events for one in walk)
        return [[(event.kind, event.ts_ms) for event in events] for events in said]

    found = answers()
    assert [kind for some in found for kind, _ in some] == ["geofence.entered", "geofence.exited"]
    assert all(
        event_ms < T0 + 60_000 * nth for nth, some in enumerate(found) for _, event_ms in some
    )
    assert answers() == found


def test_a_repeated_ping_is_not_answered_with_what_a_timer_reported_of_it(rig: StreetRig) -> None:
    rig.post(ping(0, 10, accuracy_m=8.0))
    rig.post(ping(7200, 10, "other", accuracy_m=8.0))
    rig.post(ping(7201, 10, "other", accuracy_m=8.0))
    assert ("exited", "phone", 0) in rig.events
    assert [
        event.kind
        for event in rig.post(ping(0, 10, accuracy_m=8.0), include=["events"])
        .devices["phone"]
        .events
    ] == ["geofence.entered"]


def test_whoever_walks_off_with_poor_fixes_has_left_after_two_hours_and_does_not_dwell(
    rig: StreetRig,
) -> None:
    rig.put(fence(profile=Profile("balanced", dwell_s=(600,))))
    rig.post(ping(0, 900, accuracy_m=8.0), ping(60, 10, accuracy_m=8.0))
    rig.post(*(ping(60 + 300 * nth, 210, accuracy_m=120.0) for nth in range(1, 40)))
    assert [one for one in rig.events if one[0] != "device.stopped"] == [
        ("entered", "phone", 60),
        ("exited", "phone", 360),
    ]
