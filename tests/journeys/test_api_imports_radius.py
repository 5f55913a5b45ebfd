"""A file's radius over HTTP: its unit, its thousands, and columns that only look like one."""

from __future__ import annotations

import json

import pytest

from tests.rigs.imports import AREA, codes, collection, feature_of, region_of, report_of, store_of
from tests.rigs.shop import Shop

KML = """<kml><Placemark id="a">
<ExtendedData><Data name="radius"><value>10.000</value></Data></ExtendedData>
<Point><coordinates>16.3,48.1</coordinates></Point></Placemark></kml>"""


def test_a_radius_that_nothing_is_made_of_stays_as_metadata(shop: Shop) -> None:
    report = report_of(shop, f'id;wkt;radius;lat;lon\na;"{AREA}";500;48,2;16,3\n', "geofences")
    assert shop.client.get("/v1/geofences/a").json()["metadata"] == {
        "radius": "500",
        "lat": "48,2",
        "lon": "16,3",
    }
    assert report["columns"]["radius"] == "metadata"
    report_of(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n")
    assert (store_of(shop, "b")["rings"][0]["radius_m"], store_of(shop, "b")["metadata"]) == (
        700,
        {"radius_km": "2"},
    )
    report_of(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n", map="radius:radius_km")
    assert store_of(shop, "b")["rings"][0]["radius_m"] == 2000


def test_thousands_in_a_radius_are_read_by_the_decimal_mark_of_the_positions_and_reported_once(
    shop: Shop,
) -> None:
    english = (
        'id,lat,lon,radius\na,48.1,16.3,"50,000"\nb,48.2,16.4,"10,500 ft"\n'
        "c,48.3,16.4,150.125\nd,48.3,16.5,150\n"
    )
    report = report_of(shop, english)
    assert [store_of(shop, name)["rings"][0]["radius_m"] for name in "abcd"] == [
        50_000,
        3200.4,
        150.125,
        150,
    ]
    assert [(one["number"], one["code"], one["detail"]) for one in report["repairs"]] == [
        (
            2,
            "reading",
            (
                "lengths such as '50,000' were read as numbers with thousands:"
                " the file's decimal mark is the point"
            ),
        )
    ]
    german = (
        "id;lat;lon;radius_km\na;48,1;16,3;0,500\nb;48,2;16,4;1.500,5 m\n"
        "c;48,3;16,4;10.000 m\nd;48,4;16,4;20.000 m\n"
    )
    report = report_of(shop, german, "geofences")
    assert [region_of(shop, name)["radius_m"] for name in "abcd"] == [500, 1500.5, 10_000, 20_000]
    assert codes(report, "repairs") == [(4, "reading")]
    report = report_of(shop, "id,lat,lon,radius\na,48.1,16.3,150.000\n", "geofences")
    assert (region_of(shop, "a")["radius_m"], codes(report, "repairs")) == (150, [(2, "reading")])


@pytest.mark.parametrize(
    "body",
    [
        "id;lat;lon;radius\na;48;16;10.000\n",
        "id;lat;lon;radius\nb;48.1;16,3;10.000\na;48,1;16.3;10.000\n",
        json.dumps(collection(feature_of("a", radius="10.000"))),
        json.dumps(collection(feature_of("a", radius_km="10,000"))),
        KML,
    ],
)
def test_a_radius_is_refused_where_nothing_tells_whether_it_has_thousands(
    shop: Shop, body: str
) -> None:
    report = report_of(shop, body)
    assert (report["created"], report["failed"]) == (0, report["rows"])
    assert {(one["field"], one["code"]) for one in report["errors"]} == {
        ("radius", "invalid_radius")
    }
    assert all("thousands" in one["detail"] for one in report["errors"])


@pytest.mark.parametrize("name", ["delivery_radius", "Delivery.Radius", "search_radius"])
def test_a_column_that_only_ends_in_radius_is_no_ring(shop: Shop, name: str) -> None:
    report = report_of(shop, f"id,lat,lon,{name}\na,48.1,16.3,5000\n")
    assert (
        [ring["radius_m"] for ring in store_of(shop, "a")["rings"]],
        store_of(shop, "a")["metadata"],
    ) == ([150], {name: "5000"})
    assert report["columns"] == {"id": "external_id", "lat": "lat", "lon": "lon", name: "metadata"}


def test_a_second_radius_is_metadata(shop: Shop) -> None:
    report = report_of(shop, "id,lat,lon,radius,radius\na,48.1,16.3,200,700\n")
    assert (store_of(shop, "a")["rings"][0]["radius_m"], store_of(shop, "a")["metadata"]) == (
        200,
        {"radius_2": "700"},
    )
    assert (report["columns"]["radius"], report["columns"]["radius_2"]) == ("radius", "metadata")


def test_numbers_are_read_alike_as_texts_of_json_and_in_cells(shop: Shop) -> None:
    report_of(
        shop,
        [
            {"id": "a", "lat": "48,1", "lng": "16,3"},
            {"id": "b", "lat": " 48.1 ", "lng": "16.3", "radius": "0,5 km"},
        ],
    )
    assert [(store_of(shop, name)["lat"], store_of(shop, name)["lon"]) for name in "ab"] == [
        (48.1, 16.3)
    ] * 2
    assert store_of(shop, "b")["rings"][0]["radius_m"] == 500
    report = report_of(shop, [{"id": "c", "lat": "4_8", "lng": "16"}])
    assert [one["code"] for one in report["errors"]] == ["invalid_position"]
