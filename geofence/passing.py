"""Who passed through a geofence between two pings, with no ping inside?

Both ends must be fixes worth comparing with, at most 120 s apart and no jump. Whether anything lies on the way is asked for all
pings of a batch at once, on points every 20 m of the straight line; the closest approach is then found exactly, for the few
lines that come near. The line itself is a guess, so its certainty is stated: the error at a point on the way mixes those of
both ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.catalogue import Catalogue
from geofence.evidence import probability_inside, sigma_m
from geofence.legs import STEP_M, Legs
from geofence.model.ping import Floats, Pings
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, DeviceState
from geofence.plausible import Fix
from geofence.shelf import Shelf
from regions.index import Index

REFINED_M = 0.1

_GOLDEN = 0.6180339887498949


class Passage(NamedTuple):
    """A geofence on the way: its slot, the closest approach (signed m), and the standard deviation (m) of the line there."""

    slot: int
    edge_m: float
    sigma_m: float

    def probability(self, inradius_m: float) -> float:
        """How sure it is that the line cut the geofence."""
        return probability_inside(self.edge_m, self.sigma_m, inradius_m)


class Passing:
    """Finds passages batch by batch; remembers for each project whether any geofence of its catalogue may be passed at all."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Shelf[Geofence], str, bool]] = {}

    def prepare(
        self,
        project_id: str,
        catalogue: Catalogue,
        pings: Pings,
        devices: Sequence[tuple[DeviceKey, list[int]]],
        states: Mapping[DeviceKey, DeviceState],
    ) -> Passages | None:
        """The passages of a batch, None where every geofence is `exact`. `devices` are the rows of each, in time order."""
        if not self._passable(project_id, catalogue) or not len(pings):
            return None
        legs = Legs.to(pings, devices, states)
        return Passages(catalogue, legs, _found(catalogue, legs))

    def _passable(self, project_id: str, catalogue: Catalogue) -> bool:
        fences, default = catalogue.fences, catalogue.default.name
        known = self._open.get(project_id)
        if known is None or known[0] is not fences or known[1] != default:
            known = (fences, default, any(fence is not None and not _exact(fence, catalogue) for fence in fences))
            self._open[project_id] = known
        return known[2]


class Passages:
    """What lies on the way to each ping of a batch, as far as the ping before it is what it seemed when the batch came."""

    def __init__(self, catalogue: Catalogue, legs: Legs, found: Mapping[int, list[Passage]]) -> None:
        self._catalogue, self._found = catalogue, found
        self._start_ms, self._lat, self._lon = legs.start_ms.tolist(), legs.start_lat.tolist(), legs.start_lon.tolist()

    def of(self, row: int, start: Fix, end: Fix) -> list[Passage]:
        """The geofences, none of them `exact`, between `start` and the batch's ping `row`, which is `end`."""
        if (self._start_ms[row], self._lat[row], self._lon[row]) == (start.ts_ms, start.lat, start.lon):
            return self._found.get(row, [])
        return _found(self._catalogue, Legs.between(start, end)).get(0, [])


def _exact(fence: Geofence, catalogue: Catalogue) -> bool:
    return (fence.profile or catalogue.default).name == "exact"


def _found(catalogue: Catalogue, legs: Legs) -> dict[int, list[Passage]]:
    """By leg, the geofences that it cuts with no end in them."""
    ways = legs.worth_a_look()
    if not len(ways):
        return {}
    near = legs.of(ways)
    way, share = near.points()
    lat, lon = near.at(way, share)
    hit = catalogue.index.candidates(lat, lon)
    passable = {slot: _may_pass(catalogue, slot) for slot in np.unique(hit.slot).tolist()}
    kept = np.fromiter((passable[slot] for slot in hit.slot.tolist()), np.bool_, len(hit.slot))
    point, slot = hit.ping[kept], hit.slot[kept]
    edge_m = catalogue.index.edge_m(lat[point], lon[point], slot)
    found: dict[int, list[Passage]] = {}
    for one, region, at in _closest(way[point], slot, edge_m, share[point]):
        passage = _passage(catalogue.index, near, one, region, at)
        if passage is not None:
            found.setdefault(int(ways[one]), []).append(passage)
    return found


def _may_pass(catalogue: Catalogue, slot: int) -> bool:
    fence = catalogue.fences[slot]
    return fence is not None and not _exact(fence, catalogue)


def _closest(way: NDArray[np.int64], slot: NDArray[np.int64], edge_m: Floats, share: Floats) -> list[tuple[int, int, float]]:
    """(leg, slot, share) of the point of each leg that is deepest in each region, where that is no further than a step away."""
    order = np.lexsort((edge_m, slot, way))
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (np.diff(way[order]) != 0) | (np.diff(slot[order]) != 0)
    best = order[first]
    best = best[edge_m[best] <= STEP_M]
    return list(zip(way[best].tolist(), slot[best].tolist(), share[best].tolist(), strict=True))


def _passage(index: Index, legs: Legs, way: int, slot: int, share: float) -> Passage | None:
    """The passage of one leg through one region; None where the line misses it or has an end in it."""
    leg = legs.of(np.array([way]))
    ends = (float(leg.start_lat[0]), float(leg.start_lon[0])), (float(leg.end_lat[0]), float(leg.end_lon[0]))
    if min(index.edge_m_one(*end, slot) for end in ends) <= 0:
        return None

    def edge_m(at: float) -> float:
        lat, lon = leg.at(np.zeros(1, dtype=np.int64), np.array([at]))
        return index.edge_m_one(float(lat[0]), float(lon[0]), slot)

    length_m = float(leg.length_m()[0])
    share, depth_m = _least(edge_m, max(0.0, share - STEP_M / length_m), min(1.0, share + STEP_M / length_m), REFINED_M / length_m)
    if depth_m > 0:
        return None
    before, after = (sigma_m(None if isnan(a) else a) for a in (float(leg.start_accuracy_m[0]), float(leg.end_accuracy_m[0])))
    return Passage(slot, depth_m, float(np.hypot((1.0 - share) * before, share * after)))


def _least(value: Callable[[float], float], low: float, high: float, until: float) -> tuple[float, float]:
    """Where between `low` and `high` a function with one valley is least, to within `until`, and its value there (golden section)."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    while high - low > until:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = value(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = value(right)
    return (left, at_left) if at_left < at_right else (right, at_right)
