"""H3 cells: the only place that computes them, and what is proven about their size.

A *logical* cell is everything below it in the hierarchy: the parent of a point's fine cell is not always the cell that
holds the point, because children stick out of their parent. All bounds here are for logical cells.

In the plane of an icosahedron's face, H3 (h3 4.5, `faceijk.c`) lays centres `RES0_U_GNOMONIC / sqrt(7)^res` apart, on a
sphere of radius 1. The gnomonic projection never shrinks: lengths on the sphere are at most those in the plane, and at
least cos^2(37.38 degrees) of them, the distance of a face's corner from its middle. One radian is between
CURVATURE_MIN_M and CURVATURE_MAX_M metres. Descendants' centres lie within the sum of the finer spacings, 0.608 of this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import repeat

import h3
import h3.api.basic_int as h3_int
import numpy as np
from numpy.typing import NDArray

from regions.ellipsoid import CURVATURE_MAX_M, CURVATURE_MIN_M, Floats
from regions.region import RegionError

Cells = NDArray[np.uint64]

FINEST = 12
_SQRT7 = math.sqrt(7)
_SPACING = [0.38196601125010500003 / _SQRT7**res for res in range(16)]
_SHRINK = math.cos(math.radians(37.3774)) ** 2 * 0.99  # one per cent in hand
_BELOW = 1 / (_SQRT7 - 1)  # how far logical cells reach from their centre, in spacings
_EDGE = 1 / math.sqrt(3)  # two cells that do not touch are this far apart, in spacings
_OUTCROP = _BELOW - 0.5  # how far a logical cell sticks out of its hexagon, at most

REACH_M = [1.01 * CURVATURE_MAX_M * _BELOW * s for s in _SPACING]
"""By resolution: no point of a logical cell is further than this from the cell's centre."""


def disk_reach_m(k: int, resolution: int) -> float:
    """Every point within this distance of any point of a cell lies in a logical cell at most `k` steps from it.

    A way out of k rings crosses each of them, and that takes at least an edge's length per ring.
    """
    return (k * _EDGE - _OUTCROP) * _SPACING[resolution] * _SHRINK * CURVATURE_MIN_M


def cell_of(lat: float, lon: float, resolution: int) -> str:
    """H3 index, in hexadecimal, of the cell that holds a position. Raises `RegionError` for positions off the earth."""
    check_positions(np.array([lat]), np.array([lon]))
    return str(h3.latlng_to_cell(lat, lon, resolution))


def cell_one(lat: float, lon: float, resolution: int) -> int:
    """`cell_of` as an integer."""
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise _off_earth()
    return int(h3_int.latlng_to_cell(lat, lon, resolution))


def cells_at(lat: Floats, lon: Floats, resolution: int) -> Cells:
    """(n,) cells that hold the positions. Raises `RegionError` for positions off the earth: h3 itself takes them."""
    check_positions(lat, lon)
    return np.fromiter(map(h3_int.latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution)), np.uint64, len(lat))


def check_positions(lat: Floats, lon: Floats) -> None:
    """Raise `RegionError` unless all latitudes are within 90 and all longitudes within 180 degrees."""
    if not ((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0)).all():
        raise _off_earth()


def _off_earth() -> RegionError:
    return RegionError("invalid_position", "latitude must be within 90 degrees and longitude within 180")


def parents(cells: Cells, resolution: int) -> Cells:
    """(n,) ancestors at a coarser (or the same) resolution: set its four bits, and all digits below it."""
    keep = np.uint64(~(0xF << 52) & 0xFFFF_FFFF_FFFF_FFFF)
    return (cells & keep) | np.uint64((resolution << 52) | ((1 << 3 * (15 - resolution)) - 1))


def parent_one(cell: int, resolution: int) -> int:
    """`parents` for one cell."""
    return (cell & ~(0xF << 52)) | (resolution << 52) | ((1 << 3 * (15 - resolution)) - 1)


def disk(cell: int, k: int) -> list[int]:
    """The cells at most `k` steps from a cell, pentagons included."""
    found: list[int] = h3_int.grid_disk(cell, k)
    return found


def centres(cells: Iterable[int]) -> tuple[Floats, Floats]:
    """Latitudes and longitudes of the cells' centres."""
    found = np.array([h3_int.cell_to_latlng(cell) for cell in cells], dtype=np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def mean_area_m2(resolution: int) -> float:
    """Mean area of a cell."""
    return float(h3_int.average_hexagon_area(resolution, unit="m^2"))


def mean_edge_m(resolution: int) -> float:
    """Mean length of a cell's edge."""
    return float(h3_int.average_hexagon_edge_length(resolution, unit="m"))
