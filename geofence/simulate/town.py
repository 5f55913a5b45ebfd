"""Towns to move in: streets, and goals to go to, each inside a geofence."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geofence.model.place import Geofence, Store
from geofence.simulate.city import City
from geofence.simulate.frame import Frame
from geofence.simulate.paths import CANYON, OPEN
from geofence.simulate.streets import Spot, Streets, lay_streets
from geofence.simulate.truth import Shape

ACROSS, BLOCK_M = 25, 250.0
REACH_M = 2_800.0  # within it a town has streets on all sides
CANYON_M = 700.0  # tall buildings stand this near to the centre
AWAY_M = 100.0  # a home stands this far from every geofence, where there is room

Chance = random.Random


@dataclass(frozen=True, slots=True)
class Goal:
    """A place to go to: its spot, the crossing next to it, and the geofence around it."""

    spot: Spot
    crossing: int
    shape: Shape


@dataclass(frozen=True)
class Town:
    """Streets around a frame's centre, its goals, and the shapes of every geofence in reach."""

    frame: Frame
    streets: Streets
    goals: tuple[Goal, ...]
    shapes: tuple[Shape, ...]

    def inside(self, spot: Spot) -> bool:
        """Whether a spot lies inside any geofence."""
        return self._inside_any([spot])

    def around(self, spot: Spot) -> int:
        """The surroundings of the street at a spot."""
        return CANYON if math.hypot(*spot) < CANYON_M else OPEN

    def goals_near(self, spot: Spot, within_m: float) -> list[Goal]:
        """Goals within a straight distance; the nearest three where there are none."""
        near = [goal for goal in self.goals if math.dist(goal.spot, spot) <= within_m]
        return near or sorted(self.goals, key=lambda goal: math.dist(goal.spot, spot))[:3]

    @cached_property
    def homes(self) -> tuple[int, ...]:
        """Crossings away from every geofence, else crossings outside all geofences, else all."""
        crossings = range(len(self.streets.spots))
        free = [
            here
            for here in crossings
            if not self._inside_any(_ring(self.streets.spots[here], AWAY_M))
        ]
        free = free or [here for here in crossings if not self.inside(self.streets.spots[here])]
        return tuple(free or crossings)

    def depth_m(self, goal: Goal, turn: float, most_m: float = 100_000.0) -> float:
        """How far from a goal its geofence ends in the direction `turn` (radians), metres."""
        low_m, high_m = 0.0, most_m
        while high_m - low_m > 0.1:
            half_m = (low_m + high_m) / 2.0
            if self._holds(goal.shape, _away(goal.spot, half_m, turn)):
                low_m = half_m
            else:
                high_m = half_m
        return low_m

    def _holds(self, shape: Shape, spot: Spot) -> bool:
        lat, lon = self.frame.degrees(np.array([spot[0]]), np.array([spot[1]]))
        return bool(shape.holds(lat, lon)[0])

    def _inside_any(self, spots: Sequence[Spot]) -> bool:
        x_m, y_m = np.array(spots, dtype=np.float64).T
        lat, lon = self.frame.degrees(x_m, y_m)
        return any(shape.holds(lat, lon).any() for shape in self.shapes)


def geofences_of(
    stores: Iterable[Store], rings: Sequence[str] | None = None
) -> tuple[Geofence, ...]:
    """The geofences that the rings of these stores become: all rings, or those named."""
    return tuple(
        Geofence(
            uid=f"{store.external_id}/{ring.name}",
            external_id=f"{store.external_id}/{ring.name}",
            region={
                "type": "circle",
                "lat": store.lat,
                "lon": store.lon,
                "radius_m": ring.radius_m,
            },
            store_id=store.external_id,
            ring=ring.name,
            name=store.name,
        )
        for store in stores
        for ring in store.rings
        if rings is None or ring.name in rings
    )


def town_of(city: City, fences: Sequence[Geofence]) -> Town:
    """The invented town with the doors of its stores as goals, for the geofences given."""
    shapes = tuple(Shape.of(fence) for fence in fences)
    by_store = {
        fence.store_id: shape
        for fence, shape in zip(reversed(fences), reversed(shapes), strict=True)
    }
    goals = [
        Goal(spot, link[0], by_store[store.external_id])
        for store, (spot, link) in zip(city.stores, city.doors, strict=True)
        if store.external_id in by_store
    ]
    return Town(Frame(city.lat, city.lon), city.streets, tuple(goals), shapes)


def town_around(lat: float, lon: float, shapes: Sequence[Shape], seed: int) -> Town:
    """Invented streets around a place (degrees), and the geofences in their reach as goals."""
    frame, chance = Frame(lat, lon), random.Random(f"streets {seed} {lat:.4f} {lon:.4f}")
    streets = lay_streets(chance, ACROSS, BLOCK_M, ("Street",))
    goals = [
        Goal(spot, _nearest(streets, spot), shape)
        for shape in shapes
        if math.hypot(*(spot := _spot(frame, shape.middle))) <= REACH_M
    ]
    near = tuple(shape for shape in shapes if _near(frame, shape))
    return Town(frame, streets, tuple(goals), near)


def _spot(frame: Frame, place: tuple[float, float]) -> Spot:
    """A place (lat, lon) in metres."""
    x_m, y_m = frame.metres(np.array([place[0]]), np.array([place[1]]))
    return float(x_m[0]), float(y_m[0])


def _nearest(streets: Streets, spot: Spot) -> int:
    """The crossing nearest to a spot."""
    return min(range(len(streets.spots)), key=lambda here: math.dist(streets.spots[here], spot))


def _near(frame: Frame, shape: Shape) -> bool:
    """Whether a shape's box touches the town's square."""
    south, west, north, east = shape.box
    (left_m, right_m), (low_m, high_m) = frame.metres(
        np.array([south, north]), np.array([west, east])
    )
    most_m = ACROSS * BLOCK_M
    return bool(left_m <= most_m and right_m >= -most_m and low_m <= most_m and high_m >= -most_m)


def _ring(spot: Spot, radius_m: float) -> list[Spot]:
    return [spot, *(_away(spot, radius_m, turn * math.pi / 4.0) for turn in range(8))]


def _away(spot: Spot, metres: float, turn: float) -> Spot:
    return spot[0] + metres * math.cos(turn), spot[1] + metres * math.sin(turn)
