"""A region as H3 cells of one resolution that together contain it.

Circles: the disk of k rings around the centre's cell contains every point within `disk_reach_m`;
cells whose centre is further than their reach from the circle are dropped. Areas: the border is
sampled so densely that the cells of the samples and their neighbours contain all of it; a cell that
the border does not enter is wholly inside or wholly outside, as its centre is, so the inside is
filled from there. Nothing depends on how cells' edges and polygons' edges bend, on poles or on the
180th meridian. Bounds are for logical cells (`regions.index.cells`), so parents of fine cells may
be looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from shapely import MultiPolygon, Polygon

from regions.geometry.boundary import Border, area_m2, covers
from regions.geometry.chord import arc_m, doubt_m
from regions.geometry.ellipsoid import Floats, in_space
from regions.index.cells import (
    FINEST,
    REACH_M,
    Cells,
    Rows,
    cells_at,
    centres,
    check_positions,
    disk,
    disk_reach_m,
    disks,
    mean_area_m2,
    mean_edge_m,
)
from regions.region import Area, Region, RegionError

CELLS = 20_000
_PREFERRED = 40  # cells of an area
_CHUNK = 4_000  # circles covered at once

# Rings of a circle's disk, by size. A disk's cost is per fence, and small fences are many: few
# rings, 3 to 6 cells remain. What a false candidate costs is per square kilometre, and large fences
# have those: more rings of finer cells.
_SMALL_M, _MIDDLE_M = disk_reach_m(2, 9), 2_000.0
_RINGS = (2, 4, 6)
_REACH = np.array(
    [[disk_reach_m(k, res) for res in range(FINEST + 1)] for k in range(1, max(_RINGS) + 1)]
)
LARGEST_M = float(_REACH[-1, 0])


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells of one resolution, each once, unsorted."""

    resolution: int
    cells: Cells


@dataclass(frozen=True, slots=True)
class Pairs:
    """(m,) each: a cell and the row of the region it covers. Each pair occurs once."""

    cell: Cells
    row: Rows


def cover(region: Region) -> Cover:
    """The cover of one region.

    Raises `RegionError` for positions off the earth and for more than 20,000 cells.
    """
    if isinstance(region, Area):
        return cover_area(region, Border(region.shape))
    lat, lon, radius_m = (np.array([value]) for value in (region.lat, region.lon, region.radius_m))
    return Cover(int(_planned(radius_m)[0][0]), next(circle_pairs(lat, lon, radius_m)).cell)


def circle_pairs(lat: Floats, lon: Floats, radius_m: Floats) -> Iterator[Pairs]:
    """The covers of (n,) circles, some thousands at a time.

    Raises `RegionError` as `check_circles` does.
    """
    check_circles(lat, lon, radius_m)
    for start in range(0, len(lat), _CHUNK):
        part = slice(start, start + _CHUNK)
        resolution, rings = _planned(radius_m[part])
        plan = resolution * 16 + rings
        for each in np.unique(plan).tolist():
            row = start + np.nonzero(plan == each)[0]
            yield _pairs_of(lat[row], lon[row], radius_m[row], row, each >> 4, each & 15)


def check_circles(lat: Floats, lon: Floats, radius_m: Floats) -> None:
    """Raise `RegionError` for positions off the earth and radii outside 0 to `LARGEST_M`.

    A radius of 0 is refused, too.
    """
    check_positions(lat, lon)
    if not ((radius_m > 0.0) & (radius_m <= LARGEST_M)).all():
        raise RegionError(
            "invalid_radius", f"the radius must be above 0 and at most {LARGEST_M:,.0f} metres"
        )


def disk_sizes(radius_m: Floats) -> Rows:
    """(n,) cells that have to be looked at for each circle: what its cover costs."""
    rings = _planned(radius_m)[1]
    return 3 * rings * (rings + 1) + 1


def _planned(radius_m: Floats) -> tuple[Rows, Rows]:
    """For each circle the finest resolution at which its disk contains it, and the fewest rings."""
    most = np.select([radius_m <= _SMALL_M, radius_m <= _MIDDLE_M], _RINGS[:2], _RINGS[2])
    resolution = np.zeros(len(radius_m), dtype=np.int64)
    for rings in _RINGS:
        mine = most == rings
        resolution[mine] = FINEST - np.searchsorted(_REACH[rings - 1, ::-1], radius_m[mine])
    return resolution, 1 + np.count_nonzero(radius_m > _REACH[:, resolution], axis=0)


def _pairs_of(
    lat: Floats, lon: Floats, radius_m: Floats, row: Rows, resolution: int, rings: int
) -> Pairs:
    """Drop cells whose centre is further from the circle than cells reach."""
    cells, owner = disks(cells_at(lat, lon, resolution), rings)
    here, there = in_space(*centres(cells)), in_space(lat, lon)
    chord = np.sqrt(sum((a - b[owner]) ** 2 for a, b in zip(here, there, strict=True)))
    near = arc_m(chord) - (REACH_M[resolution] + doubt_m(chord)) <= radius_m[owner]
    return Pairs(cells[near], row[owner[near]])


def covered_area(area: Area, row: int) -> tuple[tuple[float, float, float], Pairs]:
    """A ball around an area (latitude, longitude, metres) and its cover.

    Raises `RegionError` for more than 20,000 cells.
    """
    border = Border(area.shape)
    cells = cover_area(area, border).cells
    return border.ball(), Pairs(cells, np.full(len(cells), row))


def cover_area(area: Area, border: Border) -> Cover:
    """The cover of an area whose border is prepared already."""
    size = area_m2(area.shape)
    preferred = (
        res
        for res in range(FINEST, 0, -1)
        if size / mean_area_m2(res) + border.perimeter_m / (1.5 * mean_edge_m(res)) <= _PREFERRED
    )
    for resolution in range(next(preferred, 0), -1, -1):
        found = _cover_area(border, resolution)
        if found:
            return found
    raise RegionError(
        "cover_too_large", f"the area needs more than {CELLS:,} cells, which is the limit", ""
    )


def _cover_area(border: Border, resolution: int) -> Cover | None:
    """None when it takes more than the limit."""
    on_border = np.unique(cells_at(*border.samples(disk_reach_m(1, resolution)), resolution))
    if len(on_border) > CELLS:
        return None
    seen = set(chain.from_iterable(disk(cell, 1) for cell in on_border.tolist()))
    cells = np.fromiter(seen, np.uint64, len(seen))
    lat, lon = centres(cells)
    edge_m, reach_m = border.edge_m(lat, lon), REACH_M[resolution] * 1.001 + 1.0
    rim = cells[np.abs(edge_m) <= reach_m]
    inner = _filled(border.shape, cells[edge_m < -reach_m], rim, seen)
    cells = np.concatenate([inner, rim])
    return Cover(resolution, cells) if len(cells) <= CELLS else None


def _filled(shape: Polygon | MultiPolygon, first: Cells, rim: Cells, seen: set[int]) -> Cells:
    """Grow from the cells wholly inside beside the border to all cells that it never enters.

    Stops past the limit.
    """
    found: list[int] = first.tolist()
    edge = found + rim.tolist()
    while edge and len(found) <= CELLS:
        fresh = list(set(chain.from_iterable(disk(cell, 1) for cell in edge)) - seen)
        seen.update(fresh)
        lat, lon = centres(np.array(fresh, dtype=np.uint64))
        inside = covers(shape, lat, lon)
        edge = [cell for cell, is_in in zip(fresh, inside.tolist(), strict=True) if is_in]
        found += edge
    return np.array(found, dtype=np.uint64)
