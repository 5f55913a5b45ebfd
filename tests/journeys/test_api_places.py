"""Stores, rings and geofences over their lives, and what that means for who is inside."""

from __future__ import annotations

from typing import Any

from tests.rigs.shop import Shop

LAT, LON = 48.137, 11.575


def _store(*rings: tuple[str, float], **more: Any) -> dict[str, Any]:
    named = [{"name": name, "radius_m": radius_m, "profile": "exact"} for name, radius_m in rings]
    return {"name": "Marienplatz", "lat": LAT, "lon": LON, "rings": named, **more}


def _ping(shop: Shop, at_s: int, lat: float = LAT) -> list[tuple[str, str]]:
    body = {"device_id": "phone", "lat": lat, "lon": LON, "ts": shop.now_ms - 600_000 + at_s * 1000}
    answer = shop.client.post("/v1/pings", params={"include": "events"}, json=body).json()
    return [
        (one["kind"].removeprefix("geofence."), one["geofence_id"])
        for one in answer["devices"]["phone"]["events"]
    ]


def test_a_stores_rings_are_geofences_and_take_its_time_zone_from_its_position(shop: Shop) -> None:
    made = shop.client.put(
        "/v1/stores/muc-1", json=_store(("near", 100), ("far", 1000), brand="acme", tags=["centre"])
    )
    assert (made.status_code, made.json()["time_zone"]) == (201, "Europe/Berlin")
    listed = shop.client.get("/v1/geofences", params={"store": "muc-1"}).json()["data"]
    assert [
        (one["external_id"], one["ring"], one["region"]["radius_m"], one["tags"]) for one in listed
    ] == [
        ("muc-1/far", "far", 1000.0, ["centre"]),
        ("muc-1/near", "near", 100.0, ["centre"]),
    ]
    assert shop.client.get("/v1/stores", params={"brand": "acme", "tag": "centre"}).json()[
        "data"
    ] == [made.json()]
    assert shop.client.get("/v1/stores", params={"brand": "other"}).json()["data"] == []


def test_a_ring_kept_by_name_keeps_the_visit_that_goes_on_there(shop: Shop) -> None:
    shop.client.put("/v1/stores/s", json=_store(("near", 100), ("far", 1000)))
    assert sorted(_ping(shop, 0)) == [("entered", "s/far"), ("entered", "s/near")]
    assert (
        shop.client.put("/v1/stores/s", json=_store(("near", 120), ("outer", 2000))).status_code
        == 200
    )
    ended = [
        one
        for one in shop.client.get("/v1/events").json()["data"]
        if one["kind"] == "geofence.exited"
    ]
    assert [(one["geofence_id"], one["reason"]) for one in ended] == [("s/far", "geofence_removed")]
    assert _ping(shop, 10) == [("entered", "s/outer")]


def test_a_deleted_store_ends_its_visits_and_frees_geofences_that_named_it(shop: Shop) -> None:
    shop.client.put("/v1/stores/s", json=_store(("near", 100)))
    region = {"type": "circle", "lat": LAT, "lon": LON, "radius_m": 50}
    assert (
        shop.client.put(
            "/v1/geofences/door", json={"region": region, "store": "s", "ring": "door"}
        ).status_code
        == 201
    )
    _ping(shop, 0)
    assert shop.client.delete("/v1/stores/s").status_code == 204
    assert shop.client.get("/v1/stores/s").status_code == 404
    assert shop.client.get("/v1/geofences/s/near").status_code == 404
    assert shop.client.get("/v1/geofences/door").json()["store"] is None
    assert [
        one["reason"]
        for one in shop.client.get("/v1/visits", params={"geofence": "s/near"}).json()["data"]
    ] == ["geofence_removed"]
    assert shop.client.delete("/v1/stores/s").status_code == 404


