"""Real lists of stores and real maps of areas, as their publishers made them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.rigs.shop import Shop

DATA = Path(__file__).parents[3] / "shared" / "data"
AREAS = {
    "bangalore_malls_osm.geojson": 31,
    "chicago_neighborhoods_with_invalid.geojson": 98,
    "dc_zcta_2010.geojson": 53,
    "helsinki_retail_osm.geojson": 57,
    "ne_110m_admin_0_countries.geojson": 177,
    "nyc_business_improvement_districts.geojson": 75,
    "sf_planning_neighborhoods.geojson": 37,
}


def _file(*parts: str) -> bytes:
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(reason=f"the shared data {'/'.join(parts)} is not on this machine")
    return path.read_bytes()


def _bring(shop: Shop, body: bytes, kind: str, **params: str) -> dict[str, Any]:
    answer = shop.client.post(
        "/v1/imports", params={"kind": kind, **params}, content=body, timeout=300
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    assert report["rows"] == sum(
        report[name] for name in ("created", "updated", "unchanged", "skipped", "failed")
    )
    return report


def test_a_sample_of_829_stores_is_taken_whole(shop: Shop) -> None:
    report = _bring(shop, _file("stores", "starbucks_bay_area_sample_import.csv"), "stores")
    assert (report["created"], report["failed"], report["warned"]) == (829, 0, 0)
    store = shop.client.get("/v1/stores/s156662").json()
    assert store["address"] == "3375 Jefferson Square, Napa, CA 94558"
    assert (store["time_zone"], store["brand"], store["metadata"]["ref"]) == (
        "America/Los_Angeles",
        "starbucks",
        "74492-97261",
    )


def test_a_list_in_latin_1_with_hours_in_columns_is_understood(shop: Shop) -> None:
    report = _bring(shop, _file("stores", "target_us.csv"), "stores")
    assert (report["created"], report["failed"]) == (1829, 0)
    assert [one["detail"] for one in report["repairs"]] == [
        "the text is not UTF-8; it was read as Windows-1252"
    ]
    store = shop.client.get("/v1/stores/2153").json()
    assert store["name"] == "Oxford"
    assert store["address"].startswith("400 Oxford Exchange Blvd, Oxford, AL")
    assert store["opening_hours"].startswith("Mo-Fr 08:00-")


def test_hours_that_nobody_can_read_are_reported_by_line_and_the_store_is_taken(shop: Shop) -> None:
    report = _bring(shop, _file("stores", "helsinki_osm_shops.csv"), "stores")
    assert (report["created"], report["failed"]) == (report["rows"], 0)
    found = [one for one in report["warnings"] if one["code"] == "invalid_hours"]
    assert len(found) == 9
    assert found[0]["number"] == 44
    assert (
        shop.client.get("/v1/stores/node:59622323")
        .json()["opening_hours"]
        .startswith("Mo-Th 11:00-23:00")
    )


def test_25597_stores_of_the_world_are_judged_row_by_row(shop: Shop) -> None:
    report = _bring(
        shop, _file("stores", "starbucks_world_2017_kaggle.csv"), "stores", dry_run="true"
    )
    assert (report["rows"], report["created"], report["failed"]) == (25_597, 25_596, 1)
    assert [(one["number"], one["code"]) for one in report["errors"]] == [(8109, "duplicate_id")]
    assert {one["code"] for one in report["warnings"]} == {
        "invalid_time_zone",
        *({"not_looked_at"} & {report["warnings"][-1]["code"]}),
    }
    assert shop.client.get("/v1/stores").json()["data"] == []


@pytest.mark.parametrize("name", AREAS)
def test_real_areas_become_geofences_and_every_repair_is_reported(name: str, shop: Shop) -> None:
    report = _bring(shop, _file("polygons", name), "geofences")
    assert report["rows"] == AREAS[name]
    allowed = {"area_too_large", "too_many_vertices", "no_radius"}  # countries; a pin among malls
    assert {one["code"] for one in report["errors"]} <= allowed, report["errors"]
    assert report["created"] >= 20
    if name.startswith("chicago"):
        assert report["repaired"] > 0
    assert _bring(shop, _file("polygons", name), "geofences")["unchanged"] == report["created"]
