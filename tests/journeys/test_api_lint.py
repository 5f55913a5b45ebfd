"""What a retailer is told about a map once phones have met it."""

from __future__ import annotations

import time
from typing import Any

from tests.servers.shop import Shop

ROAD, SHOP, QUIET = (48.0, 16.0), (48.1, 16.0), (48.2, 16.0)


def _put(shop: Shop, name: str, place: tuple[float, float]) -> None:
    region = {"type": "circle", "lat": place[0], "lon": place[1], "radius_m": 150}
    shop.client.put(f"/v1/geofences/{name}", json={"region": region, "profile": "exact"}).raise_for_status()


def _visits(name: str, place: tuple[float, float], count: int, stay_s: int) -> list[dict[str, Any]]:
    """Phones that are inside twice, so long apart, and gone a second later."""
    now_ms = int(time.time() * 1000) - 3_600_000
    pings = []
    for number in range(count):
        for after_s, lat in ((0, place[0]), (stay_s, place[0]), (stay_s + 1, place[0] + 0.01)):
            pings.append({"device_id": f"{name}-{number}", "ts": now_ms + after_s * 1000, "lat": lat, "lon": place[1]})
    return pings


def test_a_geofence_that_people_drive_through_is_told_once_there_is_enough_to_go_by(shop: Shop) -> None:
    for name, place in (("road", ROAD), ("shop", SHOP), ("quiet", QUIET)):
        _put(shop, name, place)
    pings = [*_visits("road", ROAD, 18, 20), *_visits("shop", SHOP, 25, 600), *_visits("quiet", QUIET, 19, 20)]
    shop.client.post("/v1/pings", json=pings).raise_for_status()
    assert shop.client.get("/v1/lint", params={"code": "roadside"}).json()["data"] == []
    shop.client.post("/v1/pings", json=_visits("road-again", ROAD, 6, 900)).raise_for_status()
    told = shop.client.get("/v1/lint", params={"code": "roadside"}).json()
    (finding,) = told["data"]
    assert (finding["geofences"], finding["severity"], finding["value"], finding["limit"]) == (["road"], "warning", 0.75, 0.5)
    assert finding["detail"].startswith("18 of 24 visits in 30 days were shorter than 90 s")
    shop.client.delete("/v1/geofences/road").raise_for_status()
    assert shop.client.get("/v1/lint", params={"code": "roadside"}).json()["data"] == []
