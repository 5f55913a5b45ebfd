"""Regions and positions from a seed, and the truth about them.

The truth comes by means that share nothing with the code under test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely import MultiPolygon, Polygon

from regions.geojson import read_region
from regions.region import Circle, Region

GEOD = Geod(ellps="WGS84")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """A region as read by us, and the shape it came from.

    Longitudes may run past 180 (None for circles).
    """

    region: Region
    unrolled: Polygon | MultiPolygon | None = None

    def holds(self, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
        """(n,) the truth.

        Pyproj's distance, or shapely on the shape as it was before anybody wrapped or cut it.
        """
        if isinstance(self.region, Circle):
            c = self.region
            return (
                GEOD.inv(lon, lat, np.full(len(lat), c.lon), np.full(len(lat), c.lat))[2]
                <= c.radius_m
            )
        return np.any(
            [
                shapely.intersects_xy(self.unrolled, lon + turn, lat)
                for turn in (-360.0, 0.0, 360.0)
            ],
            axis=0,
        )


def anywhere(rng: np.random.Generator) -> tuple[float, float]:
    """A latitude and longitude: on land, beside a pole, beside the 180th meridian, or on them."""
    kind = rng.integers(6)
    lat = [
        rng.uniform(-70, 70),
        math.degrees(math.asin(rng.uniform(-1, 1))),
        rng.choice([-1, 1]) * (90 - rng.exponential(0.3)),
    ][kind % 3]
    lon = (
        rng.uniform(-180, 180)
        if kind < 3
        else float(rng.choice([-1, 1])) * (180 - rng.exponential(0.3))
    )
    if rng.random() < 0.05:
        lat = float(rng.choice([-90.0, 90.0, 0.0]))
    return max(-90.0, min(90.0, float(lat))), max(-180.0, min(180.0, float(lon)))


def a_circle(rng: np.random.Generator) -> Place:
    lat, lon = anywhere(rng)
    return Place(Circle(lat, lon, float(10 ** rng.uniform(1, 5))))


def an_area(rng: np.random.Generator) -> Place:
    """A ragged ring, often with a hole, sometimes a second part or a cap over a pole."""
    if rng.random() < 0.1:
        return a_cap(rng)
    lat, lon = anywhere(rng)
    size = float(10 ** rng.uniform(-3.5, 0.3))
    lat = max(-89.0 + size, min(89.0 - size, lat))
    rings = [_ragged(rng, lat, lon, size, 0.6, 1.0)]
    if rng.random() < 0.5:
        rings.append(_ragged(rng, lat, lon, size, 0.2, 0.5)[::-1])
    polygons = [rings]
    if rng.random() < 0.3:
        polygons.append([_ragged(rng, lat, lon + 2.5 * size * _wide(lat), size / 2, 0.6, 1.0)])
    shape = MultiPolygon([Polygon(r[0], r[1:]) for r in polygons])
    obj = {
        "type": "MultiPolygon",
        "coordinates": [[ring.tolist() for ring in polygon] for polygon in polygons],
    }
    return Place(read_region(obj).region, shape)


def a_cap(rng: np.random.Generator) -> Place:
    """A ring around a pole, given as it lies on the globe.

    The truth closes it along the map's edge.
    """
    side = float(rng.choice([-1.0, 1.0]))
    lon = np.linspace(-180, 180, int(rng.integers(5, 40)))
    lat = side * (90 - rng.uniform(0.01, 3.0, len(lon)))
    lat[-1] = lat[0]
    ring = np.stack([lon, lat], axis=1)
    truth = Polygon(np.concatenate([ring, [[180.0, 90.0 * side], [-180.0, 90.0 * side]]]))
    return Place(read_region({"type": "Polygon", "coordinates": [ring.tolist()]}).region, truth)


def _wide(lat: float) -> float:
    return 1 / max(0.05, math.cos(math.radians(lat)))


def _ragged(
    rng: np.random.Generator, lat: float, lon: float, size: float, inner: float, outer: float
) -> Floats:
    angle = np.linspace(0, 2 * np.pi, int(rng.integers(4, 40)))
    reach = size * rng.uniform(inner, outer, len(angle))
    reach[-1] = reach[0]
    wide = min(_wide(lat), 60 / size)
    ring = np.stack([lon + reach * np.cos(angle) * wide, lat + reach * np.sin(angle)], axis=1)
    ring[-1] = ring[0]
    return np.asarray(ring)


def pings_around(
    rng: np.random.Generator, places: list[Place], count: int
) -> tuple[Floats, Floats]:
    """Positions near the places.

    Inside, beside, and within a millimetre of a circle's edge; some are anywhere.
    """
    lat, lon = np.empty(count), np.empty(count)
    for nth in range(count):
        place = places[int(rng.integers(len(places)))]
        lat[nth], lon[nth] = anywhere(rng) if rng.random() < 0.1 else _near(rng, place)
    edges = rng.random(count) < 0.02
    lon[edges] = rng.choice([-180.0, 180.0], int(edges.sum()))
    return lat, lon


def _near(rng: np.random.Generator, place: Place) -> tuple[float, float]:
    if isinstance(place.region, Circle):
        c = place.region
        share = float(rng.choice([rng.uniform(0, 1.5), 1.0, 1.0 + rng.normal() * 1e-6]))
        lon, lat, _ = GEOD.fwd(c.lon, c.lat, rng.uniform(0, 360), c.radius_m * share)
        return lat, lon
    assert place.unrolled is not None
    low_x, low_y, high_x, high_y = place.unrolled.bounds
    x, y = rng.uniform(low_x, high_x), rng.uniform(low_y, high_y)
    return y, (x + 180.0) % 360.0 - 180.0
