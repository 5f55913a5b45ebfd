"""The raster never says "nothing near" where a region holds the position.

That holds wherever and whatever the region is.
"""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regions.geojson import read_region
from regions.index.index import Index
from regions.index.raster import Raster
from regions.index.raster_rows import area_spans, circle_spans
from regions.region import Circle
from tests.rigs.places import GEOD, Place, a_circle, an_area, pings_around


def _near_where_held(place: Place, seed: int, count: int = 200) -> None:
    rng = np.random.default_rng(seed)
    lat, lon = pings_around(rng, [place], count)
    region = place.region
    if isinstance(region, Circle):
        spans = circle_spans(
            *(np.array([value]) for value in (region.lat, region.lon, region.radius_m))
        )
    else:
        spans = area_spans([region.shape])
    raster = Raster().painted(spans)
    near = raster.near_any(lat, lon)
    assert near[place.holds(lat, lon)].all(), f"{region}: a point inside is taken for far away"
    assert near.tolist() == [
        raster.near_one(*at) for at in zip(lat.tolist(), lon.tolist(), strict=True)
    ]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_raster_holds_circles(seed: int) -> None:
    _near_where_held(a_circle(np.random.default_rng(seed)), seed)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_raster_holds_areas(seed: int) -> None:
    place = an_area(np.random.default_rng(seed))
    assume(
        place.unrolled is not None and place.unrolled.is_valid
    )  # a repaired one is not what it was
    _near_where_held(place, seed)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 89.9999, -89.9999, 0.0, 45.0])),
    st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 179.99999, -179.99999, 0.0])),
    st.one_of(st.floats(10, 100_000), st.sampled_from([10.0, 100_000.0])),
    st.integers(0, 2**32),
)
def test_the_raster_holds_a_circle_anywhere_with_any_radius(
    lat: float, lon: float, radius_m: float, seed: int
) -> None:
    _near_where_held(Place(Circle(lat, lon, radius_m)), seed, 40)


def test_points_on_the_rim_of_thousands_of_circles_are_near() -> None:
    rng = np.random.default_rng(17)
    places = [a_circle(rng).region for _ in range(3_000)]
    lat, lon, radius_m = (
        np.array(column)
        for column in zip(*((c.lat, c.lon, c.radius_m) for c in places), strict=True)
    )
    for nth in range(0, 3_000, 100):
        part = slice(nth, nth + 100)
        raster = Raster().painted(circle_spans(lat[part], lon[part], radius_m[part]))
        for bearing in rng.uniform(0, 360, (12, 100)):
            rim_lon, rim_lat, _ = GEOD.fwd(lon[part], lat[part], bearing, radius_m[part])
            assert raster.near_any(rim_lat, rim_lon).all()


def test_the_raster_is_not_much_larger_than_what_is_in_it() -> None:
    rng = np.random.default_rng(4)
    lat, lon = rng.uniform(30, 50, 2_000), rng.uniform(0, 20, 2_000)
    for radius_m, widest in ((150.0, 1_100.0), (5_000.0, 6_500.0)):
        index = Index.circles([40.0], [10.0], [radius_m])
        to_lon, to_lat, _ = GEOD.fwd(
            np.full(360, 10.0), np.full(360, 40.0), np.arange(360.0), np.full(360, widest)
        )
        assert not index.near_any(to_lat, to_lon).any()
        assert index.near_any(lat, lon).mean() < 0.01


def test_a_thin_diagonal_area_does_not_fill_its_box() -> None:
    from shapely import Polygon

    raster = Raster().painted(area_spans([Polygon([(0, 0), (10, 10), (10, 10.01), (0, 0.01)])]))
    at = np.linspace(0.1, 9.9, 500)
    assert raster.near_any(at, at).all()
    assert not raster.near_any(at, 10.0 - at)[np.abs(at - 5.0) > 0.1].any()


def test_what_one_version_adds_is_in_the_next_and_harms_no_other() -> None:
    rng = np.random.default_rng(9)
    versions, known = [Raster()], [[]]
    for _ in range(120):
        parent = int(rng.integers(len(versions)))
        circles = [a_circle(rng).region for _ in range(int(rng.integers(1, 4)))]
        numbers = (
            np.array(column)
            for column in zip(
                *((c.lat, c.lon, min(c.radius_m, 20_000.0)) for c in circles), strict=True
            )
        )
        versions.append(versions[parent].painted(circle_spans(*numbers)))
        known.append([*known[parent], *circles])
    for raster, circles in zip(versions, known, strict=True):
        assert all(raster.near_one(c.lat, c.lon) for c in circles)
    assert (
        not versions[0].near_any(rng.uniform(-60, 60, 3_000), rng.uniform(-180, 180, 3_000)).all()
    )


def test_an_area_that_is_too_jagged_to_follow_is_held_by_its_box() -> None:
    teeth = [[nth / 1000 - 180.0, 40.0 if nth % 4 in (1, 2) else -19.9] for nth in range(2_000)]
    ring = [*teeth, [-178.0, -20.0], [-180.0, -20.0], teeth[0]]
    small = [[[10.0, 10.0], [10.01, 10.0], [10.01, 10.01], [10.0, 10.0]]]
    index = Index.build(
        [read_region({"type": "MultiPolygon", "coordinates": [[ring], small]}).region]
    )
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-20.0, 40.0, 5_000), rng.uniform(-180.0, -178.0, 5_000)
    held = index.inside(lat, lon, np.zeros(len(lat)))
    assert held.sum() > 1_000
    assert index.near_any(lat, lon)[held].all()
    assert index.near_any([10.005, 10.05, -20.1, 0.0], [10.006, 10.0, -179.0, -177.9]).tolist() == [
        True,
        False,
        False,
        False,
    ]
