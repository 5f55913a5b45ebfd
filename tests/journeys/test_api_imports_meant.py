"""What a file says is what comes in: nothing of it is taken for something else, and nothing is lost untold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.servers.shop import Shop

AREA = "POLYGON((16.3 48.2,16.4 48.2,16.4 48.3,16.3 48.3,16.3 48.2))"


def _bring(shop: Shop, body: str | bytes | dict[str, Any] | list[Any], kind: str = "stores", **params: Any) -> Any:
    content = json.dumps(body) if isinstance(body, dict | list) else body
    answer = shop.client.post("/v1/imports", params={"kind": kind, **params}, content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def _vienna(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [16.37, 48.2]}, "properties": {"id": name, **more}}


def _store(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/stores/{name}").json()


def _region(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/geofences/{name}").json()["region"]


def _told(report: dict[str, Any], *lists: str) -> list[tuple[int | None, str]]:
    return [(one["number"], one["code"]) for name in lists for one in report[name]]


@pytest.mark.parametrize("more", [{"Breite": 12.5, "Länge": 30.0}, {"X": 626123, "Y": 483211}, {"lat": 1.5, "lon": 2.5}])
def test_a_store_stands_where_its_geometry_is_whatever_its_properties_are_called(shop: Shop, more: dict[str, Any]) -> None:
    report = _bring(shop, _collection(_vienna("g", **more)))
    store = _store(shop, "g")
    assert (store["lat"], store["lon"], store["metadata"]) == (48.2, 16.37, more)
    assert report["columns"] == {"id": "external_id", **dict.fromkeys(more, "metadata")}


def test_a_geofence_lies_where_its_geometry_is_whatever_its_properties_are_called(shop: Shop) -> None:
    _bring(shop, _collection(_vienna("g", x=3, y=7, radius_m=200), _vienna("h", x=3, y=7, radius_km=2)), "geofences")
    assert _region(shop, "g") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 200}
    assert _region(shop, "h") == {"type": "circle", "lat": 48.2, "lon": 16.37, "radius_m": 2000}
    assert shop.client.get("/v1/geofences/h").json()["metadata"] == {"x": 3, "y": 7}


def test_columns_say_the_position_where_a_row_has_no_geometry_or_the_caller_names_them(shop: Shop) -> None:
    nowhere = {"type": "Feature", "geometry": None, "properties": {"id": "n", "y": 47.5, "x": 11.5}}
    report = _bring(shop, _collection(_vienna("g", y=1, x=2), nowhere))
    assert [(_store(shop, name)["lat"], _store(shop, name)["lon"]) for name in "gn"] == [(48.2, 16.37), (47.5, 11.5)]
    assert (report["columns"]["y"], report["columns"]["x"]) == ("lat", "lon")
    _bring(shop, _collection(_vienna("g", y=1, x=2)), map=["lat:y", "lon:x"])
    assert (_store(shop, "g")["lat"], _store(shop, "g")["lon"]) == (1, 2)


def test_a_store_with_a_position_and_an_area_stands_at_its_position_and_the_area_is_told(shop: Shop) -> None:
    report = _bring(shop, f'id,lat,lon,wkt\nw,48.2001,16.3001,"{AREA}"\nv,,,"{AREA}"\nu,626123,483211,"{AREA}"\n')
    assert (_store(shop, "w")["lat"], _store(shop, "w")["lon"]) == (48.2001, 16.3001)
    assert _told(report, "warnings") == [
        (2, "area_left_out"),
        (3, "position_from_area"),
        (4, "invalid_position"),
        (4, "position_from_area"),
    ]
    assert report["columns"] == {"id": "external_id", "lat": "lat", "lon": "lon", "wkt": "region"}


def test_a_radius_that_nothing_is_made_of_stays_as_metadata(shop: Shop) -> None:
    report = _bring(shop, f'id;wkt;radius;lat;lon\na;"{AREA}";500;48,2;16,3\n', "geofences")
    assert shop.client.get("/v1/geofences/a").json()["metadata"] == {"radius": "500", "lat": "48,2", "lon": "16,3"}
    assert report["columns"]["radius"] == "metadata"
    _bring(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n")
    assert (_store(shop, "b")["rings"][0]["radius_m"], _store(shop, "b")["metadata"]) == (700, {"radius_km": "2"})
    _bring(shop, "id,lat,lon,radius_km,radius\nb,48.2,16.3,2,700\n", map="radius:radius_km")
    assert _store(shop, "b")["rings"][0]["radius_m"] == 2000
