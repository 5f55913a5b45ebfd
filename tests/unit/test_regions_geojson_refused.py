"""GeoJSON that is no region is refused with a code, a sentence and a pointer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regions.index.index import Index
from regions.region import Area, RegionError
from tests.rigs.geojson_regions import SQUARE, polygon, refused, region_or_error

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
        polygon([[0, 0], ["1", 0], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/0",
    ),
    (
        "a short position",
        polygon([[0, 0], [1], [1, 1], [0, 0]]),
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
        polygon([[0, 0], [1, 91], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/1",
    ),
    (
        "a longitude of 541",
        polygon([[0, 0], [541, 1], [1, 1], [0, 0]]),
        "invalid_position",
        "/coordinates/0/1/0",
    ),
    ("two points", polygon([[0, 0], [1, 1], [0, 0]]), "empty", "/coordinates/0"),
    ("one point many times", polygon([[3, 3]] * 9), "empty", "/coordinates/0"),
    ("a line as a ring", polygon([[0, 0], [1, 1], [2, 2], [0, 0]]), "empty", "/coordinates/0"),
    (
        "a country",
        polygon([[-100, 30], [-80, 30], [-80, 45], [-100, 45], [-100, 30]]),
        "area_too_large",
        "/coordinates",
    ),
    (
        "too many vertices",
        polygon([[math.cos(a / 1600), math.sin(a / 1600)] for a in range(10_002)]),
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
    error = refused(obj)
    assert (error.code, error.pointer) == (code, pointer), error.detail
    assert len(error.detail) > 15


def test_deep_wrapping_is_refused() -> None:
    obj: object = polygon(SQUARE)
    for _ in range(10_000):
        obj = {"type": "GeometryCollection", "geometries": [obj]}
    assert refused(obj).code == "not_a_region"


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
    found = region_or_error(obj)
    if isinstance(found, RegionError):
        assert found.code
        assert found.pointer == "" or found.pointer.startswith("/")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.lists(_NUMBER, min_size=2, max_size=2), max_size=9), max_size=3))
def test_rings_of_any_numbers_give_a_valid_area_or_a_region_error(
    rings: list[list[list[float]]],
) -> None:
    found = region_or_error({"type": "Polygon", "coordinates": rings})
    if isinstance(found, RegionError):
        return
    assert isinstance(found, Area)
    assert found.shape.is_valid
    low_x, low_y, high_x, high_y = found.shape.bounds
    assert -180 <= low_x <= high_x <= 180
    assert -90 <= low_y <= high_y <= 90
    assert len(Index.build([found])) == 1
