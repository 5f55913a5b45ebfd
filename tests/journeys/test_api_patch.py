"""PATCH: some fields change, the others stay, and nothing is lost between two patches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.rigs.shop import Shop

STORE = {
    "name": "Shop",
    "lat": 52.5163,
    "lon": 13.3777,
    "brand": "acme",
    "tags": ["a"],
    "metadata": {"floor": 1, "deep": {"x": 1, "y": 2}},
    "rings": [{"name": "near", "radius_m": 150, "profile": {"name": "strict", "dwell_s": [60]}}],
}
GEOFENCE = {
    "region": {"type": "circle", "lat": 52.5, "lon": 13.3, "radius_m": 100},
    "name": "Gate",
    "active_from": "2026-01-01T00:00:00Z",
    "profile": "exact",
}
DEVICE = {"platform": "ios", "push_token": "t" * 40, "locale": "de-AT", "attributes": {"app": "3"}}
CUSTOMER = {
    "email": "kim@example.org",
    "tags": ["vip"],
    "attributes": {"tier": "gold"},
    "consent": {
        "push": {"granted": True, "at": "2026-01-01T00:00:00Z", "source": "app"},
        "email": {"granted": True, "at": "2026-01-02T00:00:00Z", "source": "till"},
    },
    "quiet_hours": {"start": "22:00", "until": "07:00"},
}
CAMPAIGN = {
    "name": "Lunch",
    "trigger": {"event": "entered", "ring": "near"},
    "schedule": {"from": "2026-01-01", "days": ["mon"]},
    "offer": {"title": "2 for 1"},
    "variants": [{"name": "a", "messages": [{"channel": "push", "title": "T", "body": "B"}]}],
}
BODIES: dict[str, dict[str, Any]] = {
    "stores/s": STORE,
    "geofences/g": GEOFENCE,
    "devices/d": DEVICE,
    "customers/c": CUSTOMER,
    "campaigns/p": CAMPAIGN,
}
TIMES = {"updated_at", "seen_at", "version"}


def _put(shop: Shop, path: str) -> dict[str, Any]:
    made = shop.client.put(f"/v1/{path}", json=BODIES[path])
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


@pytest.mark.parametrize(
    ("path", "patch", "changes"),
    [
        ("stores/s", {"name": "New"}, {"name": "New"}),
        ("stores/s", {"brand": None, "tags": ["b"]}, {"brand": None, "tags": ["b"]}),
        (
            "stores/s",
            {"metadata": {"floor": None, "deep": {"y": 3}}},
            {"metadata": {"deep": {"x": 1, "y": 3}}},
        ),
        (
            "stores/s",
            {"lat": 40.7484, "lon": -73.9857},
            {"lat": 40.7484, "lon": -73.9857, "time_zone": "America/New_York"},
        ),
        ("geofences/g", {"name": None}, {"name": None}),
        (
            "geofences/g",
            {"active_from": None, "enabled": False},
            {"active_from": None, "enabled": False},
        ),
        ("devices/d", {"locale": None}, {"locale": None}),
        ("devices/d", {"push_token": None}, {"has_push_token": False}),
        ("devices/d", {"attributes": {"os": "18"}}, {"attributes": {"app": "3", "os": "18"}}),
        ("customers/c", {"email": None, "tags": None}, {"email": None, "tags": []}),
        ("customers/c", {"attributes": {"tier": None}}, {"attributes": {}}),
        (
            "customers/c",
            {"quiet_hours": {"until": "08:00"}},
            {"quiet_hours": {"start": "22:00", "until": "08:00"}},
        ),
        ("campaigns/p", {"priority": 5}, {"priority": 5}),
        ("campaigns/p", {"status": "paused"}, {"status": "paused"}),
        (
            "campaigns/p",
            {"schedule": {"from": None}},
            {
                "schedule": {
                    "from": None,
                    "until": None,
                    "days": ["mon"],
                    "between": None,
                    "only_when_open": False,
                }
            },
        ),
    ],
)
def test_a_patch_changes_what_it_names_and_nothing_else(
    shop: Shop, path: str, patch: dict[str, Any], changes: dict[str, Any]
) -> None:
    before = _put(shop, path)
    answer = shop.client.patch(
        f"/v1/{path}", json=patch, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 200, answer.text
    after = shop.client.get(f"/v1/{path}").json()
    assert _untimed(answer.json()) == _untimed(after)
    assert _untimed(after) == _untimed(before | changes)


def test_one_radius_changes_alone_and_a_visit_goes_on(shop: Shop) -> None:
    _put(shop, "geofences/g")
    shop.client.post(
        "/v1/pings", json={"device_id": "d", "lat": 52.5, "lon": 13.3, "ts": shop.now_ms}
    )
    visit = shop.client.get("/v1/visits").json()["data"][0]
    patch = {"region": {"radius_m": 250}}
    found = shop.client.patch("/v1/geofences/g", json=patch).json()
    region: Any = GEOFENCE["region"]
    assert found["region"] == region | {"radius_m": 250}
    assert shop.client.get("/v1/visits").json()["data"][0]["visit_id"] == visit["visit_id"]
    assert shop.client.get("/v1/visits").json()["data"][0]["departure"] is None


@pytest.mark.parametrize("path", sorted(BODIES))
def test_an_empty_patch_changes_nothing(shop: Shop, path: str) -> None:
    before = _put(shop, path)
    assert shop.client.patch(f"/v1/{path}", json={}).json() == before


@pytest.mark.parametrize("path", sorted(BODIES))
def test_a_patch_of_what_is_not_there_is_404(shop: Shop, path: str) -> None:
    assert shop.client.patch(f"/v1/{path}", json={}).status_code == 404
    assert shop.client.get(f"/v1/{path}").status_code == 404


@pytest.mark.parametrize("path", sorted(BODIES))
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b'{"name": NaN}', 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b'{"a":' * 5000, 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'"x"', 422, "invalid"),
        (b'{"colour": "red"}', 422, "invalid"),
        (b'{"colour": null}', 422, "invalid"),
    ],
)
def test_a_bad_patch_is_refused_and_changes_nothing(
    shop: Shop, path: str, body: bytes, status: int, code: str
) -> None:
    before = _put(shop, path)
    answer = shop.client.patch(f"/v1/{path}", content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert shop.client.get(f"/v1/{path}").json() == before
    form = shop.client.patch(f"/v1/{path}", files={"file": b"x"})
    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("path", "patch", "pointer"),
    [
        ("stores/s", {"name": None}, "/name"),
        ("stores/s", {"rings": [{"name": "near", "radius_m": 5}]}, "/rings/0/radius_m"),
        ("stores/s", {"opening_hours": "9-5"}, "/opening_hours"),
        ("stores/s", {"lat": 91}, "/lat"),
        ("geofences/g", {"region": {"radius_m": None}}, "/region/radius_m"),
        ("geofences/g", {"region": {"type": "Polygon"}}, "/region"),
        ("geofences/g", {"active_until": "2025-01-01T00:00:00Z"}, ""),
        ("geofences/g", {"store": "nowhere"}, "/store"),
        ("devices/d", {"platform": "toaster"}, "/platform"),
        ("devices/d", {"time_zone": "Mars/Olympus"}, "/time_zone"),
        ("customers/c", {"email": "nobody"}, "/email"),
        ("customers/c", {"consent": {"push": {"source": "x"}}}, "/consent/push/granted"),
        ("campaigns/p", {"offer": None}, "/offer"),
        ("campaigns/p", {"trigger": {"event": "odd"}}, "/trigger/event"),
        ("campaigns/p", {"id": "other"}, "/id"),
        ("campaigns/p", {"variants": []}, "/variants"),
    ],
)
def test_the_result_is_checked_as_a_body_of_put_would_be(
    shop: Shop, path: str, patch: dict[str, Any], pointer: str
) -> None:
    before = _put(shop, path)
    answer = shop.client.patch(f"/v1/{path}", json=patch)
    assert answer.status_code == 422, answer.text
    first = answer.json()["errors"][0]
    assert first["pointer"].startswith(pointer)
    assert shop.client.get(f"/v1/{path}").json() == before


def test_a_consent_in_a_patch_is_a_new_statement_and_the_others_stay(shop: Shop) -> None:
    before = _put(shop, "customers/c")
    patch = {"consent": {"push": {"granted": False}}}
    after = shop.client.patch("/v1/customers/c", json=patch).json()
    assert after["consent"]["email"] == before["consent"]["email"]
    assert after["consent"]["push"]["granted"] is False
    assert after["consent"]["push"]["source"] == ""
    assert after["consent"]["push"]["at"] > before["consent"]["push"]["at"]


def test_a_ring_of_a_store_is_patched_with_its_store_only(shop: Shop) -> None:
    _put(shop, "stores/s")
    answer = shop.client.patch("/v1/geofences/s/near", json={"enabled": False})
    assert (answer.status_code, answer.json()["code"]) == (409, "ring_of_store")


def test_a_patch_needs_the_scope_of_put(shop: Shop) -> None:
    for path in BODIES:
        _put(shop, path)
    phone = shop.with_key(shop.pk)
    for path in BODIES:
        answer = phone.patch(f"/v1/{path}", json={})
        assert answer.status_code == (204 if path == "devices/d" else 403), path
    assert phone.patch("/v1/devices/d", json={"push_token": "u" * 40}).content == b""
    assert shop.client.get("/v1/devices/d").json()["attributes"] == {"app": "3"}


@pytest.mark.parametrize("path", ["stores/s", "geofences/g", "devices/d", "customers/c"])
def test_patches_at_the_same_time_do_not_lose_each_other(shop: Shop, path: str) -> None:
    _put(shop, path)
    field = "metadata" if path in ("stores/s", "geofences/g") else "attributes"

    def patch(number: int) -> int:
        body = {field: {f"n{number}": number}}
        return shop.client.patch(f"/v1/{path}", json=body).status_code

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(patch, range(12)))
    kept = shop.client.get(f"/v1/{path}").json()[field]
    assert set(statuses) <= {200, 409}
    assert statuses.count(200) >= 4
    done = {number for number, status in enumerate(statuses) if status == 200}
    assert {int(name[1:]) for name in kept if name.startswith("n")} == done


def _untimed(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in TIMES}
