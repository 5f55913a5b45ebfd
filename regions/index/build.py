"""Regions as an index takes them: where each is, and its cover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import shapely

from regions.geometry.ellipsoid import Floats
from regions.index.cells import Rows
from regions.index.cover import Pairs, check_circles, circle_pairs, covered_area, disk_sizes
from regions.index.parallel_cover import AREAS, CIRCLES, processes, worked
from regions.region import Area, Region


@dataclass(frozen=True, slots=True)
class Built:
    """Balls around (n,) regions (for circles the circle itself), areas by row, covers by row."""

    lat: Floats
    lon: Floats
    radius_m: Floats
    areas: dict[int, Area]
    pairs: Iterator[Pairs]


def taken_circles(lat: Floats, lon: Floats, radius_m: Floats) -> Built:
    """(n,) circles, without an object for each. Raises `RegionError` as `circle_pairs` does."""
    return Built(lat, lon, radius_m, {}, _circles(lat, lon, radius_m, np.arange(len(lat))))


def taken(regions: Sequence[Region]) -> Built:
    """Regions of both kinds. The border of an area is held only while its cover is found."""
    areas = {row: region for row, region in enumerate(regions) if isinstance(region, Area)}
    balls = np.array(
        [
            (0.0, 0.0, 0.0) if isinstance(one, Area) else (one.lat, one.lon, one.radius_m)
            for one in regions
        ],
        dtype=np.float64,
    )
    lat, lon, radius_m = balls.reshape(-1, 3).T.copy()
    found = _areas(areas)
    for row, (ball, _) in zip(areas, found, strict=True):
        lat[row], lon[row], radius_m[row] = ball
    round_ = np.array([row for row in range(len(regions)) if row not in areas], dtype=np.int64)
    circles = _circles(lat[round_], lon[round_], radius_m[round_], round_)
    return Built(lat, lon, radius_m, areas, chain((pairs for _, pairs in found), circles))


def _circles(lat: Floats, lon: Floats, radius_m: Floats, row: Rows) -> Iterator[Pairs]:
    check_circles(lat, lon, radius_m)
    crew = processes(len(lat), CIRCLES)
    if crew == 1:
        return (
            Pairs(each.cell, row[each.row], each.inner) for each in circle_pairs(lat, lon, radius_m)
        )
    cells = np.cumsum(disk_sizes(radius_m))
    ends = [*np.searchsorted(cells, cells[-1] * np.arange(1, crew) / crew).tolist(), len(lat)]
    parts = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    found = worked("circles", [[lat[part], lon[part], radius_m[part]] for part in parts])
    return (
        Pairs(cell, row[part][of], inner)
        for part, (cell, of, inner) in zip(parts, found, strict=True)
    )


def _areas(areas: dict[int, Area]) -> list[tuple[tuple[float, float, float], Pairs]]:
    """For each its ball and its cover."""
    crew = processes(len(areas), AREAS)
    if crew == 1:
        return [covered_area(area, row) for row, area in areas.items()]
    rows = np.array(list(areas), dtype=np.int64)
    shapes = [shapely.to_wkb(area.shape) for area in areas.values()]
    mine = [
        slice(first, None, crew) for first in range(crew)
    ]  # neighbours in a list are alike: each gets every second, third ...
    parts = [
        [
            np.frombuffer(b"".join(shapes[some]), dtype=np.uint8),
            np.cumsum([len(one) for one in shapes[some]]),
        ]
        for some in mine
    ]
    found: dict[int, tuple[tuple[float, float, float], Pairs]] = {}
    for some, (cell, of, inner, balls) in zip(mine, worked("areas", parts), strict=True):
        cuts = np.searchsorted(of, np.arange(len(balls) + 1))
        for nth, row in enumerate(rows[some].tolist()):
            part = slice(cuts[nth], cuts[nth + 1])
            found[row] = (
                tuple(balls[nth]),
                Pairs(cell[part], np.full(cuts[nth + 1] - cuts[nth], row), inner[part]),
            )
    return [found[row] for row in areas]
