"""A world of phones with known truth: geofences, towns around them, and the traces of phones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from geofence.model.place import Geofence
from geofence.simulate.city import City, build_city
from geofence.simulate.days import SCENARIOS, Scenario
from geofence.simulate.noise import DAY_S
from geofence.simulate.paths import Path
from geofence.simulate.phone import PLAIN, Fixes, Phone, listen
from geofence.simulate.town import Town, geofences_of, town_around, town_of
from geofence.simulate.truth import Shape, TrueVisit, true_visits

START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z, a Monday
MIXED = ("commuter", "shopper", "commuter", "passes", "still-home", "still-work")


@dataclass(frozen=True, slots=True)
class Trace:
    """One device from `start_ms` (epoch ms UTC) on.

    `fixes` are the sent ones in the order of true time, `path` the true positions, `visits` the
    true visits.
    """

    device_id: str
    scenario: str
    start_ms: int
    fixes: Fixes
    visits: tuple[TrueVisit, ...]
    path: Path
    town: Town


class World(Protocol):
    """Geofences, and a town for each device."""

    geofences: tuple[Geofence, ...]

    def town(self, number: int) -> Town:
        """The town of the n-th device."""


class InventedTown:
    """One invented town for all devices.

    `rings` and `brands` choose the geofences; None takes all.
    """

    def __init__(
        self, seed: int = 1, rings: Sequence[str] | None = None, brands: Sequence[str] | None = None
    ) -> None:
        self.city: City = build_city(seed)
        self.geofences = geofences_of(
            (store for store in self.city.stores if brands is None or store.brand in brands), rings
        )
        self._town = town_of(self.city, self.geofences)

    def town(self, number: int) -> Town:  # noqa: ARG002  (one town for all)
        """The town."""
        return self._town


class AroundGeofences:
    """Invented streets around given geofences; each device lives around a random one."""

    def __init__(self, geofences: Sequence[Geofence], seed: int = 1) -> None:
        """Raises ValueError without any geofence, or for one that `Shape.of` refuses."""
        if not geofences:
            raise ValueError("there is no geofence to move around")
        self.geofences = tuple(geofences)
        self._shapes, self._seed = tuple(Shape.of(fence) for fence in geofences), seed
        self._around = lru_cache(maxsize=256)(self._build)

    def town(self, number: int) -> Town:
        """The town of the n-th device."""
        return self._around(
            random.Random(f"town {self._seed} {number}").randrange(len(self._shapes))
        )

    def _build(self, place: int) -> Town:
        return town_around(*self._shapes[place].middle, self._shapes, self._seed)


def simulate(
    world: World,
    scenario: str = "mixed",
    *,
    devices: int = 20,
    days: float = 1.0,
    seed: int = 1,
    phone: Phone = PLAIN,
    start_ms: int = START_MS,
) -> Iterator[Trace]:
    """`devices` traces, each of `days` days. The same arguments give the same traces.

    `scenario` is one of `SCENARIOS`, or "mixed" for several in turn. A device's path does not
    depend on `phone`, so two phones can be compared on the same walk.
    """
    for number in range(devices):
        kind = MIXED[number % len(MIXED)] if scenario == "mixed" else scenario
        yield _trace(
            world.town(number),
            kind,
            SCENARIOS[kind],
            f"{kind}-{number:04d}",
            days * DAY_S,
            (seed, number),
            phone,
            start_ms,
        )


def _trace(
    town: Town,
    kind: str,
    live: Scenario,
    device_id: str,
    seconds: float,
    seeds: tuple[int, int],
    phone: Phone,
    start_ms: int,
) -> Trace:
    path = live(town, random.Random(f"path {seeds[0]} {device_id}"), seconds)
    fixes = listen(
        path, town.frame, phone, start_ms, np.random.default_rng((*seeds, *kind.encode()))
    )
    return Trace(
        device_id,
        kind,
        start_ms,
        fixes,
        tuple(true_visits(path, town.frame, town.shapes, device_id, start_ms)),
        path,
        town,
    )
