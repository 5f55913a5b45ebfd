"""Whole maps as files: filtered, named, and honest about what a format cannot hold."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote

import pytest

from regions.temp_folder import scratch
from tests.rigs.shop import Shop


def test_an_export_of_a_brand_or_tag_holds_only_those(shop: Shop) -> None:
    shop.client.put(
        "/v1/stores/a",
        json={
            "name": "A",
            "lat": 1,
            "lon": 2,
            "brand": "kette",
            "tags": ["x"],
            "rings": [{"name": "near", "radius_m": 50}],
        },
    )
    shop.client.put("/v1/stores/b", json={"name": "B", "lat": 1, "lon": 2, "brand": "andere"})
    region = {"type": "circle", "lat": 1, "lon": 2, "radius_m": 50}
    shop.client.put("/v1/geofences/g", json={"region": region, "tags": ["x"]})

    def names(path: str, **params: str) -> list[str]:
        answer = shop.client.get(f"/v1/exports/{path}", params=params)
        assert answer.headers["content-disposition"].startswith("attachment")
        return [one["properties"]["external_id"] for one in answer.json()["features"]]

    assert names("stores") == ["a", "b"]
    assert names("stores", brand="kette") == names("stores", tag="x") == ["a"]
    assert names("geofences") == names("geofences", tag="x", rings="false") == ["g"]
    assert names("geofences", rings="true") == ["a/near", "g"]
    assert shop.client.get("/v1/exports/geofences", params={"brand": "kette"}).status_code == 422
    assert shop.client.get("/v1/exports/shops").status_code == 422


def test_the_rings_in_an_export_of_geofences_are_left_to_their_stores(shop: Shop) -> None:
    shop.client.put(
        "/v1/stores/a",
        json={"name": "A", "lat": 1, "lon": 2, "rings": [{"name": "near", "radius_m": 50}]},
    )
    whole = shop.client.get("/v1/exports/geofences", params={"rings": "true", "format": "csv"})
    report = shop.client.post(
        "/v1/imports", params={"kind": "geofences"}, content=whole.content
    ).json()
    assert (report["rows"], report["skipped"], report["failed"]) == (1, 1, 0)
    assert [one["code"] for one in report["warnings"]] == ["ring_of_store"]


def test_the_format_of_an_export_follows_accept_and_losses_are_reported(shop: Shop) -> None:
    shop.client.put("/v1/stores/a", json={"name": "A", "lat": 1, "lon": 2, "metadata": {"n": 5}})
    answer = shop.client.get("/v1/exports/stores", headers={"Accept": "text/html, text/csv;q=0.9"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="stores.csv"' in answer.headers["content-disposition"]
    losses = json.loads(unquote(answer.headers["x-geofence-losses"]))
    assert losses
    assert all(isinstance(one, str) for one in losses)
    assert quote(json.dumps(losses, separators=(",", ":"))) == answer.headers["x-geofence-losses"]


def test_an_export_in_a_format_that_nobody_writes_is_refused(shop: Shop) -> None:
    answer = shop.client.get(
        "/v1/exports/stores", headers={"Accept": "application/vnd.ms-excel, image/png"}
    )
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    for accepted in ("*/*", "text/html, */*;q=0.1", "application/json"):
        assert (
            shop.client.get("/v1/exports/stores", headers={"Accept": accepted})
            .headers["content-type"]
            .startswith("application/geo+json")
        )


@pytest.mark.parametrize(
    "wanted", ["bytes=99999999-", "bytes=x", "nonsense", "bytes=0-3", "bytes=0-0,2-2"]
)
def test_an_export_is_whole_and_leaves_no_file_behind_whatever_range_is_asked_for(
    shop: Shop, wanted: str
) -> None:
    before = {*scratch().iterdir()}
    shop.client.put("/v1/stores/a", json={"name": "A", "lat": 1, "lon": 2})
    answer = shop.client.get("/v1/exports/stores", headers={"Range": wanted})
    assert answer.status_code == 200
    assert len(answer.json()["features"]) == 1
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert {*scratch().iterdir()} == before
