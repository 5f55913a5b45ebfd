"""The signed distance to an edge, and the sign itself, against pyproj and shapely.

Through the index, one by one and in batches.

The oracle walks along each straight line in longitude and latitude and asks `pyproj.Geod` at every
step, ever finer where the nearest steps are. It shares no formula with the code under test.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon

from regions.geojson import read_region
from regions.index.index import Index
from regions.region import Area, Circle, Region
from tests.rigs.places import GEOD, Floats

_STEPS = 64
_ZOOMS = 5
NEAR_M = 10_000.0


def _ring(
    rng: np.random.Generator, lat: float, lon: float, size: float, low: float, high: float
) -> Floats:
    """A ragged closed ring of 4 to 24 corners, `size` degrees of latitude wide."""
    angle = np.linspace(0, 2 * np.pi, int(rng.integers(5, 26)))
    reach = size * rng.uniform(low, high, len(angle))
    wide = 1 / max(0.01, math.cos(math.radians(lat)))
    ring = np.stack([lon + reach * np.cos(angle) * wide, lat + reach * np.sin(angle)], axis=1)
    ring[-1] = ring[0]
    return np.asarray(ring)


def _along(segments: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Latitudes and longitudes at shares of the ways along segments (n, 2, 2) lon/lat."""
    at = segments[:, 0, :] * (1 - share[:, None]) + segments[:, 1, :] * share[:, None]
    return at[:, 1], at[:, 0]


def _away_m(segments: Floats, lat: float, lon: float) -> float:
    """The distance from a position to the nearest of the segments."""
    share = np.linspace(0, 1, _STEPS + 1)
    rows = np.repeat(np.arange(len(segments)), len(share))
    shares = np.tile(share, len(segments))
    width, nearest = 1.0, math.inf
    for _ in range(_ZOOMS):
        at_lat, at_lon = _along(segments[rows], shares)
        away = GEOD.inv(at_lon, at_lat, np.full(len(rows), lon), np.full(len(rows), lat))[2]
        nearest = min(nearest, float(away.min()))
        best = np.argsort(away)[:4]
        width *= 2 / _STEPS
        low = np.clip(shares[best] - width / 2, 0, 1 - width)
        rows = np.repeat(rows[best], _STEPS + 1)
        shares = (low[:, None] + width * share).reshape(-1)
    return nearest


def _segments(rings: list[Floats]) -> Floats:
    return np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])


def _around(rng: np.random.Generator, segments: Floats, count: int) -> tuple[Floats, Floats]:
    """Positions within 10 km of the segments, half of them within 100 m."""
    lat, lon = _along(segments[rng.integers(len(segments), size=count)], rng.uniform(0, 1, count))
    reach = np.where(
        rng.random(count) < 0.5, rng.uniform(0, 100, count), rng.uniform(0, NEAR_M, count)
    )
    to_lon, to_lat, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, count), reach)
    return np.asarray(to_lat), np.asarray(to_lon)


def _check(
    region: Region,
    unrolled: Polygon | MultiPolygon,
    segments: Floats,
    lat: Floats,
    lon: Floats,
    within_m: float = 0.1,
) -> None:
    index = Index.build([region])
    edge_m = index.edge_m(lat, lon, np.zeros(len(lat), dtype=int))
    inside = np.any(
        [shapely.intersects_xy(unrolled, lon + turn, lat) for turn in (-360.0, 0.0, 360.0)], axis=0
    )
    assert ((edge_m <= 0) == inside).all()
    assert (index.inside(lat, lon, np.zeros(len(lat), dtype=int)) == inside).all()
    for nth, (a, b) in enumerate(zip(lat.tolist(), lon.tolist(), strict=True)):
        truth = _away_m(segments, a, b)
        assert abs(edge_m[nth]) == pytest.approx(truth, abs=within_m), (region, truth)
        assert index.edge_m_one(a, b, 0) == pytest.approx(edge_m[nth], abs=1e-6)


PLACES = {
    "in town": (60.17, 24.94, 0.01),
    "at the equator": (0.0, 30.0, 0.05),
    "over the 180th meridian": (-17.0, 179.99, 0.05),
    "far north, over the 180th meridian": (78.0, -179.95, 0.1),
    "a large district": (37.7, -122.4, 0.4),
    "beside the pole": (88.0, 10.0, 0.4),
}


@pytest.mark.parametrize("where", PLACES)
def test_the_distance_to_the_edge_of_an_area_with_holes_and_parts_is_right_to_a_tenth_of_a_metre(
    where: str,
) -> None:
    lat, lon, size = PLACES[where]
    for seed in range(3):
        rng = np.random.default_rng([seed, len(where)])
        outer, hole = (
            _ring(rng, lat, lon, size, 0.6, 1.0),
            _ring(rng, lat, lon, size, 0.2, 0.5)[::-1],
        )
        beside = _ring(
            rng, lat, lon + 3 * size / max(0.01, math.cos(math.radians(lat))), size / 2, 0.5, 1.0
        )
        polygons = [[outer, hole], [beside]]
        obj = {
            "type": "MultiPolygon",
            "coordinates": [[ring.tolist() for ring in polygon] for polygon in polygons],
        }
        segments = _segments([outer, hole, beside])
        shape = MultiPolygon([Polygon(outer, [hole]), Polygon(beside)])
        _check(read_region(obj).region, shape, segments, *_around(rng, segments, 60))


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("nearest", "furthest"), [(1.6, 2.5), (0.1, 0.5), (0.001, 0.01)])
def test_the_distance_to_the_edge_of_a_cap_over_a_pole_is_right_also_right_beside_it(
    side: float, nearest: float, furthest: float
) -> None:
    """Right beside a pole straight lines in longitude and latitude are arcs.

    The pieces that stand for them are short there.
    """
    rng = np.random.default_rng(5)
    lons = np.linspace(-180, 180, 25)
    lats = side * (90 - rng.uniform(nearest, furthest, 25))
    lats[-1] = lats[0]
    ring = np.stack([lons, lats], axis=1)
    truth = Polygon(np.concatenate([ring, [[180.0, 90.0 * side], [-180.0, 90.0 * side]]]))
    region = read_region({"type": "Polygon", "coordinates": [ring.tolist()]}).region
    lat, lon = _around(rng, _segments([ring]), 120)
    _check(region, truth, _segments([ring]), lat, lon)


