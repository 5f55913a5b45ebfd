"""What the doors refuse, and how: a clear 4xx, a stable code, nothing half stored."""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator

import pytest

from tests.rigs.shop import Shop, open_shop

CIRCLE = {"type": "circle", "lat": 1.0, "lon": 2.0, "radius_m": 100}
BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [0.01, 0.01], [0.01, 0], [0, 0.01], [0, 0]]]}


def _star(points: int) -> dict[str, object]:
    """Every vertex joined to the one nearly opposite: hundreds of thousands of crossings."""
    turn = 2 * math.pi * (points // 2) / points
    ring = [[10 + 0.1 * math.cos(i * turn), 10 + 0.1 * math.sin(i * turn)] for i in range(points)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def test_without_a_key_or_with_a_wrong_one_nothing_opens(shop: Shop) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer sk_wrong"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer"},
    ):
        for method, path in (
            ("GET", "/v1/events"),
            ("POST", "/v1/pings"),
            ("PUT", "/v1/stores/s"),
            ("GET", "/v1/events/stream"),
        ):
            answer = shop.with_key("").request(method, path, headers=headers, content="{}")
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "sk_wrong" not in answer.text


def test_a_key_may_come_as_bearer_bare_basic_or_on_ingest_in_the_query(shop: Shop) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms}
    nobody = shop.with_key("")
    assert (
        nobody.post("/v1/pings", json=ping, headers={"Authorization": shop.pk}).status_code == 202
    )
    assert nobody.post("/v1/pings", json=ping, auth=("tracker", shop.pk)).status_code == 202
    assert nobody.post("/v1/pings", json=ping, params={"key": shop.pk}).status_code == 202
    assert nobody.get("/v1/events", params={"key": shop.sk}).status_code == 401


