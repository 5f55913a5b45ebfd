"""Regions as rows of a raster over the map, for `regions.index.raster`.

Every point of a region lies in one of its spans.

Row 0 begins at latitude -90, column 0 at longitude -180; columns run on past both ends of the map
(-1 is the last one). Nothing depends on how circles look on the map: what a row of a circle needs
follows from its chord through the earth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from regions.geometry.ellipsoid import AXIS_M, CURVATURE_MIN_M, E2, Floats

Rows = NDArray[np.int64]

PER_DEGREE = 256
ROWS, COLUMNS = 180 * PER_DEGREE, 360 * PER_DEGREE

_SLACK = 1e-7  # degrees around everything, far beyond what rounding does
_CHUNK = 200_000  # rows computed at once
# of rows, by the border of one part: a comb of 2,400 teeth across a continent has 70 million
_CROSSINGS = 500_000


@dataclass(frozen=True, slots=True)
class Spans:
    """(m,) each: a row, its first and its last column."""

    row: Rows
    first: Rows
    last: Rows


def circle_spans(lat: Floats, lon: Floats, radius_m: Floats) -> Iterator[Spans]:
    """Spans that hold (n,) circles, some hundred thousand at a time."""
    tall = np.degrees(radius_m / CURVATURE_MIN_M) + _SLACK
    low, high = _row(np.maximum(lat - tall, -90.0)), _row(np.minimum(lat + tall, 90.0))
    for at, end in chunks(np.cumsum(high - low + 1), _CHUNK):
        part = slice(at, end)
        yield _circles(lat[part], lon[part], radius_m[part], low[part], high[part] - low[part] + 1)


def _circles(lat: Floats, lon: Floats, radius_m: Floats, low: Rows, count: Rows) -> Spans:
    """With p the distance from the earth's axis and z the height over the equator, a point dlon away has

        chord^2 = d^2 + 4 p p0 sin^2(dlon / 2),   d^2 = (p - p0)^2 + (z - z0)^2

    and no chord is longer than the way along the surface. In a row, d is least at the latitude next to the centre's and
    p is least at the row's edge away from the equator: together they bound dlon.
    """
    owner = np.repeat(np.arange(len(lat)), count)
    row = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count - low, count)
    bottom = row / PER_DEGREE - 90.0
    p, z = _from_axis(np.clip(lat[owner], bottom - _SLACK, bottom + 1.0 / PER_DEGREE + _SLACK))
    least, _ = _from_axis(
        np.minimum(np.maximum(np.abs(bottom), np.abs(bottom + 1.0 / PER_DEGREE)) + _SLACK, 90.0)
    )
    p0, z0 = (values[owner] for values in _from_axis(lat))
    left = (radius_m[owner] + 1.0) ** 2 - (p - p0) ** 2 - (z - z0) ** 2
    share = np.clip(left / np.maximum(4.0 * least * p0, 1e-6), 0.0, 1.0)
    wide = np.where(share < 1.0, np.degrees(2.0 * np.arcsin(np.sqrt(share))) + _SLACK, 180.0)
    some = left >= 0.0
    return _spans(row[some], (lon[owner] - wide)[some], (lon[owner] + wide)[some])


def _from_axis(lat: Floats) -> tuple[Floats, Floats]:
    phi = np.radians(lat)
    sin = np.sin(phi)
    prime = AXIS_M / np.sqrt(1 - E2 * sin * sin)
    return prime * np.cos(phi), prime * (1 - E2) * sin


def area_spans(shapes: Sequence[Polygon | MultiPolygon]) -> Iterator[Spans]:
    """Spans that hold areas.

    In each row of each part, from the westernmost to the easternmost point of its border there.

    A part whose border crosses rows beyond all measure has its box.
    """
    for start in range(0, len(shapes), 1_000):
        whole = shapely.get_parts(np.asarray(shapes[start : start + 1_000], dtype=object))
        xy, part = shapely.get_coordinates(shapely.get_exterior_ring(whole), return_index=True)
        edge = np.nonzero(part[1:] == part[:-1])[0]
        yield from _polygons(xy[edge], xy[edge + 1], part[edge], shapely.bounds(whole))


def _polygons(start: Floats, stop: Floats, part: Rows, bounds: Floats) -> Iterator[Spans]:
    """`start`, `stop` (m, 2): edges of the parts. `bounds` (parts, 4)."""
    low, high = _row(bounds[:, 1] - _SLACK), _row(bounds[:, 3] + _SLACK)
    count = high - low + 1
    offset = np.cumsum(count) - count - low
    owner = np.repeat(np.arange(len(count)), count)
    bottom, top = np.minimum(start[:, 1], stop[:, 1]), np.maximum(start[:, 1], stop[:, 1])
    first = _row(bottom - _SLACK)
    rows = _row(top + _SLACK) - first + 1
    jagged = np.bincount(part, rows, minlength=len(count)) > _CROSSINGS
    rows[jagged[part]] = 0
    west, east = (
        np.where(jagged[owner], bounds[owner, side], none)
        for side, none in ((0, np.inf), (2, -np.inf))
    )
    for at, end in chunks(np.cumsum(rows), _CHUNK):
        edge = np.repeat(np.arange(at, end), rows[at:end])
        row = np.arange(len(edge)) - np.repeat(
            np.cumsum(rows[at:end]) - rows[at:end] - first[at:end], rows[at:end]
        )
        for x in _crossed(start[edge], stop[edge], row):
            np.minimum.at(west, offset[part[edge]] + row, x)
            np.maximum.at(east, offset[part[edge]] + row, x)
    row = np.arange(len(owner)) - np.repeat(offset, count)
    whole = ((row == 0) & (bounds[owner, 1] <= -90.0)) | (
        (row == ROWS - 1) & (bounds[owner, 3] >= 90.0)
    )  # a pole is one point
    some = whole | (west <= east)
    yield _spans(
        row[some],
        np.where(whole, -180.0, west)[some] - _SLACK,
        np.where(whole, 180.0, east)[some] + _SLACK,
    )


def _crossed(start: Floats, stop: Floats, row: Rows) -> tuple[Floats, Floats]:
    """Longitudes of an edge where it enters and leaves a row that is wider by the slack."""
    rise = stop[:, 1] - start[:, 1]
    flat = np.abs(rise) <= _SLACK
    rise = np.where(flat, 1.0, rise)
    found = []
    for side in (0.0, 1.0):
        limit = (row + side) / PER_DEGREE - 90.0 + (2.0 * side - 1.0) * _SLACK
        share = np.clip((limit - start[:, 1]) / rise, 0.0, 1.0)
        share = np.where(flat, side, share)
        found.append(start[:, 0] + (stop[:, 0] - start[:, 0]) * share)
    return found[0], found[1]


def chunks(ends: Rows, size: int) -> Iterator[tuple[int, int]]:
    """Runs of items whose counts, given as a running sum, add up to about `size`."""
    at = 0
    while at < len(ends):
        end = max(
            at + 1, int(np.searchsorted(ends, (ends[at - 1] if at else 0) + size, side="right"))
        )
        yield at, end
        at = end


def _spans(row: Rows, west: Floats, east: Floats) -> Spans:
    """Never more than once around."""
    first = np.floor((west + 180.0) * PER_DEGREE).astype(np.int64)
    last = np.floor((east + 180.0) * PER_DEGREE).astype(np.int64)
    return Spans(row, first, np.minimum(last, first + COLUMNS - 1))


def _row(lat: Floats) -> Rows:
    return np.clip(np.floor((lat + 90.0) * PER_DEGREE), 0, ROWS - 1).astype(np.int64)
