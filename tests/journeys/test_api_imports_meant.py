"""What a file says is what comes in.

Nothing of it is taken for something else, and nothing is lost without a report.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rigs.imports import AREA, codes, collection, feature_of, region_of, report_of, store_of
from tests.rigs.shop import Shop


@pytest.mark.parametrize(
    "more", [{"Breite": 12.5, "Länge": 30.0}, {"X": 626123, "Y": 483211}, {"lat": 1.5, "lon": 2.5}]
)
def test_a_store_stands_where_its_geometry_is_whatever_its_properties_are_called(
    shop: Shop, more: dict[str, Any]
) -> None:
    report = report_of(shop, collection(feature_of("g", **more)))
    store = store_of(shop, "g")
    assert (store["lat"], store["lon"], store["metadata"]) == (48.2, 16.37, more)
    assert report["columns"] == {"id": "external_id", **dict.fromkeys(more, "metadata")}


def test_a_geofence_lies_where_its_geometry_is_whatever_its_properties_are_called(
    shop: Shop,
) -> None:
    report_of(
        shop,
        collection(feature_of("g", x=3, y=7, radius_m=200), feature_of("h", x=3, y=7, radius_km=2)),
        "geofences",
    )
    assert region_of(shop, "g") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 200}
    assert region_of(shop, "h") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 2000}
    assert shop.client.get("/v1/geofences/h").json()["metadata"] == {"x": 3, "y": 7}


def test_columns_say_the_position_where_a_row_has_no_geometry_or_the_caller_names_them(
    shop: Shop,
) -> None:
    nowhere = {"type": "Feature", "geometry": None, "properties": {"id": "n", "y": 47.5, "x": 11.5}}
    report = report_of(shop, collection(feature_of("g", y=1, x=2), nowhere))
    assert [(store_of(shop, name)["lat"], store_of(shop, name)["lon"]) for name in "gn"] == [
        (48.2, 16.37),
        (47.5, 11.5),
    ]
    assert (report["columns"]["y"], report["columns"]["x"]) == ("lat", "lon")
    report_of(shop, collection(feature_of("g", y=1, x=2)), map=["lat:y", "lon:x"])
    assert (store_of(shop, "g")["lat"], store_of(shop, "g")["lon"]) == (1, 2)


def test_a_store_with_a_position_and_an_area_stands_at_its_position_and_the_area_is_reported(
    shop: Shop,
) -> None:
    report = report_of(
        shop,
        f'id,lat,lon,wkt\nw,48.2001,16.3001,"{AREA}"\nv,,,"{AREA}"\nu,626123,483211,"{AREA}"\n',
    )
    assert (store_of(shop, "w")["lat"], store_of(shop, "w")["lon"]) == (48.2001, 16.3001)
    assert codes(report, "warnings") == [
        (2, "area_left_out"),
        (3, "position_from_area"),
        (4, "invalid_position"),
        (4, "position_from_area"),
    ]
    assert report["columns"] == {"id": "external_id", "lat": "lat", "lon": "lon", "wkt": "region"}


@pytest.mark.parametrize(
    "name",
    [
        "radius_m",
        "Radius (km)",
        "fence_radius",
        "geofence_radius",
        "geofence_radius_m",
        "radius_ft",
    ],
)
def test_every_column_that_is_used_is_reported_with_what_it_is(shop: Shop, name: str) -> None:
    report = report_of(
        shop, f"id,shop_latitude,shop_longitude,{name},note,note\na,48.1,16.3,50,x,y\n"
    )
    assert report["columns"] == {
        "id": "external_id",
        "shop_latitude": "lat",
        "shop_longitude": "lon",
        name: "radius",
        "note": "metadata",
        "note_2": "metadata",
    }


def test_a_store_whose_end_is_to_come_or_cannot_be_read_is_taken(shop: Shop) -> None:
    ends = ("31.12.2930", "2930-12", "2930", "12/31/2930", "n/a", "2930-12-31", "31.12.2020")
    report = report_of(
        shop,
        "\n".join(
            [
                "id,lat,lon,end_date",
                *(f"e{nth},48.{nth},16.3,{end}" for nth, end in enumerate(ends, 1)),
            ]
        ),
    )
    assert (report["created"], report["skipped"], report["failed"]) == (6, 1, 0)
    assert codes(report, "warnings") == [(6, "invalid_time"), (8, "closed")]


def _numbered(*numbers: int) -> dict[str, Any]:
    return collection(
        *(
            {
                "type": "Feature",
                "id": n,
                "geometry": {"type": "Point", "coordinates": [16 + n / 100, 48]},
                "properties": {"name": f"S{n}"},
            }
            for n in numbers
        )
    )


@pytest.mark.parametrize("left", [(2, 3, 4, 5), (1, 2, 4, 5), (5,), (2, 4)])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_drawing_that_lost_features_updates_the_stores_it_had(
    shop: Shop, left: tuple[int, ...], dry_run: bool
) -> None:
    assert report_of(shop, _numbered(1, 2, 3, 4, 5))["created"] == 5
    report = report_of(shop, _numbered(*left), dry_run=dry_run)
    assert (report["unchanged"], report["created"]) == (len(left), 0)
    assert (None, "id_says_nothing") in codes(report, "warnings")
    assert len(shop.client.get("/v1/stores").json()["data"]) == 5


def test_numbers_under_which_the_record_knows_the_stores_are_ids_even_in_a_row(shop: Shop) -> None:
    assert report_of(shop, _numbered(4711, 4713))["created"] == 2
    report = report_of(shop, _numbered(4711, 4712, 4713))
    assert (report["unchanged"], report["created"], report["warnings"]) == (2, 1, [])
    assert store_of(shop, "4712")["name"] == "S4712"
    assert codes(report_of(shop, _numbered(90, 91, 92)), "warnings") == [
        (None, "id_says_nothing"),
        (None, "made_id"),
    ]


BARE = {"name": "A", "lat": 48.1, "lon": 16.3}
CIRCLE = {"type": "circle", "lat": 48.1, "lon": 16.3, "radius_m": 150}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("stores/%20pad%20", BARE, "/path/external_id"),
        ("stores/a", {**BARE, "tags": ["x", "y "]}, "/tags/1"),
        ("stores/a", {**BARE, "rings": [{"name": " near", "radius_m": 150}]}, "/rings/0/name"),
        ("geofences/pad%20", {"region": CIRCLE}, "/path/external_id"),
        ("geofences/a", {"region": CIRCLE, "store": "a", "ring": "near "}, "/ring"),
    ],
)
def test_what_others_refer_to_has_no_outer_blanks(
    shop: Shop, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = shop.client.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert "blank" in answer.text


@pytest.mark.parametrize(
    "form", ["csv", "geojson", "shapefile", "geopackage", "kml", "flatgeobuf", "geoparquet"]
)
def test_a_place_that_comes_back_from_a_file_is_the_same_whatever_its_texts_look_like(
    shop: Shop, form: str
) -> None:
    store = {
        **BARE,
        "name": " {} [1, 2] ",
        "brand": " [b] ",
        "address": "\n[1,2] x\t",
        "tags": ["[a]"],
        "opening_hours": " 24/7 ",
    }
    assert shop.client.put("/v1/stores/[1,2]", json=store).status_code == 201
    assert (
        shop.client.put(
            "/v1/stores/%7B%22a%22:1%7D", json={**BARE, "name": '{"a":  1}', "brand": "[]"}
        ).status_code
        == 201
    )
    kept = store_of(shop, "[1,2]")
    assert (kept["name"], kept["brand"], kept["address"], kept["opening_hours"]) == (
        "{} [1, 2]",
        "[b]",
        "[1,2] x",
        "24/7",
    )
    taken = shop.client.get("/v1/exports/stores", params={"format": form})
    assert "written%20as%20JSON" not in taken.headers.get("X-Geofence-Losses", "")
    report = report_of(shop, taken.content)
    assert (report["rows"], report["unchanged"]) == (2, 2)


def test_rows_that_a_stray_quotation_mark_swallows_are_reported_with_their_lines(
    shop: Shop,
) -> None:
    report = report_of(
        shop,
        'id,name,lat,lon\nk1,"A,48.1,16.3\nk2,B,48.2,16.4\nk3,C",48.3,16.5\n'
        'k4,"D,\nin the yard",48.4,16.6\n',
    )
    assert codes(report, "warnings") == [(2, "reading")]
    assert "lines 2 to 4 were read as one row" in report["warnings"][0]["detail"]


@pytest.mark.parametrize(
    "header",
    [
        "Latitude (deg),Longitude (deg)",
        "lat [°],lon [°]",
        "Breite (Grad),Länge (Grad)",
        "LAT (WGS84),LNG (WGS 84)",
    ],
)
def test_a_position_may_have_its_unit_in_brackets(shop: Shop, header: str) -> None:
    report = report_of(shop, f"id,{header}\na,48.1,16.3\n")
    assert (store_of(shop, "a")["lat"], list(report["columns"].values())) == (
        48.1,
        ["lat", "lon", "external_id"],
    )
    assert (
        report_of(shop, "id,x (m),y (m)\na,626123,483211\n")["errors"][0]["code"] == "no_position"
    )


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:3857",
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::31287"}},
        {"type": "link"},
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_line_of_geojson_in_another_system_is_an_error_of_its_own(
    shop: Shop, crs: Any, inside: bool
) -> None:
    strange, plain = feature_of("a"), feature_of("b")
    (strange["geometry"] if inside else strange)["crs"] = crs
    report = report_of(shop, "\n".join(map(json.dumps, (strange, plain))))
    assert (report["format"], report["created"]) == ("geojsonl", 1)
    assert codes(report, "errors") == [(1, "crs_unsupported")]


def test_a_line_of_geojson_that_says_it_is_in_wgs84_is_read_and_one_close_to_it_reported_once(
    shop: Shop,
) -> None:
    named = [
        {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{name}"}}
        for name in ("OGC:1.3:CRS84", "EPSG::4258", "EPSG::4269")
    ]
    report = report_of(
        shop,
        "\n".join(
            json.dumps({**feature_of(f"s{nth}"), "crs": crs})
            for nth, crs in enumerate([*named, None])
        ),
    )
    assert (report["created"], codes(report, "repairs")) == (4, [(2, "reading")])
    assert store_of(shop, "s0")["metadata"] == {}
