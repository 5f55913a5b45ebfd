"""What a file says is what comes in.

Nothing of it is taken for something else, and nothing is lost without a report.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rigs.shop import Shop

KML = """<kml><Placemark id="a"><ExtendedData><Data name="radius"><value>10.000</value></Data></ExtendedData>
<Point><coordinates>16.3,48.1</coordinates></Point></Placemark></kml>"""
AREA = "POLYGON((16.3 48.2,16.4 48.2,16.4 48.3,16.3 48.3,16.3 48.2))"


def _bring(
    shop: Shop, body: str | bytes | dict[str, Any] | list[Any], kind: str = "stores", **params: Any
) -> Any:
    content = json.dumps(body) if isinstance(body, dict | list) else body
    answer = shop.client.post("/v1/imports", params={"kind": kind, **params}, content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def _vienna(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [16.37, 48.2]},
        "properties": {"id": name, **more},
    }


def _store(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/stores/{name}").json()


def _region(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/geofences/{name}").json()["region"]


def _listed(report: dict[str, Any], *lists: str) -> list[tuple[int | None, str]]:
    return [(one["number"], one["code"]) for name in lists for one in report[name]]


@pytest.mark.parametrize(
    "more", [{"Breite": 12.5, "Länge": 30.0}, {"X": 626123, "Y": 483211}, {"lat": 1.5, "lon": 2.5}]
)
def test_a_store_stands_where_its_geometry_is_whatever_its_properties_are_called(
    shop: Shop, more: dict[str, Any]
) -> None:
    report = _bring(shop, _collection(_vienna("g", **more)))
    store = _store(shop, "g")
    assert (store["lat"], store["lon"], store["metadata"]) == (48.2, 16.37, more)
    assert report["columns"] == {"id": "external_id", **dict.fromkeys(more, "metadata")}


def test_a_geofence_lies_where_its_geometry_is_whatever_its_properties_are_called(
    shop: Shop,
) -> None:
    _bring(
        shop,
        _collection(_vienna("g", x=3, y=7, radius_m=200), _vienna("h", x=3, y=7, radius_km=2)),
        "geofences",
    )
    assert _region(shop, "g") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 200}
    assert _region(shop, "h") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 2000}
    assert shop.client.get("/v1/geofences/h").json()["metadata"] == {"x": 3, "y": 7}


def test_columns_say_the_position_where_a_row_has_no_geometry_or_the_caller_names_them(
    shop: Shop,
) -> None:
    nowhere = {"type": "Feature", "geometry": None, "properties": {"id": "n", "y": 47.5, "x": 11.5}}
    report = _bring(shop, _collection(_vienna("g", y=1, x=2), nowhere))
    assert [(_store(shop, name)["lat"], _store(shop, name)["lon"]) for name in "gn"] == [
        (48.2, 16.37),
        (47.5, 11.5),
    ]
    assert (report["columns"]["y"], report["columns"]["x"]) == ("lat", "lon")
    _bring(shop, _collection(_vienna("g", y=1, x=2)), map=["lat:y", "lon:x"])
    assert (_store(shop, "g")["lat"], _store(shop, "g")["lon"]) == (1, 2)


def test_a_store_with_a_position_and_an_area_stands_at_its_position_and_the_area_is_reported(
    shop: Shop,
) -> None:
    report = _bring(
        shop,
        f'id,lat,lon,wkt\nw,48.2001,16.3001,"{AREA}"\nv,,,"{AREA}"\nu,626123,483211,"{AREA}"\n',
    )
    assert (_store(shop, "w")["lat"], _store(shop, "w")["lon"]) == (48.2001, 16.3001)
    assert _listed(report, "warnings") == [
        (2, "area_left_out"),
        (3, "position_from_area"),
        (4, "invalid_position"),
        (4, "position_from_area"),
    ]
    assert report["columns"] == {"id": "external_id", "lat": "lat", "lon": "lon", "wkt": "region"}


def test_a_radius_that_nothing_is_made_of_stays_as_metadata(shop: Shop) -> None:
    report = _bring(shop, f'id;wkt;radius;lat;lon\na;"{AREA}";500;48,2;16,3\n', "geofences")
    assert shop.client.get("/v1/geofences/a").json()["metadata"] == {
        "radius": "500",
        "lat": "48,2",
        "lon": "16,3",
    }
    assert report["columns"]["radius"] == "metadata"
    _bring(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n")
    assert (_store(shop, "b")["rings"][0]["radius_m"], _store(shop, "b")["metadata"]) == (
        700,
        {"radius_km": "2"},
    )
    _bring(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n", map="radius:radius_km")
    assert _store(shop, "b")["rings"][0]["radius_m"] == 2000


def test_thousands_in_a_radius_are_read_by_the_decimal_mark_of_the_positions_and_reported_once(
    shop: Shop,
) -> None:
    english = 'id,lat,lon,radius\na,48.1,16.3,"50,000"\nb,48.2,16.4,"10,500 ft"\nc,48.3,16.4,150.125\nd,48.3,16.5,150\n'
    report = _bring(shop, english)
    assert [_store(shop, name)["rings"][0]["radius_m"] for name in "abcd"] == [
        50_000,
        3200.4,
        150.125,
        150,
    ]
    assert [(one["number"], one["code"], one["detail"]) for one in report["repairs"]] == [
        (
            2,
            "reading",
            "lengths such as '50,000' were read as numbers with thousands: the file's decimal mark is the point",
        )
    ]
    german = "id;lat;lon;radius_km\na;48,1;16,3;0,500\nb;48,2;16,4;1.500,5 m\nc;48,3;16,4;10.000 m\nd;48,4;16,4;20.000 m\n"
    report = _bring(shop, german, "geofences")
    assert [_region(shop, name)["radius_m"] for name in "abcd"] == [500, 1500.5, 10_000, 20_000]
    assert _listed(report, "repairs") == [(4, "reading")]
    report = _bring(shop, "id,lat,lon,radius\na,48.1,16.3,150.000\n", "geofences")
    assert (_region(shop, "a")["radius_m"], _listed(report, "repairs")) == (150, [(2, "reading")])


@pytest.mark.parametrize(
    "body",
    [
        "id;lat;lon;radius\na;48;16;10.000\n",
        "id;lat;lon;radius\nb;48.1;16,3;10.000\na;48,1;16.3;10.000\n",
        json.dumps(_collection(_vienna("a", radius="10.000"))),
        json.dumps(_collection(_vienna("a", radius_km="10,000"))),
        KML,
    ],
)
def test_a_radius_is_refused_where_nothing_tells_whether_it_has_thousands(
    shop: Shop, body: str
) -> None:
    report = _bring(shop, body)
    assert (report["created"], report["failed"]) == (0, report["rows"])
    assert {(one["field"], one["code"]) for one in report["errors"]} == {
        ("radius", "invalid_radius")
    }
    assert all("thousands" in one["detail"] for one in report["errors"])


@pytest.mark.parametrize("name", ["delivery_radius", "Delivery.Radius", "search_radius"])
def test_a_column_that_only_ends_in_radius_is_no_ring(shop: Shop, name: str) -> None:
    report = _bring(shop, f"id,lat,lon,{name}\na,48.1,16.3,5000\n")
    assert (
        [ring["radius_m"] for ring in _store(shop, "a")["rings"]],
        _store(shop, "a")["metadata"],
    ) == ([150], {name: "5000"})
    assert report["columns"] == {"id": "external_id", "lat": "lat", "lon": "lon", name: "metadata"}


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
    report = _bring(shop, f"id,shop_latitude,shop_longitude,{name},note,note\na,48.1,16.3,50,x,y\n")
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
    report = _bring(
        shop,
        "\n".join(
            [
                "id,lat,lon,end_date",
                *(f"e{nth},48.{nth},16.3,{end}" for nth, end in enumerate(ends, 1)),
            ]
        ),
    )
    assert (report["created"], report["skipped"], report["failed"]) == (6, 1, 0)
    assert _listed(report, "warnings") == [(6, "invalid_time"), (8, "closed")]


def _numbered(*numbers: int) -> dict[str, Any]:
    return _collection(
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
    assert _bring(shop, _numbered(1, 2, 3, 4, 5))["created"] == 5
    report = _bring(shop, _numbered(*left), dry_run=dry_run)
    assert (report["unchanged"], report["created"]) == (len(left), 0)
    assert (None, "id_says_nothing") in _listed(report, "warnings")
    assert len(shop.client.get("/v1/stores").json()["data"]) == 5


def test_numbers_under_which_the_record_knows_the_stores_are_ids_even_in_a_row(shop: Shop) -> None:
    assert _bring(shop, _numbered(4711, 4713))["created"] == 2
    report = _bring(shop, _numbered(4711, 4712, 4713))
    assert (report["unchanged"], report["created"], report["warnings"]) == (2, 1, [])
    assert _store(shop, "4712")["name"] == "S4712"
    assert _listed(_bring(shop, _numbered(90, 91, 92)), "warnings") == [
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
    kept = _store(shop, "[1,2]")
    assert (kept["name"], kept["brand"], kept["address"], kept["opening_hours"]) == (
        "{} [1, 2]",
        "[b]",
        "[1,2] x",
        "24/7",
    )
    taken = shop.client.get("/v1/exports/stores", params={"format": form})
    assert "written%20as%20JSON" not in taken.headers.get("X-Geofence-Losses", "")
    report = _bring(shop, taken.content)
    assert (report["rows"], report["unchanged"]) == (2, 2)


def test_rows_that_a_stray_quotation_mark_swallows_are_reported_with_their_lines(
    shop: Shop,
) -> None:
    report = _bring(
        shop,
        'id,name,lat,lon\nk1,"A,48.1,16.3\nk2,B,48.2,16.4\nk3,C",48.3,16.5\nk4,"D,\nin the yard",48.4,16.6\n',
    )
    assert _listed(report, "warnings") == [(2, "reading")]
    assert "lines 2 to 4 were read as one row" in report["warnings"][0]["detail"]


def test_a_second_radius_is_metadata(shop: Shop) -> None:
    report = _bring(shop, "id,lat,lon,radius,radius\na,48.1,16.3,200,700\n")
    assert (_store(shop, "a")["rings"][0]["radius_m"], _store(shop, "a")["metadata"]) == (
        200,
        {"radius_2": "700"},
    )
    assert (report["columns"]["radius"], report["columns"]["radius_2"]) == ("radius", "metadata")


def test_numbers_are_read_alike_as_texts_of_json_and_in_cells(shop: Shop) -> None:
    _bring(
        shop,
        [
            {"id": "a", "lat": "48,1", "lng": "16,3"},
            {"id": "b", "lat": " 48.1 ", "lng": "16.3", "radius": "0,5 km"},
        ],
    )
    assert [(_store(shop, name)["lat"], _store(shop, name)["lon"]) for name in "ab"] == [
        (48.1, 16.3)
    ] * 2
    assert _store(shop, "b")["rings"][0]["radius_m"] == 500
    report = _bring(shop, [{"id": "c", "lat": "4_8", "lng": "16"}])
    assert [one["code"] for one in report["errors"]] == ["invalid_position"]


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
    report = _bring(shop, f"id,{header}\na,48.1,16.3\n")
    assert (_store(shop, "a")["lat"], list(report["columns"].values())) == (
        48.1,
        ["lat", "lon", "external_id"],
    )
    assert _bring(shop, "id,x (m),y (m)\na,626123,483211\n")["errors"][0]["code"] == "no_position"


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
    strange, plain = _vienna("a"), _vienna("b")
    (strange["geometry"] if inside else strange)["crs"] = crs
    report = _bring(shop, "\n".join(map(json.dumps, (strange, plain))))
    assert (report["format"], report["created"]) == ("geojsonl", 1)
    assert _listed(report, "errors") == [(1, "crs_unsupported")]


def test_a_line_of_geojson_that_says_it_is_in_wgs84_is_read_and_one_close_to_it_reported_once(
    shop: Shop,
) -> None:
    named = [
        {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{name}"}}
        for name in ("OGC:1.3:CRS84", "EPSG::4258", "EPSG::4269")
    ]
    report = _bring(
        shop,
        "\n".join(
            json.dumps({**_vienna(f"s{nth}"), "crs": crs}) for nth, crs in enumerate([*named, None])
        ),
    )
    assert (report["created"], _listed(report, "repairs")) == (4, [(2, "reading")])
    assert _store(shop, "s0")["metadata"] == {}
