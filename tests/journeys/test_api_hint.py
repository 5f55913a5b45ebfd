"""A phone's session over HTTP: the hint, the list it keeps, and the sleep it may have."""

from __future__ import annotations

from typing import Any

from tests.rigs.shop import Shop

LAT, LON = 48.2085, 16.3741
NORTH_M = 111_194.0


def _put_stores(shop: Shop, count: int = 30) -> None:
    for number in range(count):
        region = {
            "type": "circle",
            "lat": LAT + number * 500.0 / NORTH_M,
            "lon": LON,
            "radius_m": 100,
        }
        assert shop.client.put(
            f"/v1/geofences/s{number:02}", json={"region": region}
        ).status_code in (200, 201)


def _ping(shop: Shop, second: int, north_m: float, query: str = "", **more: Any) -> dict[str, Any]:
    body = {
        "lat": LAT + north_m / NORTH_M,
        "lon": LON,
        "ts": shop.now_ms - 600_000 + second * 1000,
        "accuracy_m": 8.0,
        **more,
    }
    response = shop.with_key(shop.pk).post(f"/v1/devices/phone/ping{query}", json=body)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_session_sends_the_list_once_and_then_only_when_it_is_stale(shop: Shop) -> None:
    _put_stores(shop)
    first = _ping(shop, 0, -800.0, "?wake=circle")["hint"]
    assert first["safe_radius_m"] > 680
    assert first["next_ping_s"] == 3600
    assert [one["geofence_id"] for one in first["geofences"]][:2] == ["s00", "s01"]
    assert len(first["geofences"]) == 19
    second = _ping(shop, 60, -790.0, "?wake=circle", hint_version=first["version"])["hint"]
    assert (second["geofences"], second["version"]) == (None, first["version"])
    shop.client.delete("/v1/geofences/s01")
    third = _ping(shop, 120, -780.0, "?wake=circle", hint_version=second["version"])["hint"]
    assert third["version"] != first["version"]
    assert "s01" not in [one["geofence_id"] for one in third["geofences"]]


def test_a_list_for_a_phone_of_another_make_is_sent_anew(shop: Shop) -> None:
    _put_stores(shop)
    ios = _ping(shop, 0, 0.0)["hint"]
    android = _ping(shop, 60, 0.0, "?platform=android", hint_version=ios["version"])["hint"]
    assert len(android["geofences"]) == 30


def test_each_device_of_a_batch_has_its_hint_around_its_newest_ping(shop: Shop) -> None:
    _put_stores(shop, 1)

    def ping(device: str, second: int, north_m: float, **more: Any) -> dict[str, Any]:
        return {
            "device_id": device,
            "lat": LAT + north_m / NORTH_M,
            "lon": LON,
            "ts": shop.now_ms - 600_000 + second * 1000,
            **more,
        }

    newest_first = [
        ping("a", 100, 2000.0, accuracy_m=5),
        ping("a", 0, 900.0, accuracy_m=5),
        ping("b", 50, 500.0, accuracy_m=5),
    ]
    answer = shop.client.post("/v1/pings?include=hint", json=newest_first).json()["devices"]
    assert 1800 < answer["a"]["hint"]["safe_radius_m"] < 1900
    assert 380 < answer["b"]["hint"]["safe_radius_m"] < 400
    known = [
        ping("a", 200, 2000.0, hint_version=answer["a"]["hint"]["version"]),
        ping("b", 200, 500.0),
    ]
    again = shop.client.post("/v1/pings?include=hint", json=known).json()["devices"]
    assert again["a"]["hint"]["geofences"] is None
    assert [one["geofence_id"] for one in again["b"]["hint"]["geofences"]] == ["s00"]


def test_a_wrong_wake_is_refused_by_name(shop: Shop) -> None:
    answer = shop.client.post("/v1/pings?include=hint&wake=alarm", json=[])
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/wake")


def test_a_hint_version_that_was_never_ours_gets_a_whole_list(shop: Shop) -> None:
    _put_stores(shop, 2)
    assert len(_ping(shop, 0, 0.0, hint_version="what?")["hint"]["geofences"]) == 2
