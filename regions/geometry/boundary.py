"""The border of an area: signed distance in metres from points to it.

Inside or outside is planar in lon/lat. The distance is taken in space: the border is broken into
pieces so short that the chord of each lies within millimetres of it, which needs no projection and
knows no pole and no 180th meridian.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Polygon
from shapely.affinity import translate

from regions.geometry.chord import arc_m
from regions.geometry.ellipsoid import (
    E2,
    Floats,
    in_space,
    in_space_one,
    metres_per_degree,
    ring_area_m2,
)

PIECE_M = 300.0
BEND_M = 0.01  # how far a piece may lie from the border it stands for
PIECES = 20_000  # of a very long border; its pieces grow instead
_BLOCK = 16
_MANY_CORNERS = 2_000  # beyond them an inradius is found less finely: a comb of 10,000 took seconds
_BATCH = 400_000  # piece tests held in memory at once


class Border:
    """The prepared border of one shape. Safe to share between threads once built."""

    __slots__ = (
        "_along",
        "_block_radius",
        "_centre",
        "_length2",
        "_start",
        "perimeter_m",
        "segments",
        "shape",
    )

    def __init__(self, shape: Polygon | MultiPolygon) -> None:
        self.shape = _prepared(shape)
        self.segments = real_segments(shape)
        lengths = _lengths_m(self.segments)
        self.perimeter_m = float(lengths.sum())
        pieces = _padded(_pieces(self.segments, lengths, max(PIECE_M, self.perimeter_m / PIECES)))
        self._start, self._along = (
            np.ascontiguousarray(pieces[:, :, 0]),
            pieces[:, :, 1] - pieces[:, :, 0],
        )
        length2 = np.einsum("ijk,ijk->ij", self._along, self._along)
        self._length2 = np.where(length2 > 0.0, length2, 1.0)
        self._centre = pieces.mean(axis=(1, 2))
        self._block_radius = _lengths(pieces - self._centre[:, None, None]).max(axis=(1, 2))

    def edge_m(self, lat: Floats, lon: Floats) -> Floats:
        """(n,) signed distances in metres, at most 0 inside and on the border."""
        distance = np.concatenate(
            [self._distance_m(lat[i : i + 512], lon[i : i + 512]) for i in range(0, len(lat), 512)]
            or [np.empty(0)]
        )
        return np.where(covers(self.shape, lat, lon), -distance, np.maximum(distance, 1e-9))

    def samples(self, step_m: float) -> tuple[Floats, Floats]:
        """(m,) latitudes and longitudes of points along the border.

        No two neighbours are further apart than `step_m`.
        """
        cut = _divided(self.segments, _lengths_m(self.segments), step_m)
        points = np.concatenate([cut[:, 0], cut[-1:, 1], cut[:, 1]])
        return points[:, 1], np.clip(points[:, 0], -180.0, 180.0)

    def ball(self) -> tuple[float, float, float]:
        """Latitude, longitude and radius in metres of a circle that holds the area."""
        step = self.perimeter_m / 256
        points = np.stack(in_space(*self.samples(max(1.0, step))))
        x, y, z = points.mean(axis=1)
        lat = math.degrees(math.atan2(z, math.hypot(x, y) * (1 - E2)))
        lon = math.degrees(math.atan2(y, x))
        chord = _lengths(points.T - np.array(in_space_one(lat, lon)))
        return lat, lon, float(arc_m(chord).max()) + step + 1.0

    def _distance_m(self, lat: Floats, lon: Floats) -> Floats:
        """Nearest chord: first the blocks that can hold it, then their pieces."""
        if not len(lat):
            return np.empty(0)
        ping = np.stack(in_space(lat, lon), axis=1)
        best = np.empty(len(lat))
        rows = max(1, _BATCH // max(len(self._centre), _BLOCK))
        for start in range(0, len(lat), rows):
            best[start : start + rows] = self._nearest_chord(ping[start : start + rows])
        return arc_m(best)

    def _nearest_chord(self, ping: Floats) -> Floats:
        floor = _lengths(ping[:, None] - self._centre) - self._block_radius
        first = floor.argmin(axis=1)
        best = _to_pieces(ping, self._start[first], self._along[first], self._length2[first])
        floor[np.arange(len(ping)), first] = np.inf
        row, block = np.nonzero(floor < best[:, None])
        step = _BATCH // _BLOCK
        for at in range(0, len(row), step):
            part = slice(at, at + step)
            at_block = block[part]
            found = _to_pieces(
                ping[row[part]],
                self._start[at_block],
                self._along[at_block],
                self._length2[at_block],
            )
            np.minimum.at(best, row[part], found)
        return best


def _prepared(shape: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """A copy for this border alone.

    GEOS fills what it prepares at the first question, so one is asked before others share it.
    """
    own = cast("Polygon | MultiPolygon", shapely.from_wkb(shapely.to_wkb(shape)))
    shapely.prepare(own)
    shapely.intersects_xy(own, *parts(own)[0].exterior.coords[0][:2])
    return own


def covers(shape: Polygon | MultiPolygon, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """(n,) whether the shape, border included, holds each point.

    -180 and 180 are one meridian and a pole is one point.
    """
    inside = np.asarray(shapely.intersects_xy(shape, lon, lat), dtype=np.bool_)
    seam = np.abs(lon) == 180.0
    if seam.any():
        inside[seam] |= shapely.intersects_xy(shape, -lon[seam], lat[seam])
    pole = np.abs(lat) == 90.0
    if pole.any():
        _, low, _, high = shape.bounds
        inside[pole] = np.where(lat[pole] > 0, high == 90.0, low == -90.0)
    return inside


def area_m2(shape: Polygon | MultiPolygon) -> float:
    """Area on the ellipsoid, edges straight in lon/lat."""
    total = 0.0
    for part in parts(shape):
        rings = [np.asarray(ring.coords) for ring in (part.exterior, *part.interiors)]
        sizes = [abs(ring_area_m2(ring[:, 1], ring[:, 0])) for ring in rings]
        total += sizes[0] - sum(sizes[1:])
    return total


def inradius_m(shape: Polygon | MultiPolygon, border: Border) -> float:
    """Radius of a large circle that fits inside.

    The planar inscribed circle's centre, measured on the ellipsoid.
    """
    best = 0.0
    for part in sorted(parts(rejoined(shape)), key=lambda part: -part.area)[:3]:
        _, y = part.centroid.coords[0]
        per_lat, per_lon = (float(x) for x in metres_per_degree(y))
        flat = shapely.transform(part, lambda xy, sx=per_lon, sy=per_lat: xy * [sx, sy])
        share = 0.005 if shapely.get_num_coordinates(part) < _MANY_CORNERS else 0.02
        circle = shapely.maximum_inscribed_circle(flat, tolerance=max(1e-3, share * flat.area**0.5))
        x, y = circle.coords[0][0] / per_lon, circle.coords[0][1] / per_lat
        best = max(
            best, -float(border.edge_m(np.array([y]), np.array([(x + 180.0) % 360.0 - 180.0]))[0])
        )
    return best


def parts(shape: Polygon | MultiPolygon) -> list[Polygon]:
    """The polygons of a shape."""
    return list(shapely.get_parts(shape))


def rejoined(shape: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    """The shape with a cut at the 180th meridian undone, where it is narrower that way.

    Longitudes are 0 to 360 then.
    """
    low, _, high, _ = shape.bounds
    if low > -180.0 or high < 180.0 or len(parts(shape)) < 2:
        return shape
    shifted = [translate(part, 360.0) if part.bounds[2] <= 0.0 else part for part in parts(shape)]
    return cast("Polygon | MultiPolygon", shapely.union_all(shifted))


def real_segments(shape: Polygon | MultiPolygon) -> Floats:
    """(m, 2, 2) border segments, lon/lat, without the artefacts of a map's frame.

    These are segments along 180 degrees of longitude and along the poles.
    """
    rings = [
        np.asarray(ring.coords)[:, :2]
        for part in parts(shape)
        for ring in (part.exterior, *part.interiors)
    ]
    segments = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    on_pole = (np.abs(segments[:, :, 1]) == 90.0).all(axis=1)
    east, west = (segments[:, :, 0] == 180.0).all(axis=1), (segments[:, :, 0] == -180.0).all(axis=1)
    if not (east | west).any():
        return _never_empty(segments[~on_pole], segments)
    seam = _one_sided(segments[east], segments[west])
    return _never_empty(np.concatenate([segments[~(east | west | on_pole)], seam]), segments)


def _never_empty(segments: Floats, otherwise: Floats) -> Floats:
    return segments if len(segments) else otherwise


def _one_sided(east: Floats, west: Floats) -> Floats:
    """Where the seam bounds the area on one side only, it is a real border."""
    lines = [
        shapely.union_all(
            [LineString([(180.0, y0), (180.0, y1)]) for (_, y0), (_, y1) in side if y0 != y1]
        )
        for side in (east, west)
    ]
    real = shapely.get_parts(shapely.symmetric_difference(lines[0], lines[1]))
    found = [
        np.asarray(line.coords)
        for line in real
        if isinstance(line, LineString) and len(line.coords) > 1
    ]
    return (
        np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in found])
        if found
        else np.empty((0, 2, 2))
    )


def _lengths_m(segments: Floats) -> Floats:
    per_lat, per_lon = metres_per_degree(np.abs(segments[:, :, 1]).min(axis=1))
    step = segments[:, 1] - segments[:, 0]
    return np.asarray(
        np.hypot(step[:, 0] * per_lon, step[:, 1] * np.maximum(per_lat, 111_694.0)),
        dtype=np.float64,
    )


def _divided(segments: Floats, lengths: Floats, step_m: float) -> Floats:
    """(p, 2, 2) the segments divided evenly so that none is longer than `step_m`."""
    return _cut(segments, np.maximum(1, np.ceil(lengths / step_m)).astype(np.int64))


def _cut(segments: Floats, count: NDArray[np.int64]) -> Floats:
    """(p, 2, 2) each segment in so many even pieces."""
    owner = np.repeat(np.arange(len(segments)), count)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    start, step = segments[owner, 0], (segments[owner, 1] - segments[owner, 0])
    share = count[owner][:, None]
    return np.stack(
        [start + step * (nth[:, None] / share), start + step * ((nth + 1)[:, None] / share)], axis=1
    )


def _pieces(segments: Floats, lengths: Floats, step_m: float) -> Floats:
    """(p, 2, 3) chords in space, none longer than `step_m`.

    They are shorter where a line in lon/lat bends, as it does round a pole.

    Such a line's curvature on the sphere is at most 2 sin(lat) dlon/ds; an arc leaves its chord by
    curvature * length^2 / 8.
    """
    turn = np.radians(np.abs(segments[:, 1, 0] - segments[:, 0, 0])) * np.sin(
        np.radians(np.abs(segments[:, :, 1]).max(axis=1))
    )
    bent = np.sqrt(lengths * turn / (4 * BEND_M))
    bent *= min(1.0, PIECES / max(1.0, float(bent.sum())))
    cut = _cut(
        segments, np.maximum(1, np.ceil(np.maximum(lengths / step_m, bent))).astype(np.int64)
    )
    return np.stack(in_space(cut[:, :, 1], cut[:, :, 0]), axis=2)


def _padded(pieces: Floats) -> Floats:
    """(blocks, 16, 2, 3): the last piece repeated to fill its block."""
    short = -len(pieces) % _BLOCK
    return np.concatenate([pieces, np.repeat(pieces[-1:], short, axis=0)]).reshape(-1, _BLOCK, 2, 3)


def _to_pieces(ping: Floats, start: Floats, along: Floats, length2: Floats) -> Floats:
    """(n,) distance in space from each point to the nearest chord of its block."""
    offset = ping[:, None] - start
    share = np.clip(np.einsum("ijk,ijk->ij", offset, along) / length2, 0.0, 1.0)
    offset -= along * share[:, :, None]
    return np.asarray(
        np.sqrt(np.einsum("ijk,ijk->ij", offset, offset).min(axis=1)), dtype=np.float64
    )


def _lengths(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("...k,...k->...", vectors, vectors)), dtype=np.float64)
