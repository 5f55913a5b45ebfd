"""The first minutes of an app team: a geofence, a ping, an event."""

from __future__ import annotations

import json

from tests.rigs.shop import Shop

LAT, LON = 52.52, 13.405
FAR_LAT = 52.60


def _circle(profile: str = "exact") -> dict[str, object]:
    return {
        "region": {"type": "circle", "lat": LAT, "lon": LON, "radius_m": 150},
        "profile": profile,
    }


def _ping(ts_ms: int, lat: float = LAT, device_id: str = "phone") -> dict[str, object]:
    return {"device_id": device_id, "lat": lat, "lon": LON, "ts": ts_ms}


def test_a_first_geofence_a_first_ping_and_the_first_event(shop: Shop) -> None:
    made = shop.client.put("/v1/geofences/cafe", json=_circle())
    assert made.status_code == 201
    again = shop.client.put("/v1/geofences/cafe", json=_circle())
    assert (again.status_code, again.json()) == (200, made.json())
    answer = shop.client.post("/v1/pings", json=_ping(shop.now_ms))
    assert answer.status_code == 202
    assert answer.json() == {"result": "ok", "accepted": 1, "duplicates": 0, "rejected": []}
    events = shop.client.get("/v1/events").json()
    assert [
        (one["kind"], one["geofence_id"], one["device_id"], one["first_fix"])
        for one in events["data"]
    ] == [("geofence.entered", "cafe", "phone", True)]
    assert events["next_cursor"] is None
    assert "lat" not in events["data"][0]
    assert events["data"][0]["ts"].endswith("Z")


def test_times_are_milliseconds_or_rfc_3339_with_an_offset(shop: Shop) -> None:
    batch = [
        {"device_id": "a", "lat": LAT, "lon": LON, "ts": "2026-01-05T10:00:00.250+02:00"},
        {"device_id": "b", "lat": LAT, "lon": LON, "ts": 1767600000250},
    ]
    shop.client.put("/v1/geofences/cafe", json=_circle())
    assert shop.client.post("/v1/pings", json={"pings": batch}).json()["accepted"] == 2
    events = shop.client.get("/v1/events", params={"kind": "geofence.entered"}).json()["data"]
    assert {one["ts"] for one in events} == {"2026-01-05T08:00:00.250Z"}


def test_bodies_need_no_content_type_and_may_be_ndjson(shop: Shop) -> None:
    lines = (
        "\n".join(json.dumps(_ping(shop.now_ms + i, device_id=f"d{i}")) for i in range(3)) + "\n"
    )
    answer = shop.client.post("/v1/pings", content=lines)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)


def test_a_bad_line_of_ndjson_is_refused_alone(shop: Shop) -> None:
    good = json.dumps(_ping(shop.now_ms))
    answer = shop.client.post(
        "/v1/pings",
        content=f'{good}\n{{"lat": \n{json.dumps(_ping(shop.now_ms, device_id="other"))}\n',
    )
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [
        (1, "invalid_item")
    ]


def test_a_bad_item_never_spoils_its_batch(shop: Shop) -> None:
    now_ms = shop.now_ms
    body = f"""[
      {{"device_id": "ok", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": NaN, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": 1e999, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": 540, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": "52", "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": "2026-01-05T10:00:00"}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": "yesterday"}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": {now_ms + 3_600_000}}},
      {{"device_id": "", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "a\\u0000b", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "\\ud800", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}, "accuracy_m": "good"}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": {now_ms}, "customer_id": "a\\u0000"}},
      {{"device_id": "d", "lat": {LAT}, "lon": {LON}, "ts": {"9" * 400}}},
      null, 5, "x", []
    ]"""
    answer = shop.client.post("/v1/pings", content=body)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert {one["index"]: one["code"] for one in answer.json()["rejected"]} == {
        1: "invalid_position", 2: "invalid_position", 3: "invalid_position", 4: "invalid_position",
        5: "invalid_time", 6: "invalid_time", 7: "future", 8: "invalid_device",
        9: "invalid_device", 10: "invalid_device",
        11: "invalid_field", 12: "invalid_field", 13: "invalid_time",
        14: "invalid_item", 15: "invalid_item", 16: "invalid_item", 17: "invalid_item",
    }  # fmt: skip
    assert "540" not in answer.text


