"""Timers run on the time of the pings.

A backlog in parts and a slow clock tear no visit apart, and nothing is reported too soon.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Profile
from tests.rigs.street import T0, StreetRig, fence, ping

HOUR = 3600
VISIT = (9 * HOUR, 12 * HOUR)


class WallClock:
    """A clock that the test moves."""

    follows_pings = False

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_ms(self) -> int:
        return T0 + int(self.at_s * 1000)

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def saw(self, ts_ms: int) -> None:
        """Pings do not move it."""


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def rig(record_url: str, clock: WallClock) -> Iterator[StreetRig]:
    rig = StreetRig(record_url)
    rig.street.stop()
    rig.database.close()
    rig.open(clock)
    rig.edit(
        lambda unit: EditResult(
            unit.accounts.put_project(Project("p", "shop", Profile("balanced"))), reload=True
        )
    )
    rig.put(fence(profile=Profile("balanced", dwell_s=(1200,))))
    yield rig
    rig.close()


def tick(rig: StreetRig, clock: WallClock, at_s: float) -> None:
    """Let the service's clock be there, and its timers fire."""
    clock.at_s = at_s
    with rig.database.begin() as unit:
        due = unit.hot.due(clock.now_ms(), 100)
        rig.street.timers.tick(unit, clock.now_ms(), due)
        unit.commit()


def day() -> list[PingIn]:
    return [
        ping(at_s, 10 if VISIT[0] <= at_s < VISIT[1] else 5000, accuracy_m=8.0)
        for at_s in range(6 * HOUR, 18 * HOUR, 120)
    ]


@pytest.mark.parametrize("size", [1000, 50])
def test_a_day_that_comes_in_the_evening_in_one_part_or_in_many_gives_the_same_visit(
    rig: StreetRig, clock: WallClock, size: int
) -> None:
    pings = day()
    for nth, start in enumerate(range(0, len(pings), size)):
        tick(rig, clock, 20 * HOUR + 30 * nth)
        rig.post(*pings[start : start + size])
    tick(rig, clock, 21 * HOUR)
    [visit] = rig.visits
    assert [(visit.arrival_ms - T0) // 1000, (visit.departure_ms - T0) // 1000] == list(VISIT)
    assert sorted(rig.events) == [
        ("device.stopped", "phone", VISIT[0] + 240), ("dwelled", "phone", VISIT[0] + 1200),
        ("entered", "phone", VISIT[0]), ("exited", "phone", VISIT[1]),
    ]  # fmt: skip


def test_a_clock_an_hour_slow_stays_inside_while_it_speaks_and_leaves_an_hour_after_its_last_word(
    rig: StreetRig, clock: WallClock
) -> None:
    slow_s = 61 * 60
    for minute in range(10):
        tick(rig, clock, slow_s + 60 * minute)
        rig.post(ping(60 * minute, 10, accuracy_m=8.0))
    last_s = slow_s + 9 * 60
    tick(rig, clock, last_s + 10 * 60)
    assert [kind for kind, _, _ in rig.events] == ["entered", "device.stopped"]
    tick(rig, clock, last_s + 12 * 60)
    assert rig.events[2:] == [("dwelled", "phone", 1200)]
    tick(rig, clock, last_s + HOUR - 1)
    assert len(rig.events) == 3
    tick(rig, clock, last_s + HOUR)
    assert rig.events[3:] == [("exited", "phone", 9 * 60)]


def test_a_phone_that_speaks_live_is_timed_by_its_own_clock_to_the_millisecond(
    rig: StreetRig, clock: WallClock
) -> None:
    clock.at_s = 30.0
    rig.post(ping(0, 10, accuracy_m=8.0))
    tick(rig, clock, 1199.999)
    assert len(rig.events) == 1
    tick(rig, clock, 1200)
    assert rig.events[1:] == [("dwelled", "phone", 1200)]


def test_what_is_a_day_behind_and_more_waits_no_longer_than_a_day(
    rig: StreetRig, clock: WallClock
) -> None:
    clock.at_s = 30 * 24 * HOUR
    rig.post(ping(0, 10, accuracy_m=8.0))
    tick(rig, clock, 31 * 24 * HOUR)
    assert sorted(kind for kind, _, _ in rig.events) == ["dwelled", "entered", "exited"]
