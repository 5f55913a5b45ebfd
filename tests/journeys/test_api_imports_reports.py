"""What an import tells of files that were nearly right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rigs.shop import Shop

SQUARE = [[[11.0, 48.0], [11.1, 48.0], [11.1, 48.1], [11.0, 48.1], [11.0, 48.0]]]


def _post(
    shop: Shop, body: str | bytes | dict[str, Any], kind: str = "stores", **params: Any
) -> Any:
    content = json.dumps(body) if isinstance(body, dict) else body
    return shop.client.post("/v1/imports", params={"kind": kind, **params}, content=content)


def _bring(
    shop: Shop, body: str | bytes | dict[str, Any], kind: str = "stores", **params: Any
) -> Any:
    answer = _post(shop, body, kind, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _notes(report: dict[str, Any], *lists: str) -> list[tuple[int | None, str | None, str]]:
    return [(one["number"], one["field"], one["code"]) for name in lists for one in report[name]]


def _collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def _area(east: float, **more: Any) -> dict[str, Any]:
    rings = [[[lon + east, lat] for lon, lat in SQUARE[0]]]
    return {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": rings},
        **more,
    }


@pytest.mark.parametrize("body", ["id;name;lat;lon\n1;A;48,1;11,5\n", "id,name,lat,lon\n"])
def test_a_column_that_is_named_but_not_there_is_refused_with_those_that_are(
    shop: Shop, body: str
) -> None:
    answer = _post(shop, body, map=["name:name", "lat:hoehe"])
    assert (answer.status_code, answer.json()["code"]) == (422, "no_column")
    assert (
        answer.json()["detail"]
        == "there is no column 'hoehe'; the columns are 'id', 'name', 'lat', 'lon'"
    )
    assert shop.client.get("/v1/stores").json()["data"] == []


def test_a_property_that_comes_late_is_there_and_so_is_a_column_that_became_the_position(
    shop: Shop,
) -> None:
    features: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"n": n},
            "geometry": {"type": "Point", "coordinates": [11, 48 + n / 1000]},
        }
        for n in range(150)
    ]
    features[149]["properties"]["kasse"] = "late"
    assert _bring(shop, _collection(*features), map="external_id:kasse")["created"] == 150
    assert shop.client.get("/v1/stores/late").status_code == 200
    assert _bring(shop, "id,breite,lng\na,48.1,11.5\n", map="lat:breite")["created"] == 1


@pytest.mark.parametrize("first", [0, 1])
def test_ids_that_only_count_the_features_do_not_make_one_drawing_overwrite_another(
    shop: Shop, first: int
) -> None:
    one = _bring(
        shop,
        _collection(*(_area(east, id=nth) for nth, east in enumerate((0, 1, 2), first))),
        "geofences",
    )
    other = _bring(
        shop,
        _collection(*(_area(east, id=nth) for nth, east in enumerate((3, 4), first))),
        "geofences",
    )
    assert (one["created"], other["created"], other["updated"]) == (3, 2, 0)
    assert _notes(other, "warnings") == [
        (None, "external_id", "id_says_nothing"),
        (None, "external_id", "made_id"),
    ]
    again = _bring(
        shop,
        _collection(*(_area(east, id=nth) for nth, east in enumerate((4, 3), first))),
        "geofences",
    )
    assert again["unchanged"] == 2


def test_numbers_that_are_more_than_a_place_in_the_file_stay_ids(shop: Shop) -> None:
    report = _bring(
        shop, _collection(*(_area(nth, id=own) for nth, own in enumerate((1, 2, 4)))), "geofences"
    )
    assert (report["created"], report["warnings"]) == (3, [])
    assert shop.client.get("/v1/geofences/4").status_code == 200


def test_an_export_of_places_called_by_number_comes_back_as_they_are(shop: Shop) -> None:
    for name in ("0", "1"):
        shop.client.put(
            f"/v1/stores/{name}",
            json={"name": name, "lat": 48, "lon": 11, "rings": [{"name": "near", "radius_m": 150}]},
        )
    taken = shop.client.get("/v1/exports/stores", params={"format": "geojson"}).content
    report = _bring(shop, taken)
    assert (report["unchanged"], report["warnings"]) == (2, [])


def test_what_any_tool_writes_is_reported_once_and_what_crosses_itself_row_by_row(
    shop: Shop,
) -> None:
    clockwise = [
        {
            **_area(east, id=f"c{east}"),
            "geometry": {"type": "Polygon", "coordinates": [SQUARE[0][::-1]]},
        }
        for east in range(3)
    ]
    twice = {
        **_area(5, id="t"),
        "geometry": {"type": "Polygon", "coordinates": [[*SQUARE[0], SQUARE[0][-1]]]},
    }
    bow_tie = [[11.0, 48.0], [11.1, 48.1], [11.1, 48.0], [11.0, 48.1], [11.0, 48.0]]
    crossed = {**_area(7, id="x"), "geometry": {"type": "Polygon", "coordinates": [bow_tie]}}
    report = _bring(shop, _collection(*clockwise, twice, crossed), "geofences")
    assert _notes(report, "repairs")[0] == (5, "region", "repaired")
    assert {one["number"] for one in report["repairs"]} == {5, None}
    found = [one["detail"] for one in report["repairs"] if one["number"] is None]
    assert found == [
        "3 areas had rings wound the other way round than GeoJSON has them; turned",
        "1 area had points that repeat the one before; dropped",
    ]


def test_a_shapefile_that_keeps_its_own_standard_is_reported_nothing(shop: Shop) -> None:
    shop.client.put("/v1/geofences/a", json={"region": {"type": "Polygon", "coordinates": SQUARE}})
    taken = shop.client.get("/v1/exports/geofences", params={"format": "shapefile"}).content
    report = _bring(shop, taken, "geofences")
    assert (report["unchanged"], report["repairs"]) == (1, [])


def test_a_radius_is_understood_with_its_unit_or_refused_as_what_it_is(shop: Shop) -> None:
    rows = (
        "a;48,1;11,5;0,5 km",
        "b;48,1;11,6;wide",
        "c;;11,5;100",
        "d;48,1;x;100",
        "e;48,2;11,5;500ft",
        "f;48,3;11,5;2",
    )
    report = _bring(shop, "\n".join(("id;lat;lon;radius", *rows)), "geofences")
    assert _notes(report, "errors") == [
        (3, "radius", "invalid_radius"),
        (4, "lat", "invalid_position"),
        (5, "lon", "invalid_position"),
        (7, "region", "radius_too_small"),
    ]
    assert "'wide'" in report["errors"][0]["detail"]
    radii = [shop.client.get(f"/v1/geofences/{name}").json()["region"]["radius_m"] for name in "ae"]
    assert radii == [500.0, pytest.approx(152.4)]


@pytest.mark.parametrize("kind", ["stores", "geofences"])
def test_a_column_of_units_beside_the_radius_is_heeded(shop: Shop, kind: str) -> None:
    assert (
        _bring(shop, "id,lat,lon,radius,radius_units\na,48.1,11.5,1.5,km\n", kind)["created"] == 1
    )
    name = "a/near" if kind == "stores" else "a"
    assert shop.client.get(f"/v1/geofences/{name}").json()["region"]["radius_m"] == 1500.0


def test_a_time_zone_that_is_none_is_quoted(shop: Shop) -> None:
    report = _bring(shop, "id,lat,lon,time_zone\na,48.1,11.5,MEZ\n")
    assert report["warnings"][0]["detail"].startswith("'MEZ' names no IANA time zone")


def test_what_other_services_answer_with_every_geofence_is_no_metadata_and_their_ids_are_ids(
    shop: Shop,
) -> None:
    circle = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [11.5, 48.1]}}
    azure = _collection(
        {**circle, "properties": {"geometryId": "azure-1", "subType": "Circle", "radius": 150}}
    )
    amazon = {
        "Entries": [
            {
                "GeofenceId": "amazon-1",
                "Geometry": {"Circle": {"Center": [11.5, 48.2], "Radius": 150}},
                "Status": "ACTIVE",
            }
        ]
    }
    radar = {"_id": "5f", "externalId": "radar-1", "live": True, "type": "circle", "enabled": True}
    radar |= {
        "geometryCenter": {"type": "Point", "coordinates": [11.5, 48.3]},
        "geometryRadius": 150,
    }
    for body, name in (
        (azure, "azure-1"),
        (amazon, "amazon-1"),
        ({"geofences": [radar]}, "radar-1"),
    ):
        report = _bring(shop, body, "geofences")
        assert (report["created"], report["warnings"]) == (1, [])
        assert shop.client.get(f"/v1/geofences/{name}").json()["metadata"] == {}


def test_a_geofence_whose_store_is_not_there_names_it(shop: Shop) -> None:
    report = _bring(
        shop, "id,name,lat,lon,radius,store\na,Back yard,48.1,11.5,100,kasse 9\n", "geofences"
    )
    (error,) = report["errors"]
    assert (error["number"], error["field"], error["code"], error["name"]) == (
        2,
        "store",
        "no_store",
        "Back yard",
    )
    assert "'kasse 9'; bring the stores in first" in error["detail"]


@pytest.mark.parametrize("kind", ["stores", "geofences"])
def test_a_line_is_reported_as_what_it_is_with_the_name_of_its_row(shop: Shop, kind: str) -> None:
    line = {
        "type": "Feature",
        "properties": {"name": "Tram 5"},
        "geometry": {"type": "LineString", "coordinates": SQUARE[0]},
    }
    (error,) = _bring(shop, _collection(line), kind)["errors"]
    assert (error["code"], error["detail"], error["name"]) == (
        "not_a_region",
        "is a line; only points and areas are read",
        "Tram 5",
    )
    assert error["field"] == ("region" if kind == "geofences" else None)


def test_german_columns_are_understood(shop: Shop) -> None:
    report = _bring(
        shop,
        "Nr;Filialname;Straße;Hausnr;Postleitzahl;Ort;Breitengrad;Längengrad\n"
        "7;Mitte;Platz;1;80331;München;48,1;11,5\n",
    )
    assert report["created"] == 1
    store = shop.client.get("/v1/stores/7").json()
    assert (store["name"], store["address"], store["lat"]) == (
        "Mitte",
        "Platz 1, 80331 München",
        48.1,
    )


@pytest.mark.parametrize("body", ["id,name,lat,lon\n", json.dumps(_collection())])
def test_a_file_without_rows_is_reported(shop: Shop, body: str) -> None:
    report = _bring(shop, body)
    assert (report["rows"], _notes(report, "warnings")) == (0, [(None, None, "empty")])


@pytest.mark.parametrize(
    "body", ["1,Foo,48.1,11.5\n2,Bar,48.2,11.6\n", "1;Foo;48,1;11,5\n2;Bar;48,2;11,6\n"]
)
def test_a_file_whose_first_line_is_data_is_refused_without_its_positions(
    shop: Shop, body: str
) -> None:
    answer = _post(shop, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_header")
    assert "48" not in answer.json()["detail"]
