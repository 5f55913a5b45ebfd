"""Distances on the ellipsoid.

The sign is Geod's, always; the border of an area is measured in metres.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon

from regions.geometry.boundary import Border, area_m2, inradius_m
from regions.geometry.chord import arc_m, doubt_m
from regions.geometry.ellipsoid import in_space
from regions.geometry.geodesy import circle_edge_m, circle_edge_m_one, distance_m
from tests.rigs.places import GEOD

LATITUDES = (0.0, 0.001, 15.0, 37.77, 45.0, 60.0, 69.9, 70.1, 80.0, 88.0, 89.9, 89.9999, 90.0)
RADII_M = (10.0, 150.0, 500.0, 2_000.0, 9_999.0, 10_001.0, 50_000.0, 100_000.0)


def _area_edge_m(shape: Polygon | MultiPolygon, lat: list[float], lon: list[float]) -> np.ndarray:
    return Border(shape).edge_m(np.asarray(lat), np.asarray(lon))


def _rim(
    lat: float, radius_m: float, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    lon = float(rng.choice([-180.0, -122.4, 0.0, 179.9999, 180.0]))
    share = 1 + rng.choice([0, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3], count) * rng.choice([-1, 1], count)
    centre = np.full(count, lon), np.full(count, lat)
    to_lon, to_lat, _ = GEOD.fwd(*centre, rng.uniform(0, 360, count), radius_m * share)
    return to_lat, to_lon, lon


@pytest.mark.parametrize("radius_m", RADII_M)
@pytest.mark.parametrize("lat", [side * lat for lat in LATITUDES for side in (-1, 1)])
def test_points_on_and_beside_the_rim_are_decided_as_geod_decides(
    lat: float, radius_m: float
) -> None:
    at_lat, at_lon, lon = _rim(lat, radius_m, 200, int(radius_m + abs(lat) * 1000))
    truth_m = GEOD.inv(at_lon, at_lat, np.full(200, lon), np.full(200, lat))[2]
    edge_m = circle_edge_m(at_lat, at_lon, lat, lon, radius_m)
    assert ((edge_m <= 0) == (truth_m <= radius_m)).all()
    assert np.abs(edge_m - (truth_m - radius_m)).max() < 0.02
    ones = [
        circle_edge_m_one(a, b, lat, lon, radius_m)
        for a, b in zip(at_lat.tolist(), at_lon.tolist(), strict=True)
    ]
    assert ((np.array(ones) <= 0) == (truth_m <= radius_m)).all()


def test_a_distance_equal_to_the_radius_is_inside() -> None:
    radius_m = GEOD.inv(-122.4, 37.7, -122.401, 37.701)[2]
    assert circle_edge_m_one(37.701, -122.401, 37.7, -122.4, radius_m) == 0.0
    assert circle_edge_m([37.701], [-122.401], 37.7, -122.4, radius_m)[0] == 0.0
    assert circle_edge_m_one(37.701, -122.401, 37.7, -122.4, math.nextafter(radius_m, 0.0)) > 0.0


def test_the_doubt_about_a_chord_bounds_its_error_everywhere() -> None:
    rng = np.random.default_rng(1)
    count = 20_000
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)
    away = 10 ** rng.uniform(0, 5.3, count)
    to_lon, to_lat, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, count), away)
    chord = np.linalg.norm(
        np.stack(in_space(lat, lon)) - np.stack(in_space(to_lat, to_lon)), axis=0
    )
    error = np.abs(arc_m(chord) - GEOD.inv(lon, lat, to_lon, to_lat)[2])
    assert (error < doubt_m(chord)).all()
    assert error[chord < 10_000].max() < 1e-4


def test_distances_are_geods_up_to_the_antipodes() -> None:
    rng = np.random.default_rng(2)
    lat, lon, to_lat, to_lon = (
        rng.uniform(-90, 90, 500),
        rng.uniform(-180, 180, 500),
        rng.uniform(-90, 90, 500),
        rng.uniform(-180, 180, 500),
    )
    assert distance_m(lat, lon, to_lat, to_lon) == pytest.approx(
        GEOD.inv(lon, lat, to_lon, to_lat)[2], abs=0.01
    )
    assert distance_m(0.0, 0.0, 0.0, 180.0) == pytest.approx(20_003_931.46, abs=0.01)


def test_arrays_broadcast_and_scalars_are_taken() -> None:
    assert circle_edge_m([1.0, 2.0], 3.0, 1.0, 3.0, [10.0, 10.0]).shape == (2,)
    assert float(circle_edge_m(1.0, 3.0, 1.0, 3.0, 10.0)) == -10.0
    assert circle_edge_m(np.zeros((4, 1)), np.zeros((1, 5)), 0.0, 0.0, 10.0).shape == (4, 5)


def _densified_distance_m(shape: Polygon | MultiPolygon, lat: float, lon: float) -> float:
    """The nearest of very many points on the border, lines straight in lon/lat."""
    border = shapely.get_coordinates(shapely.segmentize(shape.boundary, 0.00002))
    return float(
        GEOD.inv(np.full(len(border), lon), np.full(len(border), lat), border[:, 0], border[:, 1])[
            2
        ].min()
    )


@pytest.mark.parametrize("lat", [0.0, 37.77, -60.0, 84.0])
def test_the_distance_to_a_border_is_right_within_a_tenth_of_a_metre(lat: float) -> None:
    shape = Polygon(
        [(10.0, lat), (10.06, lat + 0.01), (10.05, lat + 0.05), (10.01, lat + 0.03)],
        [[(10.03, lat + 0.02), (10.04, lat + 0.03), (10.04, lat + 0.02)]],
    )
    rng = np.random.default_rng(4)
    at_lat, at_lon = rng.uniform(lat - 0.03, lat + 0.08, 40), rng.uniform(9.95, 10.1, 40)
    edge_m = _area_edge_m(shape, at_lat, at_lon)
    truth_m = np.array(
        [_densified_distance_m(shape, a, b) for a, b in zip(at_lat, at_lon, strict=True)]
    )
    assert np.abs(np.abs(edge_m) - truth_m).max() < 0.1
    assert ((edge_m <= 0) == shapely.intersects_xy(shape, at_lon, at_lat)).all()


def test_a_point_on_the_border_of_an_area_is_inside_and_one_beside_it_is_not() -> None:
    square = Polygon(
        [(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)]]
    )
    edge_m = _area_edge_m(square, [0.0, 0.5, 1.0, 0.5, 0.5, -1e-13], [0.5, 1.0, 1.0, 0.4, 0.5, 0.5])
    assert (edge_m[:4] <= 0).all()
    assert np.abs(edge_m[:4]).max() < 0.01
    assert (edge_m[4:] > 0).all()


def test_the_cut_at_the_meridian_is_no_border() -> None:
    shape = MultiPolygon(
        [
            Polygon([(179, 0), (180, 0), (180, 2), (179, 2)]),
            Polygon([(-180, 0), (-179, 0), (-179, 2), (-180, 2)]),
        ]
    )
    edge_m = _area_edge_m(shape, [1.0, 1.0, 1.0], [180.0, -180.0, 179.9999])
    assert edge_m == pytest.approx([-110_574.0] * 3, abs=30.0)


def test_where_only_one_side_reaches_the_meridian_it_is_a_border() -> None:
    shape = Polygon([(179, 0), (180, 0), (180, 2), (179, 2)])
    assert _area_edge_m(shape, [1.0, 1.0, 1.0], [180.0, -180.0, -179.999])[:2] == pytest.approx(
        [0.0, 0.0], abs=0.01
    )
    assert (_area_edge_m(shape, [1.0, 1.0], [180.0, -180.0]) <= 0).all(), (
        "-180 and 180 are one meridian"
    )
    assert _area_edge_m(shape, [1.0], [-179.999])[0] == pytest.approx(111.3, abs=0.1)


def test_a_pole_is_one_point_whatever_longitude_it_is_given() -> None:
    wedge = Polygon([(0, 80), (10, 80), (10, 90), (0, 90)])
    edge_m = _area_edge_m(wedge, [90.0, 90.0, 90.0, 89.9], [5.0, 50.0, -180.0, 50.0])
    assert (edge_m <= 0).tolist() == [True, True, True, False]
    assert _area_edge_m(wedge, [-90.0], [5.0])[0] > 0


def test_a_cap_over_the_pole_is_measured_from_its_rim() -> None:
    lon = np.linspace(-180, 180, 721)
    cap = Polygon([*zip(lon, np.full(721, 89.0), strict=True), (180.0, 90.0), (-180.0, 90.0)])
    assert _area_edge_m(cap, [90.0, 90.0, 89.5, 88.5], [0.0, 123.0, -180.0, 77.0]) == pytest.approx(
        [-111_693.9, -111_693.9, -55_847.0, 55_847.0], abs=2
    )
    assert inradius_m(cap, Border(cap)) > 50_000
    assert area_m2(cap) == pytest.approx(3.9193e10, rel=1e-3)


def test_areas_on_the_ellipsoid_are_those_of_pyproj_where_edges_agree() -> None:
    cell = Polygon(
        [(0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01)],
        [[(0.002, 0.002), (0.002, 0.004), (0.004, 0.004)]],
    )
    assert area_m2(cell) == pytest.approx(abs(GEOD.geometry_area_perimeter(cell)[0]), rel=1e-6)
    octant = Polygon([(0, 0), (90, 0), (90, 90), (0, 90)])
    assert area_m2(octant) == pytest.approx(510_065_621_724_088.4 / 8, rel=1e-3)


def test_the_inscribed_circle_of_a_square_is_half_its_side() -> None:
    square = Polygon([(10, 60), (10.02, 60), (10.02, 60.01), (10, 60.01)])
    assert inradius_m(square, Border(square)) == pytest.approx(
        GEOD.inv(10, 60, 10, 60.005)[2], rel=0.01
    )
