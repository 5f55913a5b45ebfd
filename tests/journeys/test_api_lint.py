"""What a retailer learns about a map once phones have met it."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from tests.rigs.shop import Shop

ROAD, SHOP, QUIET = (48.0, 16.0), (48.1, 16.0), (48.2, 16.0)


def _put(shop: Shop, name: str, place: tuple[float, float]) -> None:
    region = {"type": "circle", "lat": place[0], "lon": place[1], "radius_m": 150}
    shop.client.put(
        f"/v1/geofences/{name}", json={"region": region, "profile": "exact"}
    ).raise_for_status()


def _visits(name: str, place: tuple[float, float], count: int, stay_s: int) -> list[dict[str, Any]]:
    """Phones that are inside twice, so long apart, and gone a second later."""
    now_ms = int(time.time() * 1000) - 3_600_000
    pings = []
    for number in range(count):
        for after_s, lat in ((0, place[0]), (stay_s, place[0]), (stay_s + 1, place[0] + 0.01)):
            pings.append(
                {
                    "device_id": f"{name}-{number}",
                    "ts": now_ms + after_s * 1000,
                    "lat": lat,
                    "lon": place[1],
                }
            )
    return pings


def test_a_geofence_that_people_drive_through_is_reported_once_there_is_enough_to_go_by(
    shop: Shop,
) -> None:
    for name, place in (("road", ROAD), ("shop", SHOP), ("quiet", QUIET)):
        _put(shop, name, place)
    pings = [
        *_visits("road", ROAD, 18, 20),
        *_visits("shop", SHOP, 25, 600),
        *_visits("quiet", QUIET, 19, 20),
    ]
    shop.client.post("/v1/pings", json=pings).raise_for_status()
    assert shop.client.get("/v1/lint", params={"code": "roadside"}).json()["data"] == []
    shop.client.post("/v1/pings", json=_visits("road-again", ROAD, 6, 900)).raise_for_status()
    answer = shop.client.get("/v1/lint", params={"code": "roadside"}).json()
    (finding,) = answer["data"]
    assert (finding["geofences"], finding["severity"], finding["value"], finding["limit"]) == (
        ["road"],
        "warning",
        0.75,
        0.5,
    )
    assert finding["detail"].startswith("18 of 24 visits in 30 days were shorter than 90 s")
    shop.client.delete("/v1/geofences/road").raise_for_status()
    assert shop.client.get("/v1/lint", params={"code": "roadside"}).json()["data"] == []


def _tiny(shop: Shop, kind: str, count: int, lat: float) -> None:
    rows = [
        f"{kind}-{number:04},{kind} {number},{lat + number // 40 * 0.01:.6f},"
        f"{10.00001 + number % 40 * 0.02:.6f},20"
        for number in range(count)
    ]
    body = "\n".join(["id,name,lat,lon,radius_m", *rows])
    report = shop.client.post("/v1/imports", params={"kind": kind}, content=body).json()
    assert report["created"] == count, report


def test_more_findings_than_are_reported_are_all_counted_and_page_by_page_read(shop: Shop) -> None:
    _tiny(shop, "geofences", 1_015, 48.0)
    _tiny(shop, "stores", 30, 52.0)
    asked = {"code": "too_small", "kind": "geofences", "limit": 300}
    pages = [shop.client.get("/v1/lint", params=asked).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(shop.client.get("/v1/lint", params=asked | {"cursor": cursor}).json())
    assert [len(page["data"]) for page in pages] == [300, 300, 300, 101]
    assert (
        {page["total"] for page in pages}
        == {1_015}
        == {page["counts"]["too_small"] for page in pages}
    )
    *found, rest = [one for page in pages for one in page["data"]]
    assert len({name for one in found for name in one["geofences"]}) == 1_000
    assert (rest["geofences"], rest["value"]) == ([], 15.0)
    every = shop.client.get("/v1/lint", params={"code": "too_small"}).json()
    assert every["total"] == every["counts"]["too_small"] == 1_045
    stores = shop.client.get(
        "/v1/lint", params={"code": "too_small", "kind": "stores", "limit": 1000}
    ).json()
    assert stores["total"] == len(stores["data"]) == 30


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"code": "too_smal"}, 422), ({"cursor": "WyJzdG9yZXMiLCJhIl0"}, 400), ({"cursor": "!"}, 400)],
)
def test_a_code_that_is_none_and_a_cursor_of_another_list_are_refused(
    shop: Shop, asked: dict[str, str], status: int
) -> None:
    assert shop.client.get("/v1/lint", params=asked).status_code == status


def test_a_cursor_that_points_before_the_first_finding_is_refused(shop: Shop) -> None:
    cursor = base64.urlsafe_b64encode(b'["lint",-3]').decode().rstrip("=")
    assert shop.client.get("/v1/lint", params={"cursor": cursor}).json()["code"] == "bad_cursor"
