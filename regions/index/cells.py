"""H3 cells: the only place that computes them, and what is proven about their size.

A *logical* cell is everything below it in the hierarchy: the parent of a point's fine cell is not
always the cell that holds the point, because children stick out of their parent. All bounds here
are for logical cells.

In the plane of an icosahedron's face, H3 (h3 4.5, `faceijk.c`) lays centres `RES0_U_GNOMONIC /
sqrt(7)^res` apart, on a sphere of radius 1. The gnomonic projection never shrinks: lengths on the
sphere are at most those in the plane, and at least cos^2(37.38 degrees) of them, the distance of a
face's corner from its middle. One radian is between CURVATURE_MIN_M and CURVATURE_MAX_M metres.
Descendants' centres lie within the sum of the finer spacings, 0.608 of this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain, repeat

import h3
import h3.api.basic_int as h3_int
import h3.api.memview_int as h3_view
import numpy as np
from numpy.typing import NDArray

from regions.geometry.ellipsoid import CURVATURE_MAX_M, CURVATURE_MIN_M, Floats
from regions.region import RegionError

Cells = NDArray[np.uint64]
Rows = NDArray[np.int64]

FINEST = 12
_SQRT7 = math.sqrt(7)
_SPACING = [0.38196601125010500003 / _SQRT7**res for res in range(16)]
_SHRINK = math.cos(math.radians(37.3774)) ** 2 * 0.99  # one per cent in hand
_BELOW = 1 / (_SQRT7 - 1)  # how far logical cells reach from their centre, in spacings
_EDGE = 1 / math.sqrt(3)  # two cells that do not touch are this far apart, in spacings
_OUTCROP = _BELOW - 0.5  # how far a logical cell sticks out of its hexagon, at most

_NO_RESOLUTION = np.uint64(~(0xF << 52) & 0xFFFF_FFFF_FFFF_FFFF)

REACH_M = [1.01 * CURVATURE_MAX_M * _BELOW * s for s in _SPACING]
"""By resolution: no point of a logical cell is further than this from the cell's centre."""


def disk_reach_m(k: int, resolution: int) -> float:
    """Metres around any point of a cell that lie in logical cells at most `k` steps from it.

    A way out of k rings crosses each of them, and that takes at least an edge's length per ring.
    """
    return (k * _EDGE - _OUTCROP) * _SPACING[resolution] * _SHRINK * CURVATURE_MIN_M


def cell_of(lat: float, lon: float, resolution: int) -> str:
    """H3 index, in hexadecimal, of the cell that holds a position.

    Raises `RegionError` for positions off the earth.
    """
    check_positions(np.array([lat]), np.array([lon]))
    return str(h3.latlng_to_cell(lat, lon, resolution))


def cell_one(lat: float, lon: float, resolution: int) -> int:
    """`cell_of` as an integer."""
    check_position(lat, lon)
    return int(h3_int.latlng_to_cell(lat, lon, resolution))


def cells_at(lat: Floats, lon: Floats, resolution: int) -> Cells:
    """(n,) cells that hold the positions.

    Raises `RegionError` for positions off the earth: h3 itself takes them.
    """
    check_positions(lat, lon)
    return np.fromiter(
        map(h3_int.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution)),
        np.uint64,
        len(lat),
    )


def check_positions(lat: Floats, lon: Floats) -> None:
    """Raise `RegionError` unless latitudes are within 90 and longitudes within 180 degrees."""
    # a NaN is the least and the greatest of its array, and not within anything
    if len(lat) and not (
        lat.min() >= -90.0 and lat.max() <= 90.0 and lon.min() >= -180.0 and lon.max() <= 180.0
    ):
        raise _off_earth()


def check_position(lat: float, lon: float) -> None:
    """`check_positions` for one."""
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise _off_earth()


def _off_earth() -> RegionError:
    return RegionError(
        "invalid_position", "latitude must be within 90 degrees and longitude within 180"
    )


def parents(cells: Cells, resolution: int) -> Cells:
    """(n,) ancestors at a coarser (or the same) resolution.

    Set its four bits, and all digits below it.
    """
    return (cells & _NO_RESOLUTION) | np.uint64(_filled(resolution))


def ancestors(cells: Cells, fillings: Cells) -> Cells:
    """(r, n) ancestors at each of r resolutions, given by their `fillings`."""
    return np.asarray((cells & _NO_RESOLUTION) | fillings[:, None], dtype=np.uint64)


def fillings(resolutions: Iterable[int]) -> Cells:
    """(r,) bits that an ancestor at each resolution has set."""
    return np.array([_filled(resolution) for resolution in resolutions], dtype=np.uint64)


def ancestor_one(cell: int, filling: int) -> int:
    """`ancestors` for one cell and one filling."""
    return (cell & ~(0xF << 52)) | filling


def _filled(resolution: int) -> int:
    return (resolution << 52) | ((1 << 3 * (15 - resolution)) - 1)


def resolutions_of(cells: Cells) -> tuple[int, ...]:
    """Resolutions that occur among cells, coarsest first."""
    count = np.bincount((cells >> np.uint64(52) & np.uint64(0xF)).view(np.int64), minlength=16)
    return tuple(np.nonzero(count)[0].tolist())


def disk(cell: int, k: int) -> list[int]:
    """The cells at most `k` steps from a cell, pentagons included."""
    found: list[int] = h3_int.grid_disk(cell, k)
    return found


def disks(cells: Cells, k: int) -> tuple[Cells, Rows]:
    """The disks of many cells one after the other, and the row that each of their cells is of."""
    found = list(map(h3_view.grid_disk, cells.tolist(), repeat(k)))
    count = np.fromiter(map(len, found), np.int64, len(found))
    return np.frombuffer(b"".join(found), np.uint64), np.repeat(np.arange(len(found)), count)


def centres(cells: Cells) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the cells' centres."""
    pairs = chain.from_iterable(map(h3_int.cell_to_latlng, cells.tolist()))
    found = np.fromiter(pairs, np.float64, 2 * len(cells)).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def mean_area_m2(resolution: int) -> float:
    """Mean area of a cell."""
    return float(h3_int.average_hexagon_area(resolution, unit="m^2"))


def mean_edge_m(resolution: int) -> float:
    """Mean length of a cell's edge."""
    return float(h3_int.average_hexagon_edge_length(resolution, unit="m"))
