"""The pings of people who walk and drive through a town, in and out of stores.

The error of a phone is correlated in time: a Gauss-Markov process (Gelb, Applied Optimal
Estimation, 1974), in which the old error decays and fresh error fills it up. The stated accuracy is
the radius of 68 % confidence, 1.51 times the standard deviation along one axis.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from geofence.model.ping import PingIn
from geofence.simulate.city import City
from geofence.simulate.streets import Link, Spot

SIGMAS_IN_ACCURACY = 1.51
ERROR_LASTS_S = 40.0
FASTEST_MPS = 60.0  # detection takes a faster move for a jump


class Stay(NamedTuple):
    """A move from one spot to another, or a pause where both are the same."""

    start: Spot
    end: Spot
    seconds: float
    indoors: bool


@dataclass(frozen=True, slots=True)
class Mover:
    """A person with a phone: speed, reporting period and accuracy of the fixes."""

    device_id: str
    speed_mps: float
    period_s: float
    accuracy_m: float
    drives: bool


def people(seed: int = 1, count: int = 300) -> tuple[Mover, ...]:
    """Walkers and, every fourth, drivers."""
    chance = random.Random(f"people {seed}")
    return tuple(_person(chance, number) for number in range(1, count + 1))


def _person(chance: random.Random, number: int) -> Mover:
    drives = number % 4 == 0
    kind, speed_mps = (
        ("driver", chance.uniform(7.0, 14.0)) if drives else ("walker", chance.uniform(1.1, 1.7))
    )
    accuracy_m = min(60.0, 6.0 * math.exp(abs(chance.gauss(0.0, 0.8))))
    return Mover(f"{kind}-{number:03d}", speed_mps, chance.uniform(4.0, 12.0), accuracy_m, drives)


def walk(
    city: City, start_ms: int, seed: int = 1, count: int = 300, hurry: float = 1.0
) -> Iterator[PingIn]:
    """The pings of all people from `start_ms` (epoch ms) on, ordered by time, without end.

    `hurry` speeds up the people and not the clock: at 10 a walk of ten minutes takes one, and pings
    still carry true times. Every tenth person starts a few steps outside a store's near ring, on
    the way to its door, so that the first events come soon.
    """
    days = [
        _pings(city, mover, start_ms, f"{seed} {mover.device_id}", hurry)
        for mover in people(seed, count)
    ]
    return heapq.merge(*days, key=lambda ping: ping.ts)


class _Wander:
    """The error of one phone over time: a Gauss-Markov process, in metres east and north."""

    __slots__ = ("_at_s", "_chance", "_east_m", "_north_m")

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._east_m, self._north_m = 0.0, 0.0
        self._at_s: float | None = None

    def at(self, at_s: float, accuracy_m: float) -> Spot:
        """The error at a moment after the last one, for a stated accuracy."""
        kept = 0.0 if self._at_s is None else math.exp(-(at_s - self._at_s) / ERROR_LASTS_S)
        fresh_m = accuracy_m / SIGMAS_IN_ACCURACY * math.sqrt(1.0 - kept * kept)
        self._east_m = kept * self._east_m + self._chance.gauss(0.0, fresh_m)
        self._north_m = kept * self._north_m + self._chance.gauss(0.0, fresh_m)
        self._at_s = at_s
        return self._east_m, self._north_m


def _pings(city: City, mover: Mover, start_ms: int, seed: str, hurry: float) -> Iterator[PingIn]:
    chance = random.Random(seed)
    wander = _Wander(chance)
    # the first report has a random phase, so that a crowd does not report in step
    at_s, begun_s = chance.uniform(0.0, mover.period_s), 0.0
    for stay in _day(city, mover, chance, hurry):
        while at_s < begun_s + stay.seconds:
            spread = chance.uniform(0.7, 1.6) * (2.5 if stay.indoors else 1.0)
            accuracy_m = min(250.0, mover.accuracy_m * spread)
            error_m = wander.at(at_s, accuracy_m)
            share, ts_ms = (at_s - begun_s) / stay.seconds, start_ms + round(at_s * 1000)
            yield _seen(city, mover, stay, share, error_m, accuracy_m, ts_ms)
            at_s += mover.period_s * chance.uniform(0.8, 1.2)
        begun_s += stay.seconds


def _seen(
    city: City, mover: Mover, stay: Stay, share: float, error_m: Spot, accuracy_m: float, ts_ms: int
) -> PingIn:
    x_m = stay.start[0] + share * (stay.end[0] - stay.start[0]) + error_m[0]
    y_m = stay.start[1] + share * (stay.end[1] - stay.start[1]) + error_m[1]
    lat, lon = city.degrees((x_m, y_m))
    return PingIn(
        lat=round(lat, 7),
        lon=round(lon, 7),
        ts=ts_ms,
        device_id=mover.device_id,
        accuracy_m=round(accuracy_m, 1),
        speed_mps=round(math.dist(stay.start, stay.end) / stay.seconds, 1),
    )


def _day(city: City, mover: Mover, chance: random.Random, hurry: float) -> Iterator[Stay]:
    """One trip after the other, to a store or to a crossing, with a pause at each."""
    speed_mps = min(FASTEST_MPS, mover.speed_mps * hurry)
    here, at, door = _first_step(city, mover, chance)
    if door is not None:
        yield Stay(here, door, math.dist(here, door) / speed_mps, indoors=False)
        yield Stay(door, door, chance.uniform(120.0, 300.0) / hurry, indoors=True)
        here = door
    while True:
        spot, crossing, pause_s, indoors = _next_stop(city, chance)
        for corner in [
            *(city.streets.spots[each] for each in city.streets.way(at, crossing)),
            spot,
        ]:
            if (length_m := math.dist(here, corner)) > 0.0:
                yield Stay(here, corner, length_m / speed_mps, indoors=False)
            here = corner
        at = crossing
        yield Stay(here, here, pause_s / hurry, indoors)


def _next_stop(city: City, chance: random.Random) -> tuple[Spot, int, float, bool]:
    """The spot of the next stop, its crossing, the pause there in seconds, and whether indoors."""
    if chance.random() < 0.6:
        spot, link = chance.choice(city.doors)
        return spot, link[0], chance.uniform(120.0, 900.0), True
    crossing = _any_street(city, chance)[0]
    return city.streets.spots[crossing], crossing, chance.uniform(20.0, 300.0), False


def _first_step(city: City, mover: Mover, chance: random.Random) -> tuple[Spot, int, Spot | None]:
    """The starting spot, the crossing after it, and the door nearby to visit first, if any."""
    if int(mover.device_id[-3:]) % 10 != 1:
        at = _any_street(city, chance)[0]
        return city.streets.spots[at], at, None
    number = chance.randrange(len(city.doors))
    door, link = city.doors[number]
    outside_m = city.stores[number].rings[0].radius_m + 6.0 * mover.speed_mps
    turn = chance.uniform(0.0, 2 * math.pi)
    return (
        (door[0] + outside_m * math.cos(turn), door[1] + outside_m * math.sin(turn)),
        link[0],
        door,
    )


def _any_street(city: City, chance: random.Random) -> Link:
    return chance.choice(sorted(city.streets.names))
