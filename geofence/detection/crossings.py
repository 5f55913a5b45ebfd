"""Which geofences a phone crossed between two pings, with no ping inside.

Both ends must be fixes worth comparing with, at most 120 s apart and no jump. Whether anything lies
on the line is asked for all pings of a batch at once, on points every 20 to 60 m of it; the closest
approach is then found exactly, for the few lines that come near. The straight line is a guess, so
its certainty is stated: the error at a point of the line mixes those of both ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.detection.evidence import (
    ACCURACY_TO_SIGMA,
    LEAST_SIGMA_M,
    MISSING_ACCURACY_M,
    probability_inside,
)
from geofence.detection.segments import Segments
from geofence.model.ping import Fix, Floats, Pings
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, DeviceState
from geofence.places.catalogue import Catalogue
from geofence.places.persistent import PersistentVector
from regions.index.index import Index

FINEST_STEP_M = 20.0  # the smallest circle is 20 m wide
# by the finest resolution of the index, whose smallest regions have 50 m and 100 m around
STEPS_M = {10: 40.0, 9: 60.0}
REFINEMENTS = 3
# looked at together: pairs of points and geofences, points, points at first
MOST_PAIRS, MOST_POINTS, FEW_POINTS = 300_000, 100_000, 500
_GRID_SIDE = 4
_GRID = np.arange(-_GRID_SIDE, _GRID_SIDE + 1) / _GRID_SIDE


class Crossing(NamedTuple):
    """A geofence that a line cuts.

    Its slot, the closest approach (signed m), and the standard deviation (m) of the line there.
    """

    slot: int
    edge_m: float
    sigma_m: float

    def probability(self, inradius_m: float) -> float:
        """How sure it is that the line cut the geofence."""
        return probability_inside(self.edge_m, self.sigma_m, inradius_m)


class _Pairs(NamedTuple):
    """Pairs of a line and a region, as columns of length m.

    The row of the line, the region's slot, the share of the line before the point, and the signed
    distance (m) to the region's edge there.
    """

    way: NDArray[np.int64]
    slot: NDArray[np.int64]
    share: Floats
    edge_m: Floats

    def of(self, rows: NDArray[Any]) -> _Pairs:
        """Some of them."""
        return _Pairs(*(column[rows] for column in self))

    def deepest(self) -> _Pairs:
        """Of each line and region, the row with the least distance."""
        order = np.lexsort((self.edge_m, self.slot, self.way))
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = (np.diff(self.way[order]) != 0) | (np.diff(self.slot[order]) != 0)
        return self.of(order[first])


class CrossingDetector:
    """Finds crossings batch by batch.

    Remembers for each project whether any geofence of its catalogue may be crossed at all.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[PersistentVector[Geofence], str, float | None]] = {}

    def prepare(
        self,
        project_id: str,
        catalogue: Catalogue,
        pings: Pings,
        devices: Sequence[tuple[DeviceKey, list[int]]],
        states: Mapping[DeviceKey, DeviceState],
    ) -> Crossings | None:
        """The crossings of a batch, None where every geofence is `exact`.

        `devices` are the rows of each, in time order.
        """
        step_m = self._step_m(project_id, catalogue)
        return (
            None
            if step_m is None or not len(pings)
            else Crossings(catalogue, Segments.to(pings, devices, states), step_m)
        )

    def rows_cut(self, project_id: str, catalogue: Catalogue, segments: Segments) -> list[int]:
        """Rows of the segments on which some geofence may have been crossed."""
        step_m = self._step_m(project_id, catalogue)
        return [] if step_m is None else list(_found(catalogue, segments, step_m))

    def _step_m(self, project_id: str, catalogue: Catalogue) -> float | None:
        """How far apart (m) the points of a line are; None where no geofence can be crossed."""
        fences, default = catalogue.fences, catalogue.default.name
        known = self._known.get(project_id)
        if known is None or known[0] is not fences or known[1] != default:
            some = any(fence is not None and not _exact(fence, catalogue) for fence in fences)
            known = self._known[project_id] = (
                fences,
                default,
                _step_m(catalogue.index) if some else None,
            )
        return known[2]


class Crossings:
    """What the line to each ping of a batch cuts, worked out for all of them at once.

    A line whose start turned out to be another is worked out again alone.
    """

    def __init__(self, catalogue: Catalogue, segments: Segments, step_m: float) -> None:
        self._catalogue, self._step_m, self._found = (
            catalogue,
            step_m,
            _found(catalogue, segments, step_m),
        )
        self._start_ms, self._lat, self._lon = (
            segments.start_ms.tolist(),
            segments.start_lat.tolist(),
            segments.start_lon.tolist(),
        )

    def of(self, row: int, start: Fix, end: Fix) -> list[Crossing]:
        """The geofences, none of them `exact`, between `start` and `end`, the ping of this row."""
        if (self._start_ms[row], self._lat[row], self._lon[row]) == (
            start.ts_ms,
            start.lat,
            start.lon,
        ):
            return self._found.get(row, [])
        return _found(self._catalogue, Segments.between(start, end), self._step_m).get(0, [])


def _exact(fence: Geofence, catalogue: Catalogue) -> bool:
    return (fence.profile or catalogue.default).name == "exact"


def _step_m(index: Index) -> float:
    finest = max(index.stats()["resolutions"], default=9)
    return STEPS_M.get(max(finest, 9), FINEST_STEP_M)