def test_a_ring_cannot_be_edited_behind_its_stores_back(shop: Shop) -> None:
    shop.client.put("/v1/stores/s", json=_store(("near", 100)))
    region = {"type": "circle", "lat": LAT, "lon": LON, "radius_m": 50}
    for answer in (
        shop.client.put("/v1/geofences/s/near", json={"region": region}),
        shop.client.delete("/v1/geofences/s/near"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "ring_of_store")


def test_a_disabled_geofence_is_as_good_as_gone_until_it_is_enabled(shop: Shop) -> None:
    body = {
        "region": {"type": "circle", "lat": LAT, "lon": LON, "radius_m": 100},
        "profile": "exact",
    }
    shop.client.put("/v1/geofences/g", json=body)
    assert _ping(shop, 0) == [("entered", "g")]
    assert (
        shop.client.put("/v1/geofences/g", json=body | {"enabled": False}).json()["enabled"]
        is False
    )
    assert [one["reason"] for one in shop.client.get("/v1/visits").json()["data"]] == [
        "geofence_removed"
    ]
    assert _ping(shop, 10) == []
    shop.client.put("/v1/geofences/g", json=body)
    assert _ping(shop, 20) == [("entered", "g")]


def test_polygons_with_holes_are_taken_and_reported_in_geojson_order(shop: Shop) -> None:
    outer = [[11.0, 48.0], [11.1, 48.0], [11.1, 48.1], [11.0, 48.1], [11.0, 48.0]]
    hole = [[11.04, 48.04], [11.04, 48.06], [11.06, 48.06], [11.06, 48.04], [11.04, 48.04]]
    region = {"type": "Polygon", "coordinates": [outer, hole]}
    assert (
        shop.client.put(
            "/v1/geofences/ring road", json={"region": region, "profile": "exact"}
        ).status_code
        == 201
    )
    body = {"device_id": "phone", "lat": 48.02, "lon": 11.02, "ts": shop.now_ms - 2}
    shop.client.post("/v1/pings", json=body)
    shop.client.post("/v1/pings", json=body | {"lat": 48.05, "lon": 11.05, "ts": shop.now_ms})
    assert [one["kind"] for one in shop.client.get("/v1/events").json()["data"]] == [
        "geofence.entered",
        "geofence.exited",
    ]
    answer = shop.client.get("/v1/geofences", params={"format": "geojson"})
    assert answer.headers["content-type"] == "application/geo+json"
    feature = answer.json()["features"][0]
    assert (
        feature["id"],
        feature["geometry"]["type"],
        len(feature["geometry"]["coordinates"]),
    ) == ("ring road", "Polygon", 2)
    assert [11.0, 48.0] in feature["geometry"]["coordinates"][0]


def test_the_nearest_geofences_come_first_with_their_distance(shop: Shop) -> None:
    for number in range(5):
        region = {"type": "circle", "lat": LAT + number / 100, "lon": LON, "radius_m": 100}
        shop.client.put(f"/v1/geofences/g{number}", json={"region": region})
    near = shop.client.get(
        "/v1/geofences", params={"near": f"{LAT},{LON}", "within_m": 2500}
    ).json()["data"]
    assert [one["geofence_id"] for one in near] == ["g0", "g1", "g2"]
    assert near[0]["edge_m"] == -100.0
    two = shop.client.get(
        "/v1/geofences", params={"near": f"{LAT},{LON}", "limit": 2, "format": "geojson"}
    ).json()
    assert [one["id"] for one in two["features"]] == ["g0", "g1"]
    for wrong in ("91,0", "x,y", "1", "nan,1", "1,1e999"):
        assert shop.client.get("/v1/geofences", params={"near": wrong}).status_code == 422


def test_pages_follow_their_cursors_to_the_end(shop: Shop) -> None:
    names = [f"s{number:02}" for number in range(7)]
    for name in names:
        shop.client.put(f"/v1/stores/{name}", json=_store(("near", 100)))
    _ping(shop, 0)
    for path, size in (
        ("/v1/stores", 7),
        ("/v1/geofences", 7),
        ("/v1/events", 7),
        ("/v1/visits", 7),
    ):
        whole = shop.client.get(path).json()["data"]
        assert len(whole) == size
        found, cursor = [], None
        while True:
            page = shop.client.get(
                path, params={"limit": 3, **({"cursor": cursor} if cursor else {})}
            ).json()
            found += page["data"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert found == whole
    assert [one["external_id"] for one in shop.client.get("/v1/stores").json()["data"]] == names
    newest = shop.client.get("/v1/events", params={"order": "desc", "limit": 1}).json()
    assert newest["data"][0] == shop.client.get("/v1/events").json()["data"][-1]


def test_events_are_found_by_device_store_kind_and_time(shop: Shop) -> None:
    shop.client.put("/v1/stores/s", json=_store(("near", 100)))
    _ping(shop, 0)
    _ping(shop, 60, LAT + 1)
    events = shop.client.get(
        "/v1/events", params={"device": "phone", "store": "s", "geofence": "s/near"}
    ).json()["data"]
    assert len(events) == 2
    exit_at = events[1]["ts"]
    assert shop.client.get("/v1/events", params={"since": exit_at}).json()["data"] == events[1:]
    assert shop.client.get("/v1/events", params={"until": exit_at}).json()["data"] == events[:1]
    assert (
        shop.client.get("/v1/events", params={"kind": "geofence.exited"}).json()["data"]
        == events[1:]
    )
    assert shop.client.get("/v1/events", params={"device": "another"}).json()["data"] == []


def test_an_erased_device_is_gone_with_its_events(shop: Shop) -> None:
    shop.client.put("/v1/stores/s", json=_store(("near", 100)))
    assert (
        shop.client.put(
            "/v1/devices/phone", json={"platform": "ios", "push_token": "secret-token"}
        ).status_code
        == 201
    )
    _ping(shop, 0)
    answer = shop.client.get("/v1/devices/phone")
    assert (answer.json()["has_push_token"], "secret-token" in answer.text) == (True, False)
    erased = shop.client.delete("/v1/devices/phone")
    assert (erased.status_code, erased.json()["result"]) == (202, "erased")
    assert shop.client.get("/v1/devices/phone").status_code == 404
    assert shop.client.get("/v1/events").json()["data"] == []
    assert shop.client.get("/v1/visits").json()["data"] == []
    assert _ping(shop, 0) == [("entered", "s/near")]


def test_the_projects_profile_holds_for_geofences_that_name_none(shop: Shop) -> None:
    region = {"type": "circle", "lat": LAT, "lon": LON, "radius_m": 100}
    shop.client.put("/v1/geofences/g", json={"region": region})
    changed = shop.client.put("/v1/project", json={"name": "Fleet", "profile": "exact"})
    assert (changed.status_code, changed.json()["profile"]["name"]) == (200, "exact")
    assert shop.client.get("/v1/project").json() == changed.json()
    _ping(shop, 0)
    assert [one["profile"] for one in shop.client.get("/v1/events").json()["data"]] == ["exact"]
