"""Regions as an index stores them: a ball around each, and its cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import shapely

from regions.geometry.ellipsoid import Floats
from regions.index.cells import Cells, Rows
from regions.index.cover import Pairs, check_circles, circle_pairs, covered_area, disk_sizes
from regions.index.parallel_cover import AREAS, CIRCLES, processes, run_parts
from regions.region import Area, Circle, Region

Ball = tuple[float, float, float]
"""Latitude, longitude, metres."""


@dataclass(frozen=True, slots=True)
class CoveredRegions:
    """(n,) regions: balls around them (a circle is its own ball), areas by row, covers by row."""

    lat: Floats
    lon: Floats
    radius_m: Floats
    areas: dict[int, Area]
    pairs: Iterator[Pairs]


def cover_circles(lat: Floats, lon: Floats, radius_m: Floats) -> CoveredRegions:
    """(n,) circles, without an object for each. Raises `RegionError` as `circle_pairs` does."""
    return CoveredRegions(lat, lon, radius_m, {}, _circles(lat, lon, radius_m, np.arange(len(lat))))


def cover_regions(regions: Sequence[Region]) -> CoveredRegions:
    """Regions of both kinds. The border of an area is held only while its cover is found."""
    areas = {row: region for row, region in enumerate(regions) if isinstance(region, Area)}
    found = _areas(areas)
    balls = np.empty((len(regions), 3))
    for row, region in enumerate(regions):
        if isinstance(region, Circle):
            balls[row] = region.lat, region.lon, region.radius_m
    for row, (ball, _) in zip(areas, found, strict=True):
        balls[row] = ball
    lat, lon, radius_m = balls.T.copy()
    circles = np.array([row for row in range(len(regions)) if row not in areas], dtype=np.int64)
    of_circles = _circles(lat[circles], lon[circles], radius_m[circles], circles)
    pairs = chain((of_area for _, of_area in found), of_circles)
    return CoveredRegions(lat, lon, radius_m, areas, pairs)


def _circles(lat: Floats, lon: Floats, radius_m: Floats, row: Rows) -> Iterator[Pairs]:
    check_circles(lat, lon, radius_m)
    count = processes(len(lat), CIRCLES)
    if count == 1:
        return (Pairs(each.cell, row[each.row]) for each in circle_pairs(lat, lon, radius_m))
    cells = np.cumsum(disk_sizes(radius_m))
    ends = [*np.searchsorted(cells, cells[-1] * np.arange(1, count) / count).tolist(), len(lat)]
    parts = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    found = run_parts("circles", [[lat[part], lon[part], radius_m[part]] for part in parts])
    return (Pairs(cell, row[part][owner]) for part, (cell, owner) in zip(parts, found, strict=True))


def _areas(areas: dict[int, Area]) -> list[tuple[Ball, Pairs]]:
    """A ball around each area and its cover, in the order of the rows."""
    count = processes(len(areas), AREAS)
    if count == 1:
        return [covered_area(area, row) for row, area in areas.items()]
    rows = np.array(list(areas), dtype=np.int64)
    # Neighbours in a list are of like size, so each process takes every count-th area.
    shares = [slice(first, None, count) for first in range(count)]
    shapes = [shapely.to_wkb(area.shape) for area in areas.values()]
    found: dict[int, tuple[Ball, Pairs]] = {}
    answers = run_parts("areas", [_packed(shapes[share]) for share in shares])
    for share, answer in zip(shares, answers, strict=True):
        found.update(_by_row(rows[share].tolist(), *answer))
    return [found[row] for row in areas]


def _by_row(
    rows: list[int], cell: Cells, owner: Rows, balls: Floats
) -> Iterator[tuple[int, tuple[Ball, Pairs]]]:
    """What one process answered for some areas; `owner` counts them from 0, in order."""
    bounds = np.searchsorted(owner, np.arange(len(balls) + 1)).tolist()
    for nth, (row, (lat, lon, radius_m)) in enumerate(zip(rows, balls.tolist(), strict=True)):
        cells = cell[bounds[nth] : bounds[nth + 1]]
        yield row, ((lat, lon, radius_m), Pairs(cells, np.full(len(cells), row)))


def _packed(shapes: list[bytes]) -> list[Rows]:
    """Well-known bytes one after the other, and where each ends."""
    return [
        np.frombuffer(b"".join(shapes), dtype=np.uint8),
        np.cumsum([len(one) for one in shapes]),
    ]