def _found(catalogue: Catalogue, segments: Segments, step_m: float) -> dict[int, list[Crossing]]:
    """By row of a line, the geofences that it cuts with neither end in them."""
    found: dict[int, list[Crossing]] = {}
    at_once = MOST_PAIRS // len(_GRID)
    for rows in _few_points(segments, segments.plausible(), step_m):
        some = segments.of(rows)
        near = _near(catalogue, some, step_m)
        for start in range(0, len(near.way), at_once):
            part = near.of(np.arange(start, min(start + at_once, len(near.way))))
            pairs = _closest(catalogue.index, some, part, step_m)
            columns = (rows[pairs.way], pairs.slot, pairs.edge_m, _line_sigmas_m(some, pairs))
            for row, *crossing in zip(*(one.tolist() for one in columns), strict=True):
                found.setdefault(row, []).append(Crossing(*crossing))
    return found


def _line_sigmas_m(segments: Segments, pairs: _Pairs) -> Floats:
    """The standard deviation (m) of each line at its point: the errors of both ends mixed."""
    before = _sigmas_m(segments.start_accuracy_m[pairs.way])
    after = _sigmas_m(segments.end_accuracy_m[pairs.way])
    sigmas_m: Floats = np.hypot((1.0 - pairs.share) * before, pairs.share * after)
    return sigmas_m


def _few_points(
    segments: Segments, ways: NDArray[np.int64], step_m: float
) -> list[NDArray[np.int64]]:
    """Rows of plausible lines, in parts with about `MOST_POINTS` points each."""
    if not len(ways):
        return []
    points = np.cumsum(segments.of(ways).length_m() / step_m + 1.0)
    return np.split(ways, np.flatnonzero(np.diff((points // MOST_POINTS).astype(np.int64))) + 1)


def _near(catalogue: Catalogue, segments: Segments, step_m: float) -> _Pairs:
    """Each line with each geofence that it comes within a step of, at its deepest point.

    Neither end is inside. Thousands of geofences may lie one over another, so the number of points
    looked at together follows how many geofences the points before met.
    """
    way, share = segments.points(step_m)
    found, start, size = [], 0, FEW_POINTS
    while start < len(way):
        part = slice(start, start + size)
        pairs, met = _near_points(catalogue, segments, way[part], share[part], step_m)
        found.append(pairs)
        start, size = (
            start + size,
            min(max(MOST_PAIRS * size // max(met, 1), FEW_POINTS // 10), MOST_POINTS),
        )
    return _Pairs(*(np.concatenate(columns) for columns in zip(*found, strict=True))).deepest()


def _near_points(
    catalogue: Catalogue, segments: Segments, way: NDArray[np.int64], share: Floats, step_m: float
) -> tuple[_Pairs, int]:
    """`_near` for some points, and how many geofences they met in all."""
    lat, lon = segments.at(way, share)
    hit = catalogue.index.candidates(lat, lon)
    key = way[hit.ping] << 32 | hit.slot
    kept = np.isin(key, _open(catalogue, segments, np.unique(key)))
    point, slot = hit.ping[kept], hit.slot[kept]
    edge_m = catalogue.index.edge_m(lat[point], lon[point], slot)
    return _Pairs(way[point], slot, share[point], edge_m).of(edge_m <= step_m).deepest(), len(key)


def _open(catalogue: Catalogue, segments: Segments, key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the pairs of a line (upper half) and a slot (lower half) those that may be crossed.

    Neither end lies inside.
    """
    slots = np.unique(key & 0xFFFF_FFFF)
    passable = (
        slots[[_may_cross(catalogue, slot) for slot in slots.tolist()]] if len(slots) else slots
    )
    key = key[np.isin(key & 0xFFFF_FFFF, passable)]
    for lat, lon in (
        (segments.start_lat, segments.start_lon),
        (segments.end_lat, segments.end_lon),
    ):
        way = key >> 32
        key = key[~catalogue.index.inside(lat[way], lon[way], key & 0xFFFF_FFFF)]
    return key


def _may_cross(catalogue: Catalogue, slot: int) -> bool:
    fence = catalogue.fences[slot]
    return fence is not None and not _exact(fence, catalogue)


def _closest(index: Index, segments: Segments, pairs: _Pairs, step_m: float) -> _Pairs:
    """The pairs whose line enters the region, at their closest approach, to a metre of the line."""
    reach = step_m / segments.length_m()[pairs.way]
    for _ in range(REFINEMENTS):
        n = len(pairs.way)
        share = np.clip(pairs.share[:, None] + reach[:, None] * _GRID, 0.0, 1.0).ravel()
        way, slot = np.repeat(pairs.way, len(_GRID)), np.repeat(pairs.slot, len(_GRID))
        edge_m = index.edge_m(*segments.at(way, share), slot)
        best = np.arange(n) * len(_GRID) + edge_m.reshape(n, -1).argmin(axis=1)
        pairs = _Pairs(pairs.way, pairs.slot, share[best], edge_m[best])
        reach = reach / _GRID_SIDE
    return pairs.of(pairs.edge_m <= 0)


def _sigmas_m(accuracy_m: Floats) -> Floats:
    accuracy_m = np.where(np.isnan(accuracy_m), MISSING_ACCURACY_M, accuracy_m)
    sigmas_m: Floats = np.maximum(accuracy_m / ACCURACY_TO_SIGMA, LEAST_SIGMA_M)
    return sigmas_m
