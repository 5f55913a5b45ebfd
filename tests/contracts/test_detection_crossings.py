"""Ways through a geofence between two pings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from geofence.model.ping import PingIn
from geofence.model.place import Profile
from tests.rigs.street import BALANCED, HOME, T0, StreetRig, events, fence, opened, ping


@pytest.fixture
def rig(record_url: str) -> Iterator[StreetRig]:
    rig = StreetRig(record_url)
    opened(rig)
    yield rig
    rig.close()


def drive(
    start_s: float,
    start_m: float,
    end_m: float,
    step_s: float = 60,
    speed_mps: float = 13.0,
    **more: Any,
) -> list[PingIn]:
    """Northwards at 13 m/s."""
    count = int((end_m - start_m) / (speed_mps * step_s)) + 1
    return [
        ping(start_s + step_s * n, start_m + speed_mps * step_s * n, **{"accuracy_m": 8.0} | more)
        for n in range(count)
    ]


def test_driving_through_between_two_pings_is_a_crossing_without_a_visit(rig: StreetRig) -> None:
    rig.post(*drive(0, -1000, 1000))
    assert rig.events == [("crossed", "phone", 120)]
    [crossing] = events(rig)
    assert crossing.visit_id == ""
    assert crossing.edge_m == pytest.approx(-150, abs=1)
    assert (crossing.probability, crossing.accuracy_m, crossing.profile) == (1.0, 8.0, "balanced")
    assert rig.visits == []


def test_a_crossing_is_reported_once_however_often_its_pings_come(rig: StreetRig) -> None:
    way = drive(0, -1000, 1000)
    rig.post(*way)
    rig.post(*way)
    rig.die_and_return()
    rig.post(*way)
    assert rig.events == [("crossed", "phone", 120)]
    again = rig.post(*way, include=["events"]).devices["phone"].events
    assert [(event.kind, event.visit) for event in again] == [("geofence.crossed", 0)]


def test_a_crossing_is_found_also_where_a_batch_ends_between_its_pings_and_the_service_starts_anew(
    rig: StreetRig,
) -> None:
    rig.post(ping(-3600, -5000, accuracy_m=8.0))
    first, *rest = drive(60, -220, 1000)
    rig.post(first)
    rig.post(*rest)
    assert rig.events == [("crossed", "phone", 120)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ping(0, -400), ping(121, 400)),
        (ping(0, -400, accuracy_m=250.0), ping(60, 400)),
        (ping(0, -400), ping(60, 400, accuracy_m=250.0)),
        (ping(0, -400, mocked=True), ping(60, 400)),
        (ping(0, -400), ping(10, 400)),
        (ping(0, -100), ping(60, 400)),
        (ping(0, -400), ping(60, 100, accuracy_m=290.0)),
    ],
    ids=[
        "too late",
        "a poor start",
        "a poor end",
        "a mocked start",
        "a jump",
        "from inside",
        "to a poor fix inside",
    ],
)
def test_no_crossing_without_two_good_fixes_outside(
    rig: StreetRig, first: PingIn, second: PingIn
) -> None:
    rig.post(first)
    rig.post(second)
    assert [kind for kind, _, _ in rig.events if kind == "crossed"] == []


def test_a_way_that_grazes_a_geofence_is_a_crossing_only_where_the_fixes_are_good_enough_to_say_so(
    rig: StreetRig,
) -> None:
    east = HOME[1] + 140 / 111_195 / 0.669
    for device, accuracy_m in (("sure", 10.0), ("unsure", 30.0)):
        ends = (
            PingIn(HOME[0] + m / 111_195, east, T0 + n * 60_000, device, accuracy_m=accuracy_m)
            for n, m in enumerate((-400, 400))
        )
        rig.post(*ends)
    assert rig.events == [("crossed", "sure", 60)]
    [crossing] = events(rig)
    assert 0.95 < crossing.probability < 1.0


def test_a_way_past_the_edge_is_no_crossing_and_a_way_through_a_small_geofence_is(
    rig: StreetRig,
) -> None:
    east = 160 / 111_195 / 0.669
    past = [
        PingIn(HOME[0] + north_m / 111_195, HOME[1] + east, T0 + n * 60_000, "past")
        for n, north_m in enumerate((-400, 400))
    ]
    rig.post(*past)
    assert rig.events == []
    rig.put(fence("gf_s", lat=49.0, radius_m=10, profile=BALANCED))
    rig.post(
        *(
            PingIn(49.0 + north_m / 111_195, HOME[1], T0 + n * 60_000, "small", accuracy_m=5.0)
            for n, north_m in enumerate((-415, 420))
        )
    )
    assert [(kind, device) for kind, device, _ in rig.events] == [("crossed", "small")]


def test_nobody_crosses_a_geofence_he_is_in_or_has_just_left_or_one_that_is_exact(
    rig: StreetRig,
) -> None:
    rig.put(fence("gf_x", lat=49.0, profile=Profile("exact")))
    rig.post(
        *(
            PingIn(49.0 + north_m / 111_195, HOME[1], T0 + n * 60_000, "x")
            for n, north_m in enumerate((-400, 400))
        )
    )
    rig.post(ping(0, 0), ping(60, -300), ping(100, 300), ping(140, -300), ping(175, 300))
    assert rig.events == [("entered", "phone", 0), ("exited", "phone", 60)]
    rig.post(ping(240, -300))
    assert rig.events[-1] == ("crossed", "phone", 240)


def test_a_poor_fix_between_two_good_ones_hides_no_crossing(rig: StreetRig) -> None:
    rig.post(
        ping(0, -400, accuracy_m=8.0),
        ping(30, 700, accuracy_m=1400.0),
        ping(60, 400, accuracy_m=8.0),
    )
    assert rig.events == [("crossed", "phone", 60)]
