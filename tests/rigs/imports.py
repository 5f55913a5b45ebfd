"""A file of places, its import over HTTP, and what the report and the project say of it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.rigs.shop import Shop

HEADER = "Store Number,Name,Chain,Latitude,Longitude,opening_hours,Parking"
ROWS = (
    'b-1,"Berlin, Mitte",kette,52.52,13.405,Mo-Fr 09:00-18:00,yes',
    "m-1,München,kette,48.137,11.575,whenever,",
    "x-1,Nowhere,kette,948.1,11.5,,",
    "b-1,Berlin again,kette,52.53,13.41,,",
    "z-1,Zürich,andere,47.376,8.541,24/7,no",
)
AREA = "POLYGON((16.3 48.2,16.4 48.2,16.4 48.3,16.3 48.3,16.3 48.2))"
CSV = "\r\n".join((HEADER, *ROWS, ""))


def bring(
    shop: Shop, body: str | bytes | dict[str, Any] | list[Any], kind: str = "stores", **params: Any
) -> httpx.Response:
    content = json.dumps(body) if isinstance(body, dict | list) else body
    return shop.client.post("/v1/imports", params={"kind": kind, **params}, content=content)


def counts(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(
        report[name] for name in ("rows", "created", "updated", "unchanged", "skipped", "failed")
    )


def report_of(
    shop: Shop, body: str | bytes | dict[str, Any] | list[Any], kind: str = "stores", **params: Any
) -> Any:
    answer = bring(shop, body, kind, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def feature_of(name: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [16.37, 48.2]},
        "properties": {"id": name, **more},
    }


def store_of(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/stores/{name}").json()


def region_of(shop: Shop, name: str) -> Any:
    return shop.client.get(f"/v1/geofences/{name}").json()["region"]


def codes(report: dict[str, Any], *lists: str) -> list[tuple[int | None, str]]:
    return [(one["number"], one["code"]) for name in lists for one in report[name]]