def test_every_corner_and_the_middle_of_every_straight_edge_is_inside_and_at_the_edge() -> None:
    outer = [[24.0, 60.0], [24.5, 60.0], [24.5, 60.25], [24.0, 60.25], [24.0, 60.0]]
    hole = [[24.125, 60.0], [24.25, 60.125], [24.125, 60.125], [24.125, 60.0]]
    corner = [[24.5, 60.25], [24.75, 60.25], [24.75, 60.5], [24.5, 60.5], [24.5, 60.25]]
    checked = read_region({"type": "MultiPolygon", "coordinates": [[outer, hole[::-1]], [corner]]})
    assert checked.repairs == ()
    points = np.array(
        [
            *outer,
            *hole,
            *corner,
            *((np.array(r[:-1]) + np.array(r[1:])) / 2 for r in (outer, hole, corner)),
        ],
        dtype=object,
    )
    flat = np.concatenate([np.atleast_2d(np.asarray(point, dtype=float)) for point in points])
    index = Index.build([checked.region])
    lat, lon, slot = flat[:, 1], flat[:, 0], np.zeros(len(flat), dtype=int)
    edge_m = index.edge_m(lat, lon, slot)
    assert (edge_m <= 0).all()
    assert (edge_m >= -0.01).all()
    assert index.inside(lat, lon, slot).all()
    near = index.candidates(lat, lon)
    assert set(near.ping.tolist()) == set(range(len(flat)))


def test_the_touching_point_of_two_rings_is_inside_and_the_hole_beside_it_is_not() -> None:
    outer = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    hole = [[0.5, 0.0], [0.25, 0.5], [0.75, 0.5], [0.5, 0.0]]
    checked = read_region({"type": "Polygon", "coordinates": [outer, hole]})
    assert checked.repairs == ()
    index = Index.build([checked.region])
    lat, lon = np.array([0.0, 1e-7, 1e-7, 0.25, 0.5]), np.array([0.5, 0.5, 0.4999, 0.5, 0.5])
    assert index.inside(lat, lon, np.zeros(5, dtype=int)).tolist() == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert (index.edge_m(lat, lon, np.zeros(5, dtype=int)) <= 0).tolist() == [
        True,
        False,
        True,
        False,
        True,
    ]


CIRCLES = {
    "the north pole": (90.0, 0.0),
    "beside the north pole": (89.9999, 120.0),
    "the south pole": (-90.0, 77.0),
    "the 180th meridian": (10.0, 180.0),
    "the 180th meridian from the other side": (-45.0, -180.0),
    "beside the 180th meridian": (66.0, -179.999),
    "Greenwich on the equator": (0.0, 0.0),
    "a town": (60.17, 24.94),
}


@pytest.mark.parametrize("where", CIRCLES)
def test_the_edge_of_a_circle_is_where_pyproj_says(where: str) -> None:
    c_lat, c_lon = CIRCLES[where]
    rng = np.random.default_rng(len(where))
    for radius_m in (10.0, 150.0, 5_000.0, 100_000.0):
        off = np.concatenate(
            [
                np.zeros(200),
                rng.normal(0, 1e-6, 200),
                rng.normal(0, 1, 200),
                rng.uniform(-radius_m, NEAR_M, 400),
            ]
        )
        lon, lat, _ = GEOD.fwd(
            np.full(1000, c_lon), np.full(1000, c_lat), rng.uniform(0, 360, 1000), radius_m + off
        )
        truth = GEOD.inv(lon, lat, np.full(1000, c_lon), np.full(1000, c_lat))[2] - radius_m
        index = Index.build([Circle(c_lat, c_lon, radius_m)])
        slot = np.zeros(1000, dtype=int)
        edge_m = index.edge_m(lat, lon, slot)
        assert ((edge_m <= 0) == (truth <= 0)).all()
        assert edge_m == pytest.approx(truth, abs=0.02)
        held = set(index.candidates(lat, lon).ping.tolist())
        assert set(np.nonzero(truth <= 0)[0].tolist()) <= held


def test_a_part_inside_the_hole_of_another_has_the_edge_that_is_nearest() -> None:
    rings = [[[-d, -d], [d, -d], [d, d], [-d, d], [-d, -d]] for d in (0.04, 0.03, 0.02)]
    region = read_region(
        {"type": "MultiPolygon", "coordinates": [[rings[0], rings[1][::-1]], [rings[2]]]}
    ).region
    assert isinstance(region, Area)
    index = Index.build([region])
    lat, lon, slot = np.zeros(4), np.array([0.0, 0.0249, 0.0351, 0.05]), np.zeros(4, dtype=int)
    east, north = 111_319.4908, 110_574.2758  # metres per degree at the equator
    expected = [-0.02 * north, 0.0049 * east, -0.0049 * east, 0.01 * east]
    assert index.edge_m(lat, lon, slot) == pytest.approx(expected, abs=0.1)
