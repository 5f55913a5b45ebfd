"""Files without positions, which update known places, and values that hold in every row."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rigs.shop import Shop

CIRCLE = {"type": "circle", "lat": 48.1, "lon": 11.5, "radius_m": 300.0}
AREA = {
    "type": "Polygon",
    "coordinates": [[[11.0, 48.0], [11.1, 48.0], [11.1, 48.1], [11.0, 48.1], [11.0, 48.0]]],
}
RINGS = [{"name": "near", "radius_m": 50}, {"name": "wide", "radius_m": 500}]
COUNTS = ("rows", "created", "updated", "unchanged", "failed")


def _bring(shop: Shop, body: str, kind: str = "stores", **params: Any) -> dict[str, Any]:
    answer = shop.client.post("/v1/imports", params={"kind": kind, **params}, content=body)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def _counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report[name] for name in COUNTS)


def _errors(report: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(one["number"], one["field"], one["code"]) for one in report["errors"]]


@pytest.fixture
def stores(shop: Shop) -> Shop:
    for name in ("a", "b"):
        store = {"name": name, "brand": "x", "lat": 48.1, "lon": 11.5, "rings": RINGS}
        assert shop.client.put(f"/v1/stores/{name}", json=store).status_code == 201
    return shop


def test_a_list_of_ids_and_radii_updates_the_stores_and_nothing_else(stores: Shop) -> None:
    before = stores.client.get("/v1/stores/a").json()
    body = "store_id,radius_m\na,70\nb,\nunknown,80\n,90\n"
    tried = _bring(stores, body, dry_run="true")
    assert stores.client.get("/v1/stores/a").json() == before
    report = _bring(stores, body)
    assert _counts(report) == _counts(tried) == (4, 0, 1, 1, 2)
    assert _errors(report) == [
        (4, "external_id", "unknown_id"),
        (5, "external_id", "no_position"),
    ]
    assert "needs a position" in report["errors"][0]["detail"]
    after = stores.client.get("/v1/stores/a").json()
    assert [ring["radius_m"] for ring in after["rings"]] == [70, 500]
    same = before.keys() - {"rings", "updated_at"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert _counts(_bring(stores, "store_id,radius_m\na,70\n")) == (1, 0, 0, 1, 0)


def test_each_field_alone_can_be_updated(stores: Shop) -> None:
    _bring(stores, "id,tags\na,red;blue\n")
    _bring(stores, "id,name\na,Anna\n")
    _bring(stores, "id,opening_hours\na,24/7\n")
    _bring(stores, "id,brand\na,\n")
    store = stores.client.get("/v1/stores/a").json()
    assert (store["tags"], store["name"]) == (["red", "blue"], "Anna")
    assert (store["opening_hours"], store["brand"], store["lat"]) == ("24/7", None, 48.1)


def test_a_radius_beyond_the_limits_is_an_error_of_its_row(stores: Shop) -> None:
    report = _bring(stores, "id,radius_m\na,5\nb,60\n")
    assert (_counts(report), report["errors"][0]["code"]) == ((2, 0, 1, 0, 1), "radius_too_small")


def test_an_unknown_column_may_be_the_position_so_nothing_is_updated(stores: Shop) -> None:
    report = _bring(stores, "id,radius_m,Rechtswert\na,70,4468503\n")
    assert _errors(report) == [(2, "lat", "no_position")]
    assert "'Rechtswert' is none" in report["errors"][0]["detail"]


def test_an_empty_position_is_no_update(stores: Shop) -> None:
    assert _errors(_bring(stores, "id,lat,lon,radius_m\na,,,70\n")) == [(2, "lat", "no_position")]


def test_more_rows_than_one_chunk_find_their_stores(stores: Shop) -> None:
    rows = "".join(f"n{number},48.{number:05d},11,50\n" for number in range(2_500))
    assert _bring(stores, f"id,lat,lon,radius_m\n{rows}")["created"] == 2_500
    rows = "".join(f"n{number},60\n" for number in range(2_500))
    assert _counts(_bring(stores, f"id,radius_m\n{rows}")) == (2_500, 0, 2_500, 0, 0)


def test_a_list_of_ids_and_radii_updates_circles_and_refuses_areas(shop: Shop) -> None:
    for name, region in (("c", CIRCLE), ("p", AREA)):
        shop.client.put(f"/v1/geofences/{name}", json={"name": name, "region": region})
    body = "external_id,radius_m\nc,400\np,400\nq,400\n"
    report = _bring(shop, body, "geofences")
    assert _counts(report) == (3, 0, 1, 0, 2)
    assert _errors(report) == [
        (3, "radius", "not_a_circle"),
        (4, "external_id", "unknown_id"),
    ]
    changed = shop.client.get("/v1/geofences/c").json()
    assert changed["region"] == {**CIRCLE, "radius_m": 400.0}
    assert changed["name"] == "c"
    assert _counts(_bring(shop, "external_id,enabled\np,false\n", "geofences")) == (1, 0, 1, 0, 0)
    area = shop.client.get("/v1/geofences/p").json()
    assert (area["enabled"], area["region"]["type"]) == (False, "Polygon")


def test_a_value_that_holds_in_every_row_wins_over_a_column(shop: Shop) -> None:
    body = "id,lat,lon,operator,radius_m\na,48.1,11.5,Other,70\nb,48.2,11.5,,80\n"
    report = _bring(shop, body, set=["brand=target", "tags=big;new", "radius=0,2 km"])
    assert _counts(report) == (2, 2, 0, 0, 0)
    assert report["columns"] == {
        "lat": "lat",
        "lon": "lon",
        "set=brand": "brand",
        "set=tags": "tags",
        "set=radius": "radius",
        "id": "external_id",
        "operator": "metadata",
    }
    for name in ("a", "b"):
        store = shop.client.get(f"/v1/stores/{name}").json()
        assert (store["brand"], store["tags"]) == ("target", ["big", "new"])
        assert [ring["radius_m"] for ring in store["rings"]] == [200.0]
    assert shop.client.get("/v1/stores/a").json()["metadata"] == {"operator": "Other"}


def test_a_value_for_every_row_goes_with_a_list_that_only_updates(stores: Shop) -> None:
    assert _counts(_bring(stores, "id\na\nb\n", set="brand=target", format="csv")) == (
        2,
        0,
        2,
        0,
        0,
    )
    store = stores.client.get("/v1/stores/b").json()
    assert (store["brand"], store["rings"][1]["radius_m"]) == ("target", 500)


def test_a_value_that_cannot_be_used_is_an_error_as_in_a_cell(shop: Shop) -> None:
    report = _bring(shop, "id,lat,lon\na,48.1,11.5\n", set="radius=broad")
    assert _errors(report) == [(2, "radius", "invalid_radius")]


@pytest.mark.parametrize(
    "given", [["lat:lon", "lon:lat"], ["name:radius_m"], ["radius:lat"], ["name:lat"]]
)
def test_a_column_that_is_read_as_another_part_of_the_position_is_refused(
    shop: Shop, given: list[str]
) -> None:
    answer = shop.client.post(
        "/v1/imports",
        params={"kind": "stores", "map": given},
        content="id,lat,lon,radius_m\na,48.1,11.5,70\n",
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "column_in_use")
    assert shop.client.get("/v1/stores").json()["data"] == []


def test_a_property_that_became_the_radius_is_no_name(shop: Shop) -> None:
    point = {"type": "Point", "coordinates": [11.5, 48.1]}
    feature = {"type": "Feature", "properties": {"n": 1, "radius": 70}, "geometry": point}
    for given, code in (("name:radius", "column_in_use"), ("lat:breite", "no_column")):
        answer = shop.client.post(
            "/v1/imports",
            params={"kind": "stores", "map": given},
            json={"type": "FeatureCollection", "features": [feature]},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_one_cause_of_many_findings_is_one_finding(shop: Shop) -> None:
    rows = "".join(f"s{number},{number}.25,11.37,150\n" for number in range(40, 60))
    report = _bring(shop, f"id,lat,lon,radius_m\n{rows}")
    (found,) = [one for one in report["lint"] if one["code"] == "low_precision"]
    assert found["detail"].startswith('20 geofences, the worst of them "s40/near": ')
    assert (found["geofences"][0], len(found["geofences"])) == ("s40/near", 20)
