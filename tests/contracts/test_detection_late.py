"""What a late ping may not do.

Go beyond what nobody judged, trigger, take back what came after it, or run into the next visit.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from geofence.model.place import Profile
from tests.rigs.street import BALANCED, T0, StreetRig, fence, opened, ping


@pytest.fixture
def rig(record_url: str) -> Iterator[StreetRig]:
    rig = StreetRig(record_url)
    opened(rig)
    yield rig
    rig.close()


@pytest.mark.parametrize("profile", ["exact", "balanced"])
def test_no_late_ping_moves_an_arrival_before_the_hour_or_the_day_that_nobody_judged(
    rig: StreetRig, profile: str
) -> None:
    rig.put(fence(profile=Profile(profile)))  # type: ignore[arg-type]  # one of three words
    rig.post(ping(0, 10, accuracy_m=8.0))
    rig.post(ping(-7200, 10, accuracy_m=8.0))
    assert [visit.arrival_ms for visit in rig.visits] == [T0]
    rig.post(ping(-3500, 10, accuracy_m=8.0))
    assert [visit.arrival_ms for visit in rig.visits] == [T0 - 3_500_000]


def test_no_late_ping_moves_an_arrival_before_the_geofence_opened(rig: StreetRig) -> None:
    rig.put(fence(profile=BALANCED, active_from_ms=T0 + 1_000_000))
    rig.post(ping(1060, 10, accuracy_m=8.0))
    rig.post(ping(500, 10, accuracy_m=8.0))
    assert [visit.arrival_ms for visit in rig.visits] == [T0 + 1_060_000]


def test_a_late_ping_brings_no_dwell_forward(rig: StreetRig) -> None:
    rig.put(fence(profile=Profile("balanced", dwell_s=(600,))))
    rig.post(ping(1060, 10, accuracy_m=8.0))
    rig.post(ping(450, 10, accuracy_m=8.0), ping(1100, 10, "other", accuracy_m=8.0))
    assert [one for one in rig.events if one[1] == "phone"] == [
        ("entered", "phone", 1060),
        ("visit.amended", "phone", 450),
    ]
    rig.post(ping(1661, 10, "other", accuracy_m=8.0))
    rig.post(ping(1662, 10, "other", accuracy_m=8.0))
    assert ("dwelled", "phone", 1660) in rig.events


def test_a_late_fix_inside_takes_back_no_sign_of_leaving_that_came_after_it(rig: StreetRig) -> None:
    rig.post(ping(0, 900, accuracy_m=8.0), ping(60, 10, accuracy_m=8.0))
    signs = [ping(100 + 60 * nth, 260, accuracy_m=10.0) for nth in range(8)]
    rig.post(*signs[:3])
    rig.post(ping(110, 10, accuracy_m=8.0))
    rig.post(*signs[3:])
    assert rig.events == [("entered", "phone", 60), ("exited", "phone", 160)]


def test_a_late_ping_ends_no_visit_after_the_next_has_begun(rig: StreetRig) -> None:
    rig.post(ping(0, 10, accuracy_m=8.0), ping(9000, 5000, "other"))
    rig.post(ping(300, 10, accuracy_m=8.0), ping(480, 10, accuracy_m=8.0))
    rig.post(ping(400, 10, accuracy_m=8.0))
    first, second = sorted(rig.visits, key=lambda visit: visit.arrival_ms)
    assert (first.arrival_ms, second.arrival_ms) == (T0, T0 + 300_000)
    assert first.departure_ms < second.arrival_ms
