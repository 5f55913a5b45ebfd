"""Reading and writing regions.

Our form, RFC 7946, the peers' circles; anything else is refused in words.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regions.geojson import canonical, read_region, write_feature, write_region
from regions.geometry.boundary import area_m2
from regions.index.index import Index
from regions.region import Area, Circle, RegionError

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]

CIRCLES: dict[str, Any] = {
    "ours": {"type": "circle", "lat": 37.5, "lon": -122.25, "radius_m": 150},
    "ours, capital": {"type": "Circle", "lat": 37.5, "lon": -122.25, "radius_m": 150.0},
    "radar, sent": {"type": "circle", "coordinates": [-122.25, 37.5], "radius": 150},
    "radar, answered": {
        "type": "circle",
        "geometryCenter": {"type": "Point", "coordinates": [-122.25, 37.5]},
        "geometryRadius": 150,
    },
    "tile38": {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-122.25, 37.5]},
        "properties": {"type": "Circle", "radius": 0.15, "radius_units": "km"},
    },
    "azure": {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [-122.25, 37.5]},
        "properties": {"subType": "Circle", "radius": 150},
    },
    "tomtom": {
        "type": "Feature",
        "geometry": {
            "type": "Point",
            "coordinates": [-122.25, 37.5],
            "shapeType": "Circle",
            "radius": 150,
        },
        "properties": {},
    },
    "amazon": {"Geometry": {"Circle": {"Center": [-122.25, 37.5], "Radius": 150}}},
    "amazon, bare": {"Circle": {"Center": [-122.25, 37.5], "Radius": 150}},
    "klaviyo": {"lat": 37.5, "lng": -122.25, "radius": 150},
    "customer.io": {"latitude": 37.5, "longitude": -122.25, "radius": 150},
    "a collection of one": {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": None,
                "geometry": {"type": "circle", "lat": 37.5, "lon": -122.25, "radius_m": 150},
            }
        ],
    },
}


def _polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def _read(obj: object) -> Circle | Area | RegionError:
    try:
        return read_region(obj).region
    except RegionError as error:
        return error


def _refused(obj: object) -> RegionError:
    found = _read(obj)
    assert isinstance(found, RegionError)
    return found


@pytest.mark.parametrize("form", CIRCLES)
def test_every_peers_circle_is_read_as_the_same_circle(form: str) -> None:
    assert read_region(CIRCLES[form]).region == Circle(37.5, -122.25, 150.0)


def test_what_we_write_we_read() -> None:
    circle = Circle(37.5, -122.25, 150.0)
    assert canonical(write_region(circle)) == write_region(circle)
    assert read_region(write_feature(circle, {"name": "x"}, "s1")).region == circle
    area = canonical(_polygon(SQUARE, [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4], [0.2, 0.2]]))
    assert canonical(area) == area
    assert json.loads(json.dumps(area)) == area


def test_a_circle_as_a_feature_is_a_point_with_a_radius() -> None:
    feature = write_feature(Circle(1.0, 2.0, 30.0), {"a": 1}, "id1")
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.0, 1.0]}
    assert feature["properties"] == {"a": 1, "subType": "Circle", "radius": 30.0}
    assert (feature["type"], feature["id"]) == ("Feature", "id1")


def test_rings_are_closed_turned_and_reported() -> None:
    checked = read_region(_polygon(SQUARE[3::-1]))
    assert write_region(checked.region)["coordinates"][0] in [
        SQUARE[nth:4] + SQUARE[: nth + 1] for nth in range(4)
    ]
    assert checked.repairs == (
        "ring 1 was not closed; closed",
        "ring 1 was wound the wrong way; turned",
    )


def test_repeated_points_are_dropped_and_reported() -> None:
    checked = read_region(_polygon([SQUARE[0], *SQUARE, SQUARE[-1]]))
    assert checked.repairs == ("ring 1 repeated 2 points; dropped",)
    assert len(write_region(checked.region)["coordinates"][0]) == 5


def test_a_bow_tie_is_repaired_into_two_parts_and_reported() -> None:
    checked = read_region(_polygon([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    assert checked.repairs == (
        "ring 1 crosses itself near 0.5000, 0.5000; repaired by splitting it there",
        "the area was repaired and now has 2 parts",
    )
    assert write_region(checked.region)["type"] == "MultiPolygon"


def test_the_altitudes_of_positions_are_dropped() -> None:
    assert canonical(_polygon([[*point, 12.0] for point in SQUARE])) == canonical(_polygon(SQUARE))


def test_longitudes_that_run_past_180_are_cut_in_two() -> None:
    past = read_region(
        _polygon([[179.0, 10.0], [181.0, 10.0], [181.0, 11.0], [179.0, 11.0], [179.0, 10.0]])
    )
    jump = read_region(
        _polygon([[179.0, 10.0], [-179.0, 10.0], [-179.0, 11.0], [179.0, 11.0], [179.0, 10.0]])
    )
    before = read_region(
        _polygon([[-181.0, 10.0], [-179.0, 10.0], [-179.0, 11.0], [-181.0, 11.0], [-181.0, 10.0]])
    )
    assert (
        past.repairs == before.repairs == ("ring 1 runs past the 180th meridian; cut in two there",)
    )
    assert jump.repairs == ("ring 1 crosses the 180th meridian; read the shorter way round",)
    for checked in (past, jump, before):
        assert isinstance(checked.region, Area)
        west, east = sorted(checked.region.shape.geoms, key=lambda part: part.bounds[0])
        assert west.bounds == (-180.0, 10.0, -179.0, 11.0)
        assert east.bounds == (179.0, 10.0, 180.0, 11.0)


def test_a_hole_follows_its_outer_ring_across_the_meridian() -> None:
    outer = [[178.0, 0.0], [182.0, 0.0], [182.0, 4.0], [178.0, 4.0], [178.0, 0.0]]
    checked = read_region(
        _polygon(outer, [[-179.0, 1.0], [-179.0, 2.0], [-178.5, 2.0], [-178.5, 1.0], [-179.0, 1.0]])
    )
    inside = Index.build([checked.region]).inside([1.5, 1.5], [-178.7, -179.5], [0, 0])
    assert inside.tolist() == [False, True]


def test_a_ring_round_the_world_is_not_read_as_nothing() -> None:
    error = _refused(
        _polygon([[-180.0, -10.0], [180.0, -10.0], [180.0, 10.0], [-180.0, 10.0], [-180.0, -10.0]])
    )
    assert (error.code, error.pointer) == ("area_too_large", "/coordinates")


def test_a_ring_round_a_pole_is_closed_through_it() -> None:
    checked = read_region(_polygon([[lon, -88.0] for lon in (180.0, 90.0, 0.0, -90.0, -180.0)]))
    assert "ring 1 goes round a pole; closed through it" in checked.repairs
    assert Index.build([checked.region]).inside(
        [-90.0, -89.0, -87.0, 90.0], [5.0, 180.0, 7.0, 5.0], [0] * 4
    ).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_a_cap_that_runs_along_the_pole_is_kept_as_written() -> None:
    lons = np.linspace(-180, 180, 9).tolist()
    checked = read_region(
        _polygon([*[[lon, 88.0] for lon in lons], [180.0, 90.0], [-180.0, 90.0], [-180.0, 88.0]])
    )
    assert checked.repairs == ()
    assert isinstance(checked.region, Area)
    assert area_m2(checked.region.shape) == pytest.approx(1.5676e11, rel=0.01)


REFUSED: list[tuple[str, object, str, str]] = [
    ("null", None, "not_a_region", ""),
    ("a string", "circle", "not_a_region", ""),
    ("an array", [1, 2], "not_a_region", ""),
    ("an empty object", {}, "not_a_region", "/type"),
    ("an unknown type", {"type": "Torus"}, "not_a_region", "/type"),
    ("a type that is no string", {"type": ["Polygon"]}, "not_a_region", "/type"),
    ("a line", {"type": "LineString", "coordinates": SQUARE}, "not_a_region", "/type"),
    (
        "a point",
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {}},
        "not_a_region",
        "/properties",
    ),
    ("a null geometry", {"type": "Feature", "geometry": None}, "not_a_region", "/geometry"),
    ("no feature", {"type": "FeatureCollection", "features": []}, "not_a_region", "/features"),
    (
        "two features",
        {"type": "FeatureCollection", "features": [{}, {}]},
        "not_a_region",
        "/features",
    ),
    (
        "features that are no array",
        {"type": "FeatureCollection", "features": {}},
        "not_a_region",
        "/features",
    ),
    ("a missing radius", {"type": "circle", "lat": 1, "lon": 2}, "not_a_region", "/radius_m"),
    (
        "a radius without its unit",
        {"type": "circle", "lat": 1, "lon": 2, "radius": 50},
        "not_a_region",
        "/radius",
    ),
    (
        "two radii",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": 50, "radius": 60},
        "not_a_region",
        "/radius",
    ),
    (
        "a field nobody knows",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": 50, "a/b": 1},
        "not_a_region",
        "/a~1b",
    ),
    (
        "a small radius",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": 9.99},
        "radius_too_small",
        "/radius_m",
    ),
    (
        "a negative radius",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": -100},
        "radius_too_small",
        "/radius_m",
    ),
    (
        "a large radius",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": 100_001},
        "radius_too_large",
        "/radius_m",
    ),
    (
        "a radius of text",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": "150"},
        "invalid_position",
        "/radius_m",
    ),
    (
        "a true radius",
        {"type": "circle", "lat": 1, "lon": 2, "radius_m": True},
        "invalid_position",
        "/radius_m",
    ),
    (
        "a latitude that is not a number",
        {"type": "circle", "lat": math.nan, "lon": 2, "radius_m": 50},
        "invalid_position",
        "/lat",
    ),
    (
        "an infinite longitude",
        {"type": "circle", "lat": 1, "lon": math.inf, "radius_m": 50},
        "invalid_position",
        "/lon",
    ),
    (
        "an integer too large for a float",
        {"type": "circle", "lat": 1, "lon": 10**400, "radius_m": 50},
        "invalid_position",
        "/lon",
    ),
    (
        "swapped axes",
        {"type": "circle", "lat": -122.4, "lon": 37.7, "radius_m": 50},
        "invalid_position",
        "/lat",
    ),
    (
        "a longitude of 181",
        {"type": "circle", "lat": 1, "lon": 181, "radius_m": 50},
        "invalid_position",
        "/lon",
    ),
    (
        "unknown units",
        {"type": "circle", "coordinates": [1, 2], "radius": 50, "radius_units": "parsec"},
        "not_a_region",
        "/radius_units",
    ),
    (
        "units that are no string",
        {"type": "circle", "coordinates": [1, 2], "radius": 50, "radius_units": []},
        "not_a_region",
        "/radius_units",
    ),
    ("no coordinates", {"type": "Polygon"}, "invalid_position", "/coordinates"),
    ("no rings", {"type": "Polygon", "coordinates": []}, "empty", "/coordinates"),
    (
        "an empty part",
        {"type": "MultiPolygon", "coordinates": [[SQUARE], []]},
        "empty",
        "/coordinates",
    ),
    (
        "a ring of text",
        {"type": "Polygon", "coordinates": ["0,0 1,1"]},
        "invalid_position",
        "/coordinates/0",
    ),
    (
        "a position of text",
        _polygon([[0, 0], ["1", 0], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/0",
    ),
    (
        "a short position",
        _polygon([[0, 0], [1], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1",
    ),
    (
        "a null position",
        {"type": "Polygon", "coordinates": [[None, None, None, None]]},
        "invalid_position",
        "/coordinates/0/0",
    ),
    (
        "a latitude of 91",
        _polygon([[0, 0], [1, 91], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/1",
    ),
    (
        "a longitude of 541",
        _polygon([[0, 0], [541, 1], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/0",
    ),
    ("two points", _polygon([[0, 0], [1, 1], [0, 0]]), "empty", "/coordinates/0"),
    ("one point many times", _polygon([[3, 3]] * 9), "empty", "/coordinates/0"),
    ("a line as a ring", _polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "empty", "/coordinates/0"),
    (
        "a country",
        _polygon([[-100, 30], [-80, 30], [-80, 45], [-100, 45], [-100, 30]]),
        "area_too_large",
        "/coordinates",
    ),
    (
        "too many vertices",
        _polygon([[math.cos(a / 1600), math.sin(a / 1600)] for a in range(10_002)]),
        "too_many_vertices",
        "/coordinates",
    ),
    (
        "too many rings",
        {"type": "MultiPolygon", "coordinates": [[SQUARE]] * 1_001},
        "too_many_rings",
        "/coordinates",
    ),
]


@pytest.mark.parametrize(
    ("what", "obj", "code", "pointer"), REFUSED, ids=[case[0] for case in REFUSED]
)
def test_bad_input_is_refused_with_a_code_a_sentence_and_a_pointer(
    what: str, obj: object, code: str, pointer: str
) -> None:
    error = _refused(obj)
    assert (error.code, error.pointer) == (code, pointer), error.detail
    assert len(error.detail) > 15


def test_deep_wrapping_is_refused() -> None:
    obj: object = _polygon(SQUARE)
    for _ in range(10_000):
        obj = {"type": "GeometryCollection", "geometries": [obj]}
    assert _refused(obj).code == "not_a_region"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["circle", "Polygon", "MultiPolygon", "Feature", "Point"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "coordinates",
                    "geometry",
                    "features",
                    "lat",
                    "lon",
                    "radius",
                    "radius_m",
                    "properties",
                    "Circle",
                    "Center",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
_NUMBER = (
    st.floats(-200, 200) | st.integers(-200, 200) | st.sampled_from([0, 90, -90, 180, -180, 360])
)


@settings(max_examples=400, deadline=None)
@given(_JSON)
def test_garbage_is_a_region_or_a_region_error_and_nothing_else(obj: object) -> None:
    found = _read(obj)
    if isinstance(found, RegionError):
        assert found.code
        assert found.pointer == "" or found.pointer.startswith("/")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.lists(_NUMBER, min_size=2, max_size=2), max_size=9), max_size=3))
def test_rings_of_any_numbers_give_a_valid_area_or_a_region_error(
    rings: list[list[list[float]]],
) -> None:
    found = _read({"type": "Polygon", "coordinates": rings})
    if isinstance(found, RegionError):
        return
    assert isinstance(found, Area)
    assert found.shape.is_valid
    low_x, low_y, high_x, high_y = found.shape.bounds
    assert -180 <= low_x <= high_x <= 180
    assert -90 <= low_y <= high_y <= 90
    assert len(Index.build([found])) == 1
