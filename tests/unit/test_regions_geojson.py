"""Reading and writing regions.

Our form, RFC 7946 and the circles of other services.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from regions.geojson import canonical, read_region, write_feature, write_region
from regions.geometry.boundary import area_m2
from regions.index.index import Index
from regions.region import Area, Circle
from tests.rigs.geojson_regions import SQUARE, polygon, refused

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


@pytest.mark.parametrize("form", CIRCLES)
def test_every_peers_circle_is_read_as_the_same_circle(form: str) -> None:
    assert read_region(CIRCLES[form]).region == Circle(37.5, -122.25, 150.0)


def test_what_we_write_we_read() -> None:
    circle = Circle(37.5, -122.25, 150.0)
    assert canonical(write_region(circle)) == write_region(circle)
    assert read_region(write_feature(circle, {"name": "x"}, "s1")).region == circle
    area = canonical(polygon(SQUARE, [[0.2, 0.2], [0.2, 0.4], [0.4, 0.4], [0.2, 0.2]]))
    assert canonical(area) == area
    assert json.loads(json.dumps(area)) == area


def test_a_circle_as_a_feature_is_a_point_with_a_radius() -> None:
    feature = write_feature(Circle(1.0, 2.0, 30.0), {"a": 1}, "id1")
    assert feature["geometry"] == {"type": "Point", "coordinates": [2.0, 1.0]}
    assert feature["properties"] == {"a": 1, "subType": "Circle", "radius": 30.0}
    assert (feature["type"], feature["id"]) == ("Feature", "id1")


def test_rings_are_closed_turned_and_reported() -> None:
    checked = read_region(polygon(SQUARE[3::-1]))
    assert write_region(checked.region)["coordinates"][0] in [
        SQUARE[nth:4] + SQUARE[: nth + 1] for nth in range(4)
    ]
    assert checked.repairs == (
        "ring 1 was not closed; closed",
        "ring 1 was wound the wrong way; turned",
    )


def test_repeated_points_are_dropped_and_reported() -> None:
    checked = read_region(polygon([SQUARE[0], *SQUARE, SQUARE[-1]]))
    assert checked.repairs == ("ring 1 repeated 2 points; dropped",)
    assert len(write_region(checked.region)["coordinates"][0]) == 5


def test_a_bow_tie_is_repaired_into_two_parts_and_reported() -> None:
    checked = read_region(polygon([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    assert checked.repairs == (
        "ring 1 crosses itself near 0.5000, 0.5000; repaired by splitting it there",
        "the area was repaired and now has 2 parts",
    )
    assert write_region(checked.region)["type"] == "MultiPolygon"


def test_the_altitudes_of_positions_are_dropped() -> None:
    assert canonical(polygon([[*point, 12.0] for point in SQUARE])) == canonical(polygon(SQUARE))


def test_longitudes_that_run_past_180_are_cut_in_two() -> None:
    past = read_region(
        polygon([[179.0, 10.0], [181.0, 10.0], [181.0, 11.0], [179.0, 11.0], [179.0, 10.0]])
    )
    jump = read_region(
        polygon([[179.0, 10.0], [-179.0, 10.0], [-179.0, 11.0], [179.0, 11.0], [179.0, 10.0]])
    )
    before = read_region(
        polygon([[-181.0, 10.0], [-179.0, 10.0], [-179.0, 11.0], [-181.0, 11.0], [-181.0, 10.0]])
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
        polygon(outer, [[-179.0, 1.0], [-179.0, 2.0], [-178.5, 2.0], [-178.5, 1.0], [-179.0, 1.0]])
    )
    inside = Index.build([checked.region]).inside([1.5, 1.5], [-178.7, -179.5], [0, 0])
    assert inside.tolist() == [False, True]


def test_a_ring_round_the_world_is_not_read_as_nothing() -> None:
    error = refused(
        polygon([[-180.0, -10.0], [180.0, -10.0], [180.0, 10.0], [-180.0, 10.0], [-180.0, -10.0]])
    )
    assert (error.code, error.pointer) == ("area_too_large", "/coordinates")


def test_a_ring_round_a_pole_is_closed_through_it() -> None:
    checked = read_region(polygon([[lon, -88.0] for lon in (180.0, 90.0, 0.0, -90.0, -180.0)]))
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
        polygon([*[[lon, 88.0] for lon in lons], [180.0, 90.0], [-180.0, 90.0], [-180.0, 88.0]])
    )
    assert checked.repairs == ()
    assert isinstance(checked.region, Area)
    assert area_m2(checked.region.shape) == pytest.approx(1.5676e11, rel=0.01)
