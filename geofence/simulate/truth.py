"""True visits: when the true position was inside which geofence, to the second.

Independent of the service's own geometry: a circle by distance on the ellipsoid, a polygon by the
parity of crossings in degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Floats
from geofence.model.place import Geofence
from geofence.simulate.frame import Frame, radii_m
from geofence.simulate.paths import Path

Bools = NDArray[np.bool_]
_LEAST_MOVE_MPS = 1e-6
_FURTHEST_LAT = 85.0


class TrueVisit(NamedTuple):
    """From the first second inside to the first second outside (epoch ms UTC).

    `departure_ms` is None where the path ends inside.
    """

    device_id: str
    geofence_id: str
    arrival_ms: int
    departure_ms: int | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A geofence's region for asking what lies inside.

    `box` is (south, west, north, east) in degrees, around all of it.
    """

    geofence_id: str
    box: tuple[float, float, float, float]
    circle: tuple[float, float, float] | None
    polygons: tuple[tuple[Floats, ...], ...]

    @staticmethod
    def of(fence: Geofence) -> Shape:
        """The shape of a geofence in the API's plain form.

        Raises ValueError across the 180th meridian and at the poles.
        """
        region = fence.region
        if region["type"] == "circle":
            lat, lon, radius_m = (float(region[name]) for name in ("lat", "lon", "radius_m"))
            if abs(lat) > _FURTHEST_LAT:
                raise ValueError(f"{fence.external_id} lies at a pole, which is not simulated")
            box = _box_of_circle(lat, lon, radius_m)
            return Shape(fence.external_id, box, (lat, lon, radius_m), ())
        polygons = _rings(region)
        corners = np.concatenate([ring for polygon in polygons for ring in polygon])
        (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
        if east - west > 180.0:
            raise ValueError(
                f"{fence.external_id} lies across the 180th meridian, which is not simulated"
            )
        box = (float(south), float(west), float(north), float(east))
        return Shape(fence.external_id, box, None, polygons)

    @property
    def middle(self) -> tuple[float, float]:
        """(lat, lon) in the middle of the box."""
        south, west, north, east = self.box
        return (south + north) / 2.0, (west + east) / 2.0

    def holds(self, lat: Floats, lon: Floats) -> Bools:
        """Which places (n,) lie inside."""
        south, west, north, east = self.box
        near = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
        found = np.zeros(len(lat), dtype=np.bool_)
        if near.any():
            found[near] = self._exactly(lat[near], lon[near])
        return found

    def _exactly(self, lat: Floats, lon: Floats) -> Bools:
        if self.circle is not None:
            return _distance_m(lat, lon, self.circle[0], self.circle[1]) <= self.circle[2]
        found = np.zeros(len(lat), dtype=np.bool_)
        for outer, *holes in self.polygons:
            inside = _crossed(outer, lat, lon)
            for hole in holes:
                inside &= ~_crossed(hole, lat, lon)
            found |= inside
        return found


def true_visits(
    path: Path, frame: Frame, shapes: Sequence[Shape], device_id: str, start_ms: int
) -> list[TrueVisit]:
    """Every visit of a path that begins at `start_ms`, ordered by arrival.

    A path that begins inside arrives at its beginning.
    """
    at_s = _seconds(path)
    lat, lon = frame.degrees(*path.spots(at_s))
    found = []
    for shape in shapes:
        inside = shape.holds(lat, lon)
        if inside.any():
            found += _runs(shape.geofence_id, inside, at_s, device_id, start_ms)
    return sorted(found, key=lambda visit: (visit.arrival_ms, visit.geofence_id))


def _seconds(path: Path) -> Floats:
    """The whole seconds at which the position can differ from the second before.

    All seconds of a movement, and the first of each pause.
    """
    moves = path.speeds_mps() > _LEAST_MOVE_MPS
    starts, ends = np.ceil(path.at_s[:-1]), np.ceil(path.at_s[1:])
    pieces = [
        np.arange(start, end if moving else min(end, start + 1.0))
        for start, end, moving in zip(starts.tolist(), ends.tolist(), moves.tolist(), strict=True)
    ]
    return np.concatenate(pieces)


def _runs(
    geofence_id: str, inside: Bools, at_s: Floats, device_id: str, start_ms: int
) -> list[TrueVisit]:
    edges = np.diff(inside.astype(np.int8), prepend=0, append=0)
    times: list[int] = (start_ms + np.rint(1000.0 * at_s).astype(np.int64)).tolist()
    starts, ends = np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist()
    return [
        TrueVisit(device_id, geofence_id, times[a], times[b] if b < len(times) else None)
        for a, b in zip(starts, ends, strict=True)
    ]


def _distance_m(lat: Floats, lon: Floats, to_lat: float, to_lon: float) -> Floats:
    """Metres on the ellipsoid, by its curvature half way; exact to a centimetre up to 10 km."""
    half = np.radians((lat + to_lat) / 2.0)
    north_m, east_m = radii_m(np.degrees(half))
    return np.hypot(
        np.radians(lat - to_lat) * north_m, np.radians(lon - to_lon) * east_m * np.cos(half)
    )


def _crossed(ring: Floats, lat: Floats, lon: Floats) -> Bools:
    """Whether a ray to the east of each place crosses the ring an odd number of times."""
    odd = np.zeros(len(lat), dtype=np.bool_)
    for (x1, y1), (x2, y2) in zip(ring[:-1].tolist(), ring[1:].tolist(), strict=True):
        if y1 != y2:
            spans = (y1 > lat) != (y2 > lat)
            odd ^= spans & (lon < x1 + (lat - y1) * (x2 - x1) / (y2 - y1))
    return odd


def _box_of_circle(lat: float, lon: float, radius_m: float) -> tuple[float, float, float, float]:
    """(south, west, north, east) around a circle, with a margin of 1 %."""
    north_m, east_m = radii_m(np.float64(lat))
    tall = float(np.degrees(radius_m / north_m)) * 1.01
    wide = float(np.degrees(radius_m / (east_m * np.cos(np.radians(abs(lat) + tall))))) * 1.01
    return lat - tall, lon - wide, lat + tall, lon + wide


def _rings(region: dict[str, Any]) -> tuple[tuple[Floats, ...], ...]:
    """Polygons, each its outer ring and its holes; a ring is (k, 2) of (lon, lat)."""
    listed = region["coordinates"] if region["type"] == "MultiPolygon" else [region["coordinates"]]
    return tuple(
        tuple(np.array([position[:2] for position in ring], dtype=np.float64) for ring in polygon)
        for polygon in listed
    )
