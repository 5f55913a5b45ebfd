"""Imports beside other traffic.

Progress, files that break off, pings meanwhile, the map afterwards, and other projects.
"""

from __future__ import annotations

import json
import threading

import httpx

from tests.rigs.imports import CSV, bring, counts
from tests.rigs.shop import Shop, open_shop


def _csv(count: int, first: int = 0) -> str:
    rows = (
        f"s{n},Store {n},{48 + n % 1000 / 1000:.4f},{9 + n // 1000 / 100:.4f}"
        for n in range(first, first + count)
    )
    return "\n".join(("id,name,lat,lon", *rows))


def test_progress_comes_line_by_line_and_the_report_last(shop: Shop) -> None:
    headers = {"Accept": "application/x-ndjson"}
    body = _csv(4_500)
    with shop.client.stream(
        "POST", "/v1/imports", params={"kind": "stores"}, content=body, headers=headers
    ) as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        *progress, report = map(json.loads, answer.iter_lines())
    assert [one["rows"] for one in progress] == [2_000, 4_000, 4_500]
    assert {one["of"] for one in progress} == {4_500}
    assert counts(report) == (4_500, 4_500, 0, 0, 0, 0)
    refused = shop.client.post(
        "/v1/imports", params={"kind": "stores"}, content=b"", headers=headers
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "empty")


def test_a_file_that_breaks_off_leaves_what_came_before_and_says_so(shop: Shop) -> None:
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {"id": f"s{n}"},
                "geometry": {"type": "Point", "coordinates": [11, 48 + n / 1e4]},
            }
        )
        for n in range(5)
    ]
    report = bring(shop, "\n".join([*lines, '{"type": "Feature", "geom']), format="geojsonl").json()
    assert report["created"] == 5
    assert (report["complete"], report["failed"], report["errors"][0]["number"]) == (True, 1, 6)
    assert len(shop.client.get("/v1/stores").json()["data"]) == 5


def test_pings_are_answered_while_a_large_file_comes_in(shop: Shop) -> None:
    answers: list[httpx.Response] = []
    large = threading.Thread(target=lambda: answers.append(bring(shop, _csv(12_000))))
    with shop.with_key(shop.pk) as client:
        large.start()
        pings = 0
        while large.is_alive():
            body = {
                "device_id": "phone",
                "lat": 48.0,
                "lon": 9.0,
                "ts": shop.now_ms - 600_000 + pings * 1000,
            }
            assert client.post("/v1/pings", json=body).status_code == 202
            pings += 1
    assert counts(answers[0].json()) == (12_000, 12_000, 0, 0, 0, 0)
    assert pings >= 6  # one at least for each chunk


def test_the_map_is_looked_at_after_an_import_and_whenever_one_asks(shop: Shop) -> None:
    shop.client.put(
        "/v1/stores/old",
        json={
            "name": "Old",
            "lat": 48.1371,
            "lon": 11.5751,
            "rings": [{"name": "near", "radius_m": 150}],
        },
    )
    body = "id,name,lat,lon,radius_m\nnew,New,48.1371,11.5751,150\ntiny,Tiny,48.2372,11.6751,12\n"
    report = bring(shop, body).json()
    assert {(one["code"], tuple(one["geofences"])) for one in report["lint"]} >= {
        ("duplicate", ("new/near", "old/near")),
        ("too_small", ("tiny/near",)),
    }
    found = shop.client.get("/v1/lint").json()
    assert found["total"] == len(found["data"]) >= 2
    small = shop.client.get("/v1/lint", params={"code": "too_small", "kind": "stores"}).json()
    assert [one["geofences"] for one in small["data"]] == [["tiny/near"]]
    assert small["counts"] == found["counts"]
    assert shop.client.get("/v1/lint", params={"kind": "geofences"}).json()["data"] == []


def test_a_project_never_sees_what_another_brings_in(shop: Shop) -> None:
    other = open_shop(shop.running)
    bring(shop, CSV)
    assert other.client.get("/v1/stores").json()["data"] == []
    assert other.client.get("/v1/exports/stores").json()["features"] == []
    assert other.client.get("/v1/lint").json() == {
        "data": [],
        "total": 0,
        "counts": {},
        "next_cursor": None,
    }
    other.client.close()