def test_a_batch_of_bad_items_only_is_a_problem_that_lists_them(shop: Shop) -> None:
    answer = shop.client.post("/v1/pings", json=[_ping(shop.now_ms, lat=91.0), {}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["code"] for one in answer.json()["rejected"]] == [
        "invalid_position",
        "invalid_position",
    ]


def test_an_empty_batch_is_accepted_and_does_nothing(shop: Shop) -> None:
    assert shop.client.post("/v1/pings", content="[]").json() == {
        "result": "ok",
        "accepted": 0,
        "duplicates": 0,
        "rejected": [],
    }


def test_the_same_batch_again_is_a_duplicate_and_makes_no_second_event(shop: Shop) -> None:
    shop.client.put("/v1/geofences/cafe", json=_circle())
    walk = [
        _ping(shop.now_ms - 60_000, FAR_LAT),
        _ping(shop.now_ms - 30_000),
        _ping(shop.now_ms, FAR_LAT),
    ]
    first = shop.client.post("/v1/pings", params={"include": "events"}, json=walk).json()
    again = shop.client.post("/v1/pings", params={"include": "events"}, json=walk).json()
    assert (first["accepted"], again["accepted"], again["duplicates"]) == (3, 0, 3)
    assert [one["kind"] for one in first["devices"]["phone"]["events"]] == [
        "geofence.entered",
        "geofence.exited",
    ]
    assert again["devices"]["phone"]["events"] == first["devices"]["phone"]["events"]
    assert len(shop.client.get("/v1/events").json()["data"]) == 2


def test_include_brings_what_was_asked_for_and_nothing_else(shop: Shop) -> None:
    shop.client.put("/v1/geofences/cafe", json=_circle())
    hint = shop.client.post(
        "/v1/pings", params={"include": "hint"}, json=_ping(shop.now_ms - 2)
    ).json()["devices"]["phone"]
    assert list(hint) == ["hint"]
    # 150 m to the edge, less 30 m that the fix may be off and 0.1 m for the border, as a sphere
    # measures it
    assert hint["hint"]["safe_radius_m"] == 119.1
    assert hint["hint"]["geofences"][0]["geofence_id"] == "cafe"
    offers = shop.client.post(
        "/v1/pings", params={"include": "events,offers"}, json=_ping(shop.now_ms - 1)
    ).json()["devices"]["phone"]
    assert (
        offers["events"],
        offers["offers"],
        [one["geofence_id"] for one in offers["geofences"]],
    ) == ([], [], ["cafe"])
    wrong = shop.client.post("/v1/pings", params={"include": "everything"}, json=_ping(shop.now_ms))
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/query/include")


def test_the_phones_call_tells_events_geofences_offers_and_the_hint(shop: Shop) -> None:
    for number in range(30):
        shop.client.put(
            f"/v1/geofences/f{number}",
            json={
                "region": {"type": "circle", "lat": LAT, "lon": LON + number / 100, "radius_m": 100}
            },
        )
    phone = shop.with_key(shop.pk)
    response = phone.post(
        "/v1/devices/my phone/ping", json={"lat": LAT, "lon": LON, "ts": shop.now_ms}
    )
    assert response.status_code == 202
    answer = response.json()
    assert [one["geofence_id"] for one in answer["geofences"]] == ["f0"]
    assert [one["kind"] for one in answer["events"]] == ["geofence.entered"]
    assert answer["offers"] == []
    assert len(answer["hint"]["geofences"]) == 19
    android = phone.post(
        "/v1/devices/my phone/ping?platform=android",
        json={"lat": LAT, "lon": LON, "ts": shop.now_ms + 1},
    )
    assert len(android.json()["hint"]["geofences"]) == 30
    assert phone.put("/v1/devices/my phone", json={"platform": "android"}).status_code == 200
    known = phone.post(
        "/v1/devices/my phone/ping", json={"lat": LAT, "lon": LON, "ts": shop.now_ms + 2}
    )
    assert len(known.json()["hint"]["geofences"]) == 30


def test_the_phones_call_takes_one_good_ping_of_its_own_device(shop: Shop) -> None:
    for body, code in (
        ({"lat": 91, "lon": 0, "ts": shop.now_ms}, "invalid_position"),
        ({"lat": 1, "lon": 0, "ts": "2026-01-05T10:00:00"}, "invalid_time"),
        ({"lat": 1, "lon": 0, "ts": shop.now_ms, "device_id": "another"}, "invalid_device"),
        ([], "one_ping"),
    ):
        answer = shop.client.post("/v1/devices/mine/ping", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_health_and_metrics_need_no_key(shop: Shop) -> None:
    nobody = shop.with_key("")
    shop.client.post("/v1/pings", json=[_ping(shop.now_ms), 5])
    assert nobody.get("/livez").json() == {"status": "alive"}
    ready = nobody.get("/readyz").json()
    assert (ready["status"], ready["missing"], ready["queue"]) == ("ready", [], 0)
    counted = nobody.get("/metrics").text
    assert 'geofence_http_requests_total{method="POST",route="/v1/pings",status="202"}' in counted
    assert 'geofence_rejected_total{code="invalid_item"}' in counted
    assert "phone" not in counted
