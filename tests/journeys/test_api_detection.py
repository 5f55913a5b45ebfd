"""What an app sees of detection: crossings without a visit, stops, and visits with their length."""

from __future__ import annotations

from typing import Any

from tests.rigs.shop import Shop

LAT, LON = 48.137, 11.575


def _post(shop: Shop, *pings: tuple[int, float], **more: Any) -> list[dict[str, Any]]:
    """Post (second, metres north) in one request; what happened."""
    start_ms = shop.now_ms - 3_000_000
    body = [
        {
            "device_id": "phone",
            "lat": LAT + m / 111_195,
            "lon": LON,
            "ts": start_ms + s * 1000,
            "accuracy_m": 8,
        }
        | more
        for s, m in pings
    ]
    answer = shop.client.post("/v1/pings", params={"include": "events"}, json=body)
    assert answer.status_code == 202, answer.text
    events: list[dict[str, Any]] = answer.json()["devices"]["phone"]["events"]
    return events


def _store(shop: Shop) -> None:
    assert shop.client.put(
        "/v1/stores/s",
        json={"name": "S", "lat": LAT, "lon": LON, "rings": [{"name": "near", "radius_m": 150}]},
    ).is_success


def test_a_crossing_has_no_visit_and_a_probability(shop: Shop) -> None:
    _store(shop)
    [crossing] = _post(shop, (0, -400), (60, 400))
    assert (crossing["kind"], crossing["visit_id"], crossing["visit"], crossing["probability"]) == (
        "geofence.crossed",
        None,
        0,
        1.0,
    )
    assert shop.client.get("/v1/events", params={"kind": "geofence.crossed", "store": "s"}).json()[
        "data"
    ] == [crossing]
    assert shop.client.get("/v1/visits").json()["data"] == []


def test_a_visit_tells_its_length_and_is_found_by_the_id_that_its_events_name(shop: Shop) -> None:
    _store(shop)
    entered, stopped = _post(shop, (0, 3000), (600, 0), (660, 5), (760, 0))
    assert (entered["kind"], stopped["kind"], stopped["duration_s"]) == (
        "geofence.entered",
        "device.stopped",
        160.0,
    )
    [visit] = shop.client.get("/v1/visits", params={"visit": entered["visit_id"]}).json()["data"]
    assert (visit["duration_s"], visit["departure"]) == (None, None)
    _post(shop, (1200, 900), (1260, 900))
    [visit] = shop.client.get("/v1/visits", params={"visit": entered["visit_id"]}).json()["data"]
    assert (visit["duration_s"], visit["amended"]) == (600.0, False)
    [amended] = _post(shop, (540, 0))
    assert (amended["kind"], amended["reason"], amended["duration_s"]) == (
        "visit.amended",
        "arrival",
        660.0,
    )
    [visit] = shop.client.get(
        "/v1/visits", params={"visit": amended["visit_id"], "device": "phone", "store": "s"}
    ).json()["data"]
    assert (visit["duration_s"], visit["amended"]) == (660.0, True)
    kinds = [
        one["kind"]
        for one in shop.client.get("/v1/events", params={"visit": entered["visit_id"]}).json()[
            "data"
        ]
    ]
    assert kinds == ["geofence.entered", "device.stopped", "geofence.exited", "visit.amended"]
    assert shop.client.get("/v1/visits", params={"visit": "vis_other"}).json()["data"] == []