def test_a_publishable_key_posts_pings_and_registers_its_device_and_no_more(shop: Shop) -> None:
    phone = shop.with_key(shop.pk)
    assert (
        phone.post(
            "/v1/pings", json={"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms}
        ).status_code
        == 202
    )
    assert phone.put("/v1/devices/d", json={"platform": "ios"}).status_code == 200
    for method, path in (
        ("GET", "/v1/devices/d"), ("DELETE", "/v1/devices/d"), ("GET", "/v1/events"),
        ("GET", "/v1/visits"), ("GET", "/v1/geofences"),
        ("PUT", "/v1/stores/s"), ("GET", "/v1/keys"), ("POST", "/v1/keys"), ("GET", "/v1/project"),
        ("GET", "/v1/events/stream"),
    ):  # fmt: skip
        answer = phone.request(method, path, content="{}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope"), path


def test_another_tenants_things_are_not_there(shop: Shop) -> None:
    shop.client.put("/v1/geofences/mine", json={"region": CIRCLE, "profile": "exact"})
    shop.client.put(
        "/v1/stores/shop",
        json={"name": "Shop", "lat": 1, "lon": 2, "rings": [{"name": "near", "radius_m": 100}]},
    )
    shop.client.post("/v1/pings", json={"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms})
    key_id = shop.client.get("/v1/keys").json()["data"][0]["id"]
    other = open_shop(shop.running, "other").client
    for path in (
        "/v1/geofences/mine",
        "/v1/geofences/shop/near",
        "/v1/stores/shop",
        "/v1/devices/d",
    ):
        assert other.get(path).status_code == 404, path
    for path in ("/v1/stores/shop", "/v1/devices/d", f"/v1/keys/{key_id}", "/v1/geofences/mine"):
        assert other.delete(path).status_code == 404, path
    for path in (
        "/v1/geofences",
        "/v1/stores",
        "/v1/events",
        "/v1/visits",
        "/v1/geofences?near=1,2",
    ):
        assert other.get(path).json()["data"] == [], path
    assert shop.client.get("/v1/geofences/mine").status_code == 200


def test_a_body_of_100_mb_is_refused_at_its_header_and_in_the_stream(shop: Shop) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def flood() -> Iterator[bytes]:
        for _ in range(1600):
            yield b" " * 65_536

    answer = shop.client.post(
        "/v1/pings", content=flood(), headers={"Content-Length": str(1600 * 65_536)}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    chunked = shop.client.post("/v1/pings", content=flood())
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")
    place = shop.client.put("/v1/geofences/big", content=flood())
    assert place.status_code == 413
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100_000


def test_more_than_ten_thousand_items_are_refused_whole(shop: Shop) -> None:
    ping = '{"device_id":"d","lat":1,"lon":2,"ts":%d}'
    body = "[" + ",".join(ping % (shop.now_ms - i) for i in range(10_001)) + "]"
    answer = shop.client.post("/v1/pings", content=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert shop.client.get("/v1/devices/d").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"   ", b"5", b'"x"', b"null", b'[{"device_id": "d", "lat": 1', b'{"pings": 5}',
        b'{"pings": [\n{"lat":1,"lon":2,"ts":1},\n{"lat":1',
        b"\xff\xfe", b'{"a": "\xff"}', b"<xml/>", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000, b"\x00",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_of_pings_is_malformed(shop: Shop, body: bytes) -> None:
    answer = shop.client.post("/v1/pings", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_million_empty_arrays_cost_nothing(shop: Shop) -> None:
    answer = shop.client.post("/v1/pings", content=b"[" + b"[]," * 1_000_000 + b"[]]")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_compressed_bodies_and_other_formats_are_refused(shop: Shop) -> None:
    squeezed = shop.client.post(
        "/v1/pings", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}
    )
    assert (squeezed.status_code, squeezed.json()["code"]) == (415, "unsupported_encoding")
    form = shop.client.put("/v1/stores/s", files={"file": b"x"})
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/region"),
        ({"region": CIRCLE, "colour": "red"}, "/colour"),
        ({"region": CIRCLE, "tags": "a"}, "/tags"),
        ({"region": CIRCLE, "tags": ["a\0"]}, "/tags/0"),
        ({"region": CIRCLE, "enabled": "yes"}, "/enabled"),
        ({"region": CIRCLE, "metadata": {"a": {"b": "\0"}}}, "/metadata"),
        ({"region": CIRCLE, "metadata": {"n": 2**64}}, "/metadata"),
        ({"region": CIRCLE, "active_from": "2026-01-01T00:00:00"}, "/active_from"),
        ({"region": CIRCLE, "store": "nowhere"}, "/store"),
        ({"region": CIRCLE | {"radius_m": 9}}, "/region/radius_m"),
        ({"region": CIRCLE | {"radius_m": 100_001}}, "/region/radius_m"),
        ({"region": CIRCLE | {"lat": 91}}, "/region/lat"),
        ({"region": {"type": "Point", "coordinates": [1, 2]}}, "/region/type"),
        ({"region": []}, "/region"),
    ],
)
def test_a_bad_geofence_names_the_field(shop: Shop, body: dict[str, object], pointer: str) -> None:
    answer = shop.client.put("/v1/geofences/bad", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert shop.client.get("/v1/geofences/bad").status_code == 404


def test_a_bow_tie_and_a_star_of_1001_vertices_get_their_answer(shop: Shop) -> None:
    for region in (BOW_TIE, _star(1001)):
        answer = shop.client.put("/v1/geofences/odd", json={"region": region}, timeout=10)
        assert answer.status_code in (201, 422), answer.text
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["pointer"].startswith("/region")


def test_deep_nesting_is_refused_everywhere(shop: Shop) -> None:
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    for path, body in (
        ("/v1/geofences/g", b'{"region": %b}' % deep),
        (
            "/v1/geofences/g",
            b'{"region": {"type": "Polygon", "coordinates": %b}}' % (b"[" * 500 + b"]" * 500),
        ),
        ("/v1/stores/s", b'{"name": "S", "lat": 1, "lon": 2, "metadata": %b}' % deep),
        ("/v1/devices/d", b'{"attributes": %b}' % (b'{"a":' * 100_000)),
    ):
        answer = shop.client.put(path, content=body)
        assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opening_hours", "9-5"), ("time_zone", "Mars/Olympus"), ("lat", 91), ("lon", 181),
        ("lat", "1"), ("name", ""), ("name", "a\0"),
        ("rings", [{"name": "a", "radius_m": 5}]), ("rings", [{"name": "a/b", "radius_m": 50}]),
        ("rings", [{"name": "a", "radius_m": 50}, {"name": "a", "radius_m": 60}]),
        ("rings", [{"name": "a", "radius_m": 50, "profile": "odd"}]),
    ],
)  # fmt: skip
def test_a_bad_store_is_refused_and_nothing_of_it_is_kept(
    shop: Shop, field: str, value: object
) -> None:
    answer = shop.client.put(
        "/v1/stores/bad", json={"name": "Bad", "lat": 1, "lon": 2, field: value}
    )
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert shop.client.get("/v1/stores/bad").status_code == 404
    assert shop.client.get("/v1/geofences").json()["data"] == []


def test_unknown_addresses_methods_and_queries_are_problems_too(shop: Shop) -> None:
    nowhere = shop.client.get("/v1/nothing")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (
        404,
        "application/problem+json",
    )
    wrong = shop.client.post("/v1/stores/s")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"
    assert shop.client.options("/v1/pings").headers["allow"] == "OPTIONS, POST"
    assert shop.client.head("/v1/stores").status_code == 200
    for query in ("limit=0", "limit=1001", "limit=x", "since=yesterday", "kind=odd", "device=%00"):
        answer = shop.client.get(f"/v1/events?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
    for cursor in (
        "x",
        "====",
        "WyJldmVudHMiLCJhIl0",
        "é",
        "WyJzdG9yZXMiLDFd",
        "WyJldmVudHMiLDk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTld",
    ):
        answer = shop.client.get("/v1/events", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), cursor


@pytest.mark.parametrize(
    ("path", "body", "pointer", "words"),
    [
        (
            "geofences/g",
            {"region": CIRCLE, "profile": "odd"},
            "/profile",
            "Must be exact, balanced or strict.",
        ),
        (
            "geofences/g",
            {"region": CIRCLE, "profile": 5},
            "/profile",
            "Must be exact, balanced or strict.",
        ),
        (
            "geofences/g",
            {"region": CIRCLE, "profile": {"name": "odd"}},
            "/profile/name",
            "Must be exact, balanced or strict.",
        ),
        (
            "geofences/g",
            {"region": CIRCLE, "profile": {"colour": "red"}},
            "/profile/colour",
            "There is no such field.",
        ),
        (
            "customers/c",
            {"consent": {"push": True}},
            "/consent/push",
            "Must be an object of the fields: granted (required), at, source.",
        ),
        ("campaigns/c", {"status": "odd"}, "/status", "Must be one of: active, draft, paused."),
        (
            "campaigns/c",
            {"trigger": {"event": "odd"}},
            "/trigger/event",
            "Must be one of: dwelled, entered, exited.",
        ),
        (
            "campaigns/c",
            {"variants": [{"messages": [{"channel": "fax"}]}]},
            "/variants/0/messages/0/channel",
            "Must be one of: ",
        ),
        (
            "campaigns/c",
            {"variants": [{"messages": [{"channel": "push", "when": "no_push"}]}]},
            "/variants/0/messages/0/when",
            ": always.",
        ),
    ],
)
def test_a_refusal_says_what_the_field_takes(
    shop: Shop, path: str, body: dict[str, object], pointer: str, words: str
) -> None:
    answer = shop.client.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert words in answer.json()["errors"][0]["detail"]


def test_an_empty_body_is_called_empty(shop: Shop) -> None:
    for method, path in (
        ("POST", "coupons/ABC/redeem"),
        ("PUT", "stores/s"),
        ("PUT", "campaigns/c"),
    ):
        answer = shop.client.request(method, f"/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert "empty" in answer.json()["detail"]


def test_a_query_parameter_that_is_not_there_is_refused_and_those_there_are_named(
    shop: Shop,
) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms}
    for method, path, name, takes in (
        ("GET", "/v1/decisions?customer_id=nope", "customer_id", "customer, campaign, store"),
        ("GET", "/v1/stores?limit=1&colour=red", "colour", "limit"),
        ("GET", "/v1/stores/s?a/b=1", "a~1b", "takes none"),
        ("GET", "/v1/events/stream?geofence=g", "geofence", "kind, store, since_seq"),
        ("POST", "/v1/pings?includes=events", "includes", "include, platform, wake, key"),
        ("POST", "/v1/devices/d/ping?wish=offers", "wish", "include, platform, wake, key"),
    ):
        answer = shop.client.request(method, path, json=ping if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), path
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"/query/{name}"]
        assert takes in answer.json()["errors"][0]["detail"], answer.text
    assert shop.with_key("").get("/v1/decisions?customer_id=nope").status_code == 401
    for path in ("/livez?a=1", "/readyz?a=1", "/metrics?a=1", "/openapi.json?a=1", "/docs?a=1"):
        assert shop.client.get(path).status_code == 200, path


def test_a_query_parameter_given_twice_is_refused_where_one_is_expected(shop: Shop) -> None:
    answer = shop.client.get("/v1/stores?tag=a&tag=b&limit=1")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"pointer": "/query/tag", "detail": "It is given more than once."}
    ]
    assert (
        shop.client.post(
            "/v1/imports?kind=stores&ring=near:100&ring=wide:900",
            content=b"id,name,lat,lon\n1,A,48,16\n",
        ).status_code
        == 200
    )


def test_times_long_ago_keep_four_digits_of_the_year(shop: Shop) -> None:
    body = {
        "region": {"type": "circle", "lat": 1.0, "lon": 2.0, "radius_m": 100},
        "active_from": "0900-12-27T03:04:17Z",
    }
    assert (
        shop.client.put("/v1/geofences/old", json=body).json()["active_from"]
        == "0900-12-27T03:04:17.000Z"
    )


def test_every_answer_carries_its_safe_headers(shop: Shop) -> None:
    for path in ("/v1/stores", "/v1/nothing", "/livez"):
        headers = shop.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors" in headers["content-security-policy"]
