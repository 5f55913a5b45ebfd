"""A map of fences in columns, and which of them lie near each other, at a bounded cost.

Dense places cannot drive the cost up without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.geometry.ellipsoid import CURVATURE_MIN_M, Floats, in_space, metres_per_degree
from regions.region import Circle, Region

Ints = NDArray[np.int64]
Shapes = NDArray[Any]  # of shapely geometries; None where the fence is a circle

_SAME_M = 0.5  # side of a cube whose points on the ground are surely within a metre of each other
_SAME_SHARE = 0.01
_CHUNK_PAIRS = 400_000
_CHUNK_MOST = 2_000_000


@dataclass(frozen=True, slots=True)
class Fences:
    """(n,) columns: name, group, middle in degrees, and metres from it to the furthest point.

    `<store>/<ring>` belongs to the group of its store. `space` is (n, 3), the middles as
    earth-centred metres. `corner_of` has the fence of each of the `corners` (m, 2, lon/lat) of the
    areas.
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

    def distance_m(self, one: Ints, other: Ints) -> Floats:
        """Straight distances between middles; a millimetre short at 10 km."""
        return np.asarray(np.sqrt(np.sum((self.space[one] - self.space[other]) ** 2, axis=-1)))


def fences_of(regions: Sequence[tuple[str, Region]]) -> Fences:
    """The columns of named regions, in their order."""
    lat, lon, reach, shape = _columns([region for _, region in regions])
    areas = np.nonzero(~shapely.is_missing(shape))[0]
    corners, of = shapely.get_coordinates(shape[areas], return_index=True)
    at = np.stack(in_space(corners[:, 1], corners[:, 0]), axis=1)
    lat[areas], lon[areas] = _middles(at, of, len(areas))
    space = np.stack(in_space(lat, lon), axis=1)
    owner = areas[of]
    np.maximum.at(reach, owner, np.sqrt(np.sum((at - space[owner]) ** 2, axis=1)))
    names = tuple(name for name, _ in regions)
    return Fences(names, _groups(names), lat, lon, space, reach, shape, corners, owner)


def _columns(regions: Sequence[Region]) -> tuple[Floats, Floats, Floats, Shapes]:
    """Latitude, longitude and reach of the circles, and the shapes of the areas."""
    lat, lon, reach = np.zeros((3, len(regions)))
    shape = np.full(len(regions), None, dtype=object)
    for nth, region in enumerate(regions):
        if isinstance(region, Circle):
            lat[nth], lon[nth], reach[nth] = region.lat, region.lon, region.radius_m
        else:
            shape[nth] = region.shape
    return lat, lon, reach, shape


def _groups(names: tuple[str, ...]) -> Ints:
    """(n,) number of the store of each name, in the order met."""
    groups: dict[str, int] = {}
    stores = (name.partition("/")[0] for name in names)
    return np.array([groups.setdefault(store, len(groups)) for store in stores], dtype=np.int64)


def _middles(at: Floats, of: Ints, count: int) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the mean corner of each of `count` areas.

    The mean is taken in space, where there is neither pole nor 180th meridian. `at` (m, 3) are the
    corners, `of` (m,) the areas that they belong to.
    """
    corners = np.bincount(of, minlength=count)
    x, y, z = (np.bincount(of, at[:, axis], count) / corners for axis in range(3))
    level = np.hypot(x, y) * (CURVATURE_MIN_M / 6378137.0)  # geocentric to geodetic, near enough
    return np.degrees(np.arctan2(z, level)), np.degrees(np.arctan2(y, x))


def canonical_duplicates(fences: Fences) -> Ints:
    """(n,) for each fence the first one that is surely the same region.

    An equal area, or a circle in the same half metre.
    """
    first = np.arange(len(fences.names))
    circles = np.nonzero(fences.round)[0]
    cube = np.floor(fences.space[circles] / _SAME_M)
    size = np.log(np.maximum(fences.reach_m[circles], 1e-3)) / np.log1p(_SAME_SHARE)
    key = np.column_stack([cube, np.floor(size)]).astype(np.int64)
    _, lead, nth = np.unique(key, axis=0, return_index=True, return_inverse=True)
    first[circles] = circles[lead][nth.reshape(-1)]
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
    """(m,) estimates of how many of the fences `which` share a square with each of them.

    `side_m` is the side of the square: of each fence, or of all.
    """
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
    """Chunks of `which` whose expected pairs fit in memory, until `enough`.

    The loneliest fences come first, the densest last.
    """
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
