"""A map of fences in columns, and who lies near whom, at a cost that dense places cannot drive up without bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.geometry.ellipsoid import CURVATURE_MIN_M, Floats, in_space, metres_per_degree
from regions.region import Area, Circle, Region

Ints = NDArray[np.int64]
Shapes = NDArray[Any]  # of shapely geometries; None where the fence is a circle

_SAME_M = 0.5  # side of a cube whose points on the ground are surely within a metre of each other
_SAME_SHARE = 0.01
_CHUNK_PAIRS = 400_000
_CHUNK_MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class Fences:
    """(n,) columns.

    Names; the group of each (`<store>/<ring>` belongs to its store); middle, and reach of the
    furthest point.

    Degrees and metres. `space` is (n, 3), the middles as earth-centred metres. `corner_of` holds
    the fence of each of the `corners` (m, 2, lon/lat) of the areas.
    """

    names: tuple[str, ...]
    group: Ints
    lat: Floats
    lon: Floats
    space: Floats
    reach_m: Floats
    shape: Shapes
    corners: Floats
    corner_of: Ints

    @property
    def round(self) -> NDArray[np.bool_]:
        """(n,) which fences are circles."""
        return np.asarray(shapely.is_missing(self.shape), dtype=np.bool_)

    def away_m(self, one: Ints, other: Ints) -> Floats:
        """Straight distances between middles; a millimetre short at 10 km."""
        return np.asarray(np.sqrt(np.sum((self.space[one] - self.space[other]) ** 2, axis=-1)))


def fences_of(regions: Sequence[tuple[str, Region]]) -> Fences:
    """The columns of named regions, in their order."""
    n = len(regions)
    shape = np.full(n, None, dtype=object)
    lat, lon, reach = np.zeros(n), np.zeros(n), np.zeros(n)
    for nth, (_, region) in enumerate(regions):
        if isinstance(region, Circle):
            lat[nth], lon[nth], reach[nth] = region.lat, region.lon, region.radius_m
        elif isinstance(region, Area):
            shape[nth] = region.shape
    space = np.stack(in_space(lat, lon), axis=1)
    corners, owner = _around(shape, lat, lon, space, reach)
    names = tuple(name for name, _ in regions)
    groups: dict[str, int] = {}
    group = np.array(
        [groups.setdefault(name.partition("/")[0], len(groups)) for name in names], dtype=np.int64
    )
    return Fences(names, group, lat, lon, space, reach, shape, corners, owner)


def _around(
    shape: Shapes, lat: Floats, lon: Floats, space: Floats, reach: Floats
) -> tuple[Floats, Ints]:
    """Set middle and reach of the areas from their corners in space, where there is neither pole nor 180th meridian."""
    areas = np.nonzero(~shapely.is_missing(shape))[0]
    corners, nth = shapely.get_coordinates(shape[areas], return_index=True)
    if not len(areas):
        return corners, nth.astype(np.int64)
    at = np.stack(in_space(corners[:, 1], corners[:, 0]), axis=1)
    count = np.bincount(nth, minlength=len(areas))[:, None]
    middle = (
        np.stack([np.bincount(nth, at[:, axis], len(areas)) for axis in range(3)], axis=1) / count
    )
    lon[areas] = np.degrees(np.arctan2(middle[:, 1], middle[:, 0]))
    level = np.hypot(middle[:, 0], middle[:, 1]) * (
        CURVATURE_MIN_M / 6378137.0
    )  # from geocentric to geodetic, near enough
    lat[areas] = np.degrees(np.arctan2(middle[:, 2], level))
    space[areas] = np.stack(in_space(lat[areas], lon[areas]), axis=1)
    away = np.sqrt(np.sum((at - space[areas][nth]) ** 2, axis=1))
    np.maximum.at(reach, areas[nth], away)
    return corners, areas[nth]


def canonical_duplicates(fences: Fences) -> Ints:
    """(n,) for each fence the first one that is surely the same region.

    An equal area, or a circle in the same half metre.
    """
    first = np.arange(len(fences.names))
    round_ = np.nonzero(fences.round)[0]
    cube = np.floor(fences.space[round_] / _SAME_M).astype(np.int64)
    size = np.floor(
        np.log(np.maximum(fences.reach_m[round_], 1e-3)) / np.log1p(_SAME_SHARE)
    ).astype(np.int64)
    _, lead, nth = np.unique(
        np.column_stack([cube, size]), axis=0, return_index=True, return_inverse=True
    )
    first[round_] = round_[lead][nth.reshape(-1)]
    areas = np.nonzero(~fences.round)[0]
    seen: dict[bytes, int] = {}
    for at, written in zip(
        areas.tolist(), shapely.to_wkb(shapely.normalize(fences.shape[areas])).tolist(), strict=True
    ):
        first[at] = seen.setdefault(written, at)
    return first


class Boxes:
    """A tree of the boxes of fences, each grown by some metres.

    Those over the 180th meridian stand on both sides of it.
    """

    def __init__(self, fences: Fences, which: Ints, grown_m: float = 0.0) -> None:
        box = boxes_of(fences, which, grown_m)
        self._owner = np.concatenate([which, *(which[over] for over in _over(box))])
        west, east = _over(box)
        shifted = [box, box[west] + [360.0, 0.0, 360.0, 0.0], box[east] - [360.0, 0.0, 360.0, 0.0]]
        self._tree = shapely.STRtree(shapely.box(*np.concatenate(shifted).T))

    def met(self, geometries: Shapes, owner: Ints) -> tuple[Ints, Ints]:
        """Pairs of an owner of the geometries and a fence whose box meets them.

        A pair may come twice at the meridian.
        """
        row, found = self._tree.query(geometries)
        return owner[row], self._owner[found]


def boxes_of(fences: Fences, which: Ints, grown_m: float = 0.0) -> Floats:
    """(n, 4) west, south, east, north in degrees; may run past 180."""
    per_lat, _ = metres_per_degree(fences.lat[which])
    high = (fences.reach_m[which] + grown_m) / np.minimum(per_lat, 110_574.0)
    edge = np.minimum(np.abs(fences.lat[which]) + high, 90.0)
    _, per_lon = metres_per_degree(edge)
    wide = np.minimum((fences.reach_m[which] + grown_m) / np.maximum(per_lon, 1e-3), 180.0)
    lat, lon = fences.lat[which], fences.lon[which]
    return np.stack([lon - wide, lat - high, lon + wide, lat + high], axis=1)


def _over(box: Floats) -> tuple[Ints, Ints]:
    return np.nonzero(box[:, 0] < -180.0)[0], np.nonzero(box[:, 2] > 180.0)[0]


def local_density(fences: Fences, which: Ints, side_m: Floats | float) -> Ints:
    """(m,) how many of the fences `which` share a square of `side_m` (of each, or of all) with each of them: an estimate."""
    level = np.ceil(
        np.log2(np.broadcast_to(np.asarray(side_m, dtype=np.float64), len(which)))
    ).astype(np.int64)
    counts = np.ones(len(which), dtype=np.int64)
    _, per_lon = metres_per_degree(np.round(fences.lat[which]))
    for one in np.unique(level).tolist():
        side = 2.0**one
        row = np.floor(fences.lat[which] * 111_000.0 / side).astype(np.int64)
        column = np.floor(fences.lon[which] * per_lon / side).astype(np.int64)
        _, nth, count = np.unique(
            row * 40_000_000 + column, return_inverse=True, return_counts=True
        )
        here = level == one
        counts[here] = count[nth.reshape(-1)[here]]
    return counts


def by_density(which: Ints, dense: Ints, enough: Callable[[], bool]) -> Iterator[Ints]:
    """Chunks of `which` whose expected pairs fit in memory, from the loneliest to the densest, until it is enough."""
    order = np.argsort(dense, kind="stable")
    cost = np.cumsum(dense[order] * 4 + 8)
    most = _CHUNK_MOST // int(dense.max(initial=1))  # one beside a dense place may see all of it
    start = 0
    while start < len(order) and not enough():
        end = int(
            np.searchsorted(cost, (cost[start - 1] if start else 0) + _CHUNK_PAIRS, side="right")
        )
        end = max(min(end, start + most), start + 1)
        yield which[order[start:end]]
        start = end
