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
    """Spans of circles, each of which meets `count` rows from `low` on.

    With p the distance from the earth's axis and z the height over the equator, a point dlon away
    has

        chord^2 = d^2 + 4 p p0 sin^2(dlon / 2),   d^2 = (p - p0)^2 + (z - z0)^2

    and no chord is longer than the way along the surface. In a row, d is least at the latitude next
    to the centre's, and p is least at the row's edge away from the equator: together they bound
    dlon.
    """
    owner, row = _item_rows(low, count)
    half = 0.5 / PER_DEGREE + _SLACK
    level = (row + 0.5) / PER_DEGREE - 90.0
    p, z = _from_axis(np.clip(lat[owner], level - half, level + half))
    least = _from_axis(np.minimum(np.abs(level) + half, 90.0))[0]
    p0, z0 = (values[owner] for values in _from_axis(lat))
    left = (radius_m[owner] + 1.0) ** 2 - (p - p0) ** 2 - (z - z0) ** 2
    some = left >= 0.0
    wide = _half_width(left, 4.0 * least * p0)[some]
    middle = lon[owner[some]]
    return _spans(row[some], middle - wide, middle + wide)


def _half_width(left: Floats, scale: Floats) -> Floats:
    """Degrees of longitude on either side, from sin^2(dlon / 2) = left / scale; 180 at a pole."""
    share = np.clip(left / np.maximum(scale, 1e-6), 0.0, 1.0)
    return np.where(share < 1.0, np.degrees(2.0 * np.arcsin(np.sqrt(share))) + _SLACK, 180.0)


def _from_axis(lat: Floats) -> tuple[Floats, Floats]:
    phi = np.radians(lat)
    sin = np.sin(phi)
    prime = AXIS_M / np.sqrt(1 - E2 * sin * sin)
    return prime * np.cos(phi), prime * (1 - E2) * sin


def area_spans(shapes: Sequence[Polygon | MultiPolygon]) -> Iterator[Spans]:
    """Spans that contain areas.

    In each row of each part, from the westernmost to the easternmost point of its border there. A
    part whose border crosses more than `_CROSSINGS` rows has the spans of its box.
    """
    for start in range(0, len(shapes), 1_000):
        whole = shapely.get_parts(np.asarray(shapes[start : start + 1_000], dtype=object))
        xy, part = shapely.get_coordinates(shapely.get_exterior_ring(whole), return_index=True)
        edge = np.nonzero(part[1:] == part[:-1])[0]
        yield from _polygons(xy[edge], xy[edge + 1], part[edge], shapely.bounds(whole))


@dataclass(frozen=True, slots=True)
class _PartRows:
    """(m,) rows of all parts, one part after the other: part, row, westernmost and easternmost.

    `offset` (parts,) added to a row gives its place among the m.
    """

    part: Rows
    row: Rows
    offset: Rows
    west: Floats
    east: Floats


def _polygons(start: Floats, stop: Floats, part: Rows, bounds: Floats) -> Iterator[Spans]:
    """`start`, `stop` (m, 2): edges of the parts. `bounds` (parts, 4)."""
    first, count = _rows_between(*np.sort([start[:, 1], stop[:, 1]], axis=0))
    jagged = np.bincount(part, count, minlength=len(bounds)) > _CROSSINGS
    count[jagged[part]] = 0
    rows = _part_rows(bounds, jagged)
    for at, end in chunks(np.cumsum(count), _CHUNK):
        edge, row = _item_rows(first[at:end], count[at:end])
        edge += at
        place = rows.offset[part[edge]] + row
        for x in _crossed(start[edge], stop[edge], row):
            np.minimum.at(rows.west, place, x)
            np.maximum.at(rows.east, place, x)
    yield _part_spans(rows, bounds)


def _part_rows(bounds: Floats, jagged: NDArray[np.bool_]) -> _PartRows:
    """The rows of each part, as wide as its box where it is `jagged`, else empty."""
    low, count = _rows_between(bounds[:, 1], bounds[:, 3])
    part, row = _item_rows(low, count)
    offset = np.cumsum(count) - count - low
    boxed = jagged[part]
    west = np.where(boxed, bounds[part, 0], np.inf)
    return _PartRows(part, row, offset, west, np.where(boxed, bounds[part, 2], -np.inf))


def _rows_between(south: Floats, north: Floats) -> tuple[Rows, Rows]:
    """First row and number of rows between latitudes, with the slack on both sides."""
    first = _row(south - _SLACK)
    return first, _row(north + _SLACK) - first + 1


def _item_rows(first: Rows, count: Rows) -> tuple[Rows, Rows]:
    """Item and row of every row that (n,) items meet, `count` of them from `first` on."""
    item = np.repeat(np.arange(len(count)), count)
    return item, np.arange(len(item)) - np.repeat(np.cumsum(count) - count - first, count)


def _part_spans(rows: _PartRows, bounds: Floats) -> Spans:
    """The rows that a border meets; the row of a pole, which is one point, is whole."""
    south = (rows.row == 0) & (bounds[rows.part, 1] <= -90.0)
    whole = south | ((rows.row == ROWS - 1) & (bounds[rows.part, 3] >= 90.0))
    some = whole | (rows.west <= rows.east)
    west = np.where(whole, -180.0, rows.west)[some] - _SLACK
    return _spans(rows.row[some], west, np.where(whole, 180.0, rows.east)[some] + _SLACK)


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
