"""A region as H3 cells: *inner* ones lie wholly inside, *rim* ones may hold its border. Together they hold the region.

Circles: the disk of k rings around the centre's cell holds every point within `disk_reach_m`; cells whose centre is
further than their reach from the circle are dropped. Areas: the border is sampled so densely that the cells of the
samples and their neighbours hold all of it; a cell the border does not enter is wholly inside or wholly outside, as its
centre is, so the inside is filled from there. Nothing depends on how cells' edges and polygons' edges bend, on poles or
on the 180th meridian. Bounds are for logical cells (`regions.cells`), so parents of fine cells may be looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from regions.border import Border, area_m2, covers
from regions.cells import FINEST, REACH_M, Cells, cell_one, cells_at, centres, disk, disk_reach_m, mean_area_m2, mean_edge_m
from regions.chord import arc_m, doubt_m
from regions.ellipsoid import in_space
from regions.region import Area, Circle, Region, RegionError

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

CELLS = 20_000
_RINGS = 6  # of a circle's disk: about 7 to 35 cells remain
_WISHED = 40  # cells of an area
_CHUNK = 2_000  # circles covered at once


@dataclass(frozen=True, slots=True)
class Cover:
    """Cells of one resolution, each once, unsorted."""

    resolution: int
    inner: Cells
    rim: Cells


def cover(region: Region) -> Cover:
    """The cover of one region. Raises `RegionError` for positions off the earth and for more than 20,000 cells."""
    return _cover_circles([region])[0] if isinstance(region, Circle) else cover_area(region, Border(region.shape))


def covers_of(regions: Sequence[Region], borders: Sequence[Border | None]) -> Iterator[Cover]:
    """The covers of many regions, in order, each area with its border; circles are computed together."""
    for start in range(0, len(regions), _CHUNK):
        part = regions[start : start + _CHUNK]
        circles = iter(_cover_circles([region for region in part if isinstance(region, Circle)]))
        for region, border in zip(part, borders[start : start + _CHUNK], strict=True):
            yield next(circles) if isinstance(region, Circle) else cover_area(region, border or Border(region.shape))


def _cover_circles(circles: list[Circle]) -> list[Cover]:
    if not circles:
        return []
    resolutions = [_circle_resolution(circle.radius_m) for circle in circles]
    disks = [disk(cell_one(c.lat, c.lon, res), _rings(c.radius_m, res)) for c, res in zip(circles, resolutions, strict=True)]
    ends = np.cumsum([len(found) for found in disks])
    cells = np.fromiter(chain.from_iterable(disks), np.uint64, int(ends[-1]))
    owner = np.repeat(np.arange(len(circles)), np.diff(ends, prepend=0))
    inner, near = _judged(circles, np.array(resolutions), cells, owner)
    covers_found = []
    for nth, end in enumerate(ends):
        part = slice(end - len(disks[nth]), end)
        covers_found.append(Cover(resolutions[nth], cells[part][inner[part]], cells[part][near[part] & ~inner[part]]))
    return covers_found


def _judged(circles: list[Circle], resolutions: Rows, cells: Cells, owner: Rows) -> tuple[Mask, Mask]:
    """For each cell: wholly inside its circle; not surely outside."""
    here = in_space(*centres(cells.tolist()))
    there = in_space([c.lat for c in circles], [c.lon for c in circles])
    chord = np.sqrt(sum((a - b[owner]) ** 2 for a, b in zip(here, there, strict=True)))
    reach = np.array(REACH_M)[resolutions][owner] + doubt_m(chord)
    away, radius = arc_m(chord), np.array([c.radius_m for c in circles])[owner]
    return away + reach <= radius, away - reach <= radius


def _circle_resolution(radius_m: float) -> int:
    """The finest resolution at which the circle fits a disk of few rings."""
    return next((res for res in range(FINEST, 0, -1) if radius_m <= disk_reach_m(_RINGS, res)), 0)


def _rings(radius_m: float, resolution: int) -> int:
    return next(k for k in range(1, 100) if radius_m <= disk_reach_m(k, resolution))


def cover_area(area: Area, border: Border) -> Cover:
    """The cover of an area whose border is prepared already."""
    size = area_m2(area.shape)
    wished = (res for res in range(FINEST, 0, -1) if size / mean_area_m2(res) + border.perimeter_m / (1.5 * mean_edge_m(res)) <= _WISHED)
    for resolution in range(next(wished, 0), -1, -1):
        found = _cover_area(area, border, resolution)
        if found:
            return found
    raise RegionError("cover_too_large", f"the area needs more than {CELLS:,} cells, which is the limit", "")


def _cover_area(area: Area, border: Border, resolution: int) -> Cover | None:
    """None when it takes more than the limit."""
    on_border = np.unique(cells_at(*border.samples(disk_reach_m(1, resolution)), resolution))
    if len(on_border) > CELLS:
        return None
    seen = set(chain.from_iterable(disk(cell, 1) for cell in on_border.tolist()))
    cells = np.fromiter(seen, np.uint64, len(seen))
    lat, lon = centres(cells.tolist())
    edge_m, reach_m = border.edge_m(lat, lon), REACH_M[resolution] * 1.001 + 1.0
    rim = cells[np.abs(edge_m) <= reach_m]
    inner = _filled(area, cells[edge_m < -reach_m], rim, seen)
    return Cover(resolution, inner, rim) if len(inner) + len(rim) <= CELLS else None


def _filled(area: Area, first: Cells, rim: Cells, seen: set[int]) -> Cells:
    """Grow from the cells at the border to all cells the border never enters; stops past the limit."""
    found: list[int] = first.tolist()
    edge = found + rim.tolist()
    while edge and len(found) <= CELLS:
        fresh = list(set(chain.from_iterable(disk(cell, 1) for cell in edge)) - seen)
        seen.update(fresh)
        lat, lon = centres(fresh)
        inside = covers(area.shape, lat, lon)
        edge = [cell for cell, is_in in zip(fresh, inside.tolist(), strict=True) if is_in]
        found += edge
    return np.array(found, dtype=np.uint64)
