"""Files of stores and geofences over HTTP: taken in, taken in again, refused, taken out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rigs.imports import CSV, bring, counts
from tests.rigs.shop import Shop


def test_a_csv_of_stores_is_taken_in_row_by_row_and_everything_odd_is_reported(shop: Shop) -> None:
    report = bring(shop, CSV).json()
    assert counts(report) == (5, 3, 0, 0, 0, 2)
    assert (
        report["kind"],
        report["format"],
        report["counted"],
        report["complete"],
        report["dry_run"],
    ) == (
        "stores",
        "csv",
        "line",
        True,
        False,
    )
    assert [(one["number"], one["field"], one["code"]) for one in report["errors"]] == [
        (4, "lat", "invalid_position"),
        (5, "external_id", "duplicate_id"),
    ]
    assert "line 2" in report["errors"][1]["detail"]
    assert [(one["number"], one["code"]) for one in report["warnings"]] == [(3, "invalid_hours")]
    assert report["columns"]["Store Number"] == "external_id"
    assert report["columns"]["Parking"] == "metadata"
    assert (report["columns"]["Latitude"], report["columns"]["Longitude"]) == ("lat", "lon")
    assert "948" not in json.dumps(report)
    berlin = shop.client.get("/v1/stores/b-1").json()
    assert (berlin["name"], berlin["brand"], berlin["time_zone"], berlin["metadata"]) == (
        "Berlin, Mitte",
        "kette",
        "Europe/Berlin",
        {"Parking": "yes"},
    )
    assert [(ring["name"], ring["radius_m"]) for ring in berlin["rings"]] == [("near", 150.0)]
    assert shop.client.get("/v1/stores/m-1").json()["opening_hours"] is None
    assert shop.client.get("/v1/geofences/z-1/near").status_code == 200


def test_a_dry_run_counts_as_the_real_one_and_changes_nothing(shop: Shop) -> None:
    shop.client.put("/v1/stores/z-1", json={"name": "old", "lat": 1, "lon": 2})
    tried = bring(shop, CSV, dry_run="true").json()
    assert [one["external_id"] for one in shop.client.get("/v1/stores").json()["data"]] == ["z-1"]
    assert shop.client.get("/v1/stores/z-1").json()["name"] == "old"
    real = bring(shop, CSV).json()
    assert tried["dry_run"] is True
    assert tried | {"dry_run": False} == real
    assert counts(real) == (5, 2, 1, 0, 0, 2)


def test_the_same_file_again_changes_nothing(shop: Shop) -> None:
    bring(shop, CSV)
    before = shop.client.get("/v1/stores").json()
    assert counts(bring(shop, CSV).json()) == (5, 0, 0, 3, 0, 2)
    assert shop.client.get("/v1/stores").json() == before
    assert counts(bring(shop, CSV, dry_run="true").json()) == (5, 0, 0, 3, 0, 2)


def test_what_the_file_has_no_column_for_stays_as_it_was(shop: Shop) -> None:
    kept = {
        "tags": ["flagship"],
        "rings": [{"name": "door", "radius_m": 30.0, "profile": {"name": "exact"}}],
        "metadata": {"till": 3},
    }
    shop.client.put(
        "/v1/stores/s",
        json={
            "name": "S",
            "lat": 48.0,
            "lon": 11.0,
            "time_zone": "Europe/Vienna",
            "address": "A 1",
            **kept,
        },
    )
    report = bring(shop, "id,name,lat,lon\ns,Neu,48,11\n").json()
    assert counts(report) == (1, 0, 1, 0, 0, 0)
    store = shop.client.get("/v1/stores/s").json()
    assert (
        store["name"],
        store["address"],
        store["time_zone"],
        store["tags"],
        store["metadata"],
    ) == (
        "Neu",
        "A 1",
        "Europe/Vienna",
        ["flagship"],
        {"till": 3},
    )
    assert [(ring["name"], ring["radius_m"]) for ring in store["rings"]] == [("door", 30.0)]
    bring(shop, "id,name,lat,lon,tags,address\ns,Neu,48,11,,\n", ring="wide:800")
    store = shop.client.get("/v1/stores/s").json()
    assert (store["tags"], store["address"], [ring["name"] for ring in store["rings"]]) == (
        [],
        None,
        ["wide"],
    )


def test_a_ring_kept_by_name_keeps_the_visit_through_an_import(shop: Shop) -> None:
    bring(shop, "id,name,lat,lon\ns,S,48.137,11.575\n", ring=["near:150", "wide:800"])
    ping = {"device_id": "phone", "lat": 48.137, "lon": 11.575, "ts": shop.now_ms - 60_000}
    shop.client.post("/v1/pings", json=ping)
    assert len(shop.client.get("/v1/visits").json()["data"]) == 2
    bring(shop, "id,name,lat,lon\ns,Renamed,48.137,11.575\n", ring=["near:160"])
    ended = [
        one
        for one in shop.client.get("/v1/events").json()["data"]
        if one["kind"] == "geofence.exited"
    ]
    assert [(one["geofence_id"], one["reason"]) for one in ended] == [
        ("s/wide", "geofence_removed")
    ]


def test_geofences_come_from_circles_and_areas_and_repairs_are_listed(shop: Shop) -> None:
    bow_tie = [[[11.0, 48.0], [11.1, 48.1], [11.1, 48.0], [11.0, 48.1], [11.0, 48.0]]]
    features = [
        {
            "type": "Feature",
            "id": "park",
            "properties": {"name": "Park", "tags": ["a"]},
            "geometry": {"type": "Polygon", "coordinates": bow_tie},
        },
        {
            "type": "Feature",
            "properties": {"id": "c", "subType": "Circle", "radius": 80},
            "geometry": {"type": "Point", "coordinates": [11, 48]},
        },
        {
            "type": "Feature",
            "properties": {"id": "p"},
            "geometry": {"type": "Point", "coordinates": [11, 48]},
        },
        {"type": "Feature", "properties": {"id": "n"}, "geometry": None},
        {
            "type": "Feature",
            "properties": {"id": "o", "store": "nobody", "radius": 50},
            "geometry": {"type": "Point", "coordinates": [11, 48]},
        },
    ]
    report = bring(shop, {"type": "FeatureCollection", "features": features}, "geofences").json()
    assert counts(report) == (5, 2, 0, 0, 0, 3)
    assert [(one["number"], one["code"]) for one in report["errors"]] == [
        (3, "no_radius"),
        (4, "no_position"),
        (5, "no_store"),
    ]
    assert {(one["number"], one["field"]) for one in report["repairs"]} == {(1, "region")}
    assert shop.client.get("/v1/geofences/park").json()["region"]["type"] in (
        "Polygon",
        "MultiPolygon",
    )
    assert shop.client.get("/v1/geofences/c").json()["region"] == {
        "type": "circle",
        "lat": 48.0,
        "lon": 11.0,
        "radius_m": 80.0,
    }


def test_all_the_places_is_taken_as_it_is_published(shop: Shop) -> None:
    closed = {"ref": "9", "name": "Gone", "end_date": "2020-05-05"}
    known = {
        "ref": "1", "@spider": "kette", "name": "Kette", "branch": "Mitte",
        "brand": "Kette", "brand:wikidata": "Q1",
        "addr:street": "Hauptstr.", "addr:housenumber": "5", "addr:city": "Köln",
        "addr:postcode": "50667",
        "opening_hours": "Mo-Sa 08:00-20:00", "website": "https://kette.example",
    }  # fmt: skip
    places = [(known, [6.957, 50.941]), (closed, [6.9, 50.9]), ({"ref": "2", "name": "Lost"}, None)]
    features = [
        {
            "type": "Feature",
            "id": f"hash{nth}",
            "properties": found,
            "geometry": at and {"type": "Point", "coordinates": at},
        }
        for nth, (found, at) in enumerate(places)
    ]
    report = bring(
        shop,
        {
            "type": "FeatureCollection",
            "dataset_attributes": {"@spider": "kette"},
            "features": features,
        },
    ).json()
    assert counts(report) == (3, 1, 0, 0, 1, 1)
    assert [(one["number"], one["code"]) for one in report["warnings"]] == [(2, "closed")]
    assert [(one["number"], one["code"]) for one in report["errors"]] == [(3, "no_position")]
    store = shop.client.get("/v1/stores/1").json()
    assert (store["address"], store["opening_hours"], store["brand"]) == (
        "Hauptstr. 5, 50667 Köln",
        "Mo-Sa 08:00-20:00",
        "Kette",
    )
    assert store["metadata"] == {
        "@spider": "kette",
        "branch": "Mitte",
        "brand:wikidata": "Q1",
        "website": "https://kette.example",
    }


def test_a_file_without_ids_gets_the_same_ones_each_time(shop: Shop) -> None:
    body = "name;breite;laenge\nMitte;52,5201;13,4051\nOst;52,5301;13,4551\n"
    report = bring(shop, body).json()
    assert counts(report) == (2, 2, 0, 0, 0, 0)
    assert [one["code"] for one in report["warnings"]] == ["made_id"]
    assert counts(bring(shop, body).json()) == (2, 0, 0, 2, 0, 0)


def test_a_column_called_id_that_says_the_same_everywhere_is_none(shop: Shop) -> None:
    body = "id,name,lat,lon\n" + "".join(f"0,Store {n},48.{n},11.{n}\n" for n in range(1, 6))
    report = bring(shop, body).json()
    assert counts(report) == (5, 5, 0, 0, 0, 0)
    assert [one["code"] for one in report["warnings"]] == ["id_says_nothing", "made_id"]
    assert report["columns"] == {"lat": "lat", "lon": "lon", "id": "metadata", "name": "name"}
    assert counts(bring(shop, body).json()) == (5, 0, 0, 5, 0, 0)


def test_columns_with_names_of_their_own_are_read_as_the_caller_says(shop: Shop) -> None:
    body = "kasse,bezirk,hoch,quer\n7,Nord,48.5,11.5\n"
    report = bring(
        shop, body, map=["external_id:kasse", "name:bezirk", "lat:hoch", "lon:quer"]
    ).json()
    assert report["columns"] == {
        "kasse": "external_id",
        "bezirk": "name",
        "hoch": "lat",
        "quer": "lon",
    }
    store = shop.client.get("/v1/stores/7").json()
    assert (store["name"], store["lat"], store["lon"]) == ("Nord", 48.5, 11.5)


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({"kind": "shops"}, "/query/kind"),
        ({"kind": "stores", "ring": "near"}, "/query/ring"),
        ({"kind": "stores", "ring": "near:5"}, "/query/ring"),
        ({"kind": "stores", "ring": ["near:50", "near:60"]}, "/query/ring"),
        ({"kind": "geofences", "ring": "near:50"}, "/query/ring"),
        ({"kind": "stores", "map": "colour:red"}, "/query/map"),
        ({"kind": "stores", "map": ["name:a", "name:b"]}, "/query/map"),
        ({"kind": "stores", "set": "brand:target"}, "/query/set"),
        ({"kind": "stores", "set": "brand="}, "/query/set"),
        ({"kind": "stores", "set": "colour=red"}, "/query/set"),
        ({"kind": "geofences", "set": "brand=target"}, "/query/set"),
        ({"kind": "stores", "set": ["brand=a", "brand=b"]}, "/query/set"),
        ({"kind": "stores", "set": "lat=48.1"}, "/query/set"),
        ({"kind": "stores", "set": "external_id=a"}, "/query/set"),
        ({"kind": "stores", "set": "brand=a", "map": "brand:name"}, "/query/set"),
        ({"kind": "stores", "format": "excel"}, "/query/format"),
        ({"kind": "stores", "dryrun": "true"}, "/query/dryrun"),
    ],
)
def test_a_wish_that_nobody_understands_is_refused_before_the_file_is_read(
    shop: Shop, params: dict[str, Any], pointer: str
) -> None:
    answer = shop.client.post("/v1/imports", params=params, content=CSV)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)
    assert shop.client.get("/v1/stores").json()["data"] == []


def test_wrappings_of_a_file_are_refused_with_a_word_on_how_to_send_it(shop: Shop) -> None:
    form = shop.client.post(
        "/v1/imports", params={"kind": "stores"}, files={"file": ("s.csv", CSV)}
    )
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
    assert "--data-binary" in form.json()["detail"]
    packed = shop.client.post(
        "/v1/imports", params={"kind": "stores"}, content=b"x", headers={"Content-Encoding": "gzip"}
    )
    assert (packed.status_code, packed.json()["code"]) == (415, "unsupported_encoding")


def test_only_a_key_that_manages_may_bring_in_and_one_that_reads_may_take_out(shop: Shop) -> None:
    with shop.with_key(shop.pk) as client:
        assert client.post("/v1/imports", params={"kind": "stores"}, content=CSV).status_code == 403
        assert client.get("/v1/exports/stores").status_code == 403
        assert client.get("/v1/lint").status_code == 403
    with shop.with_key("") as client:
        assert client.post("/v1/imports", params={"kind": "stores"}, content=CSV).status_code == 401
