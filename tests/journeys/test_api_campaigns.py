"""Campaigns: saved, previewed, activated, and what they lead to is listed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rigs.campaigns import LUNCH
from tests.rigs.offers import EMAIL, INAPP, PUSH, STORE, open_front, plan, register, step_inside
from tests.rigs.shop import Shop, open_shop


def test_a_campaign_comes_back_as_it_was_put_with_its_place_in_the_world(shop: Shop) -> None:
    made = shop.client.put("/v1/campaigns/lunch", json=LUNCH)
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["id"], found["status"], found["version"]) == ("lunch", "draft", 1)
    assert found["schedule"] == LUNCH["schedule"]
    assert found["trigger"]["stores"]["brand"] == "Bean"
    assert found["variants"][0]["messages"][0]["ttl_s"] == 900
    assert shop.client.get("/v1/campaigns/lunch").json() == found
    back = {
        name: value
        for name, value in found.items()
        if name not in ("version", "created_at", "updated_at", "matches")
    }
    again = shop.client.put("/v1/campaigns/lunch", json=back)
    assert (again.status_code, again.json()) == (200, found)
    assert (
        shop.client.put("/v1/campaigns/lunch", json=LUNCH | {"priority": 11}).json()["version"] == 2
    )
    assert shop.client.delete("/v1/campaigns/lunch").status_code == 204
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/activate"),
        ("POST", "/pause"),
        ("POST", "/preview"),
    ):
        assert shop.client.request(method, f"/v1/campaigns/lunch{path}").status_code == 404, path


def test_a_campaign_is_activated_and_paused_and_a_put_without_status_leaves_it(shop: Shop) -> None:
    assert shop.client.put("/v1/stores/corner", json=STORE).status_code == 201
    body = {name: value for name, value in LUNCH.items() if name != "status"}
    assert shop.client.put("/v1/campaigns/lunch", json=body).json()["status"] == "draft"
    assert shop.client.post("/v1/campaigns/lunch/activate").json()["status"] == "active"
    assert shop.client.post("/v1/campaigns/lunch/activate").json()["status"] == "active"
    assert (
        shop.client.put("/v1/campaigns/lunch", json=body | {"priority": 1}).json()["status"]
        == "active"
    )
    assert [one["id"] for one in shop.client.get("/v1/campaigns?status=active").json()["data"]] == [
        "lunch"
    ]
    assert shop.client.post("/v1/campaigns/lunch/pause").json()["status"] == "paused"
    assert (
        shop.client.put("/v1/campaigns/lunch", json=body | {"status": "active"}).json()["status"]
        == "active"
    )
    assert shop.client.get("/v1/campaigns?status=paused").json()["data"] == []


def test_a_preview_shows_every_message_filled_in_and_sends_nothing(shop: Shop) -> None:
    shop.client.put("/v1/campaigns/lunch", json=LUNCH)
    shown = shop.client.post("/v1/campaigns/lunch/preview").json()["data"]
    assert [(one["variant"], one["channel"]) for one in shown] == [("a", "push"), ("a", "email")]
    assert shown[0]["title"].startswith("Coffee, ")
    assert "{{" not in json.dumps(shown)
    assert shown[0]["link"].startswith("app://offers/")
    assert "link" not in shown[1]
    assert shop.client.get("/v1/messages").json()["data"] == []


def test_a_preview_shows_the_store_and_the_customer_that_its_body_names(shop: Shop) -> None:
    shop.client.put("/v1/campaigns/lunch", json=LUNCH)
    assert shop.client.put("/v1/stores/corner", json=STORE).status_code == 201
    register(shop, "ann", "location")
    asked = {"store": "corner", "customer": "ann"}
    shown = shop.client.post("/v1/campaigns/lunch/preview", json=asked).json()["data"]
    assert shown[0]["title"] == "Coffee, Ann?"
    assert shown[0]["body"].startswith("Corner Street is 150 m away. Code ")
    half = shop.client.post("/v1/campaigns/lunch/preview", json={"customer": "ann"}).json()["data"]
    assert half[0]["title"] == "Coffee, Ann?"
    assert shop.client.get("/v1/customers/ann/coupons").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"store": "nowhere"}, "/store"),
        ({"customer": "stranger"}, "/customer"),
        ({"shop": "corner"}, "/shop"),
        ({"store": 5}, "/store"),
    ],
)
def test_a_preview_for_what_is_not_there_is_refused(
    shop: Shop, body: dict[str, Any], pointer: str
) -> None:
    shop.client.put("/v1/campaigns/lunch", json=LUNCH)
    refused = shop.client.post("/v1/campaigns/lunch/preview", json=body)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]


def test_saving_says_how_many_stores_rings_and_devices_a_campaign_matches(shop: Shop) -> None:
    made = shop.client.put("/v1/campaigns/lunch", json=LUNCH).json()
    assert made["matches"] == {"stores": 0, "rings": 0, "devices_seen_24h": 0}
    rings = [*STORE["rings"], {"name": "wide", "radius_m": 900}]
    shop.client.put("/v1/stores/corner", json=STORE | {"rings": rings, "tags": ["city"]})
    shop.client.put("/v1/stores/other", json=STORE | {"brand": "Leaf"})
    register(shop, "ann", "location")
    step_inside(shop, "ann")
    found = shop.client.get("/v1/campaigns/lunch").json()["matches"]
    assert found == {"stores": 1, "rings": 1, "devices_seen_24h": 1}
    for stores, ring, counts in (
        ({}, None, (2, 3, 1)),
        ({"tag": "city"}, None, (1, 2, 1)),
        ({"tag": "country"}, None, (0, 0, 0)),
        ({"ids": ["other", "gone"]}, "near", (1, 1, 1)),
        ({"ids": ["corner"], "brand": "Leaf"}, None, (0, 0, 0)),
        ({"brand": "Bean"}, "far", (1, 0, 0)),
    ):
        trigger = {"event": "entered", "ring": ring, "stores": stores}
        saved = shop.client.put("/v1/campaigns/lunch", json=LUNCH | {"trigger": trigger}).json()
        assert tuple(saved["matches"].values()) == counts, trigger


def test_a_campaign_that_matches_no_store_or_no_ring_is_not_activated(shop: Shop) -> None:
    shop.client.put("/v1/campaigns/lunch", json=LUNCH)
    refused = shop.client.post("/v1/campaigns/lunch/activate")
    assert (refused.status_code, refused.json()["code"]) == (409, "matches_nothing")
    assert refused.json()["detail"].startswith("No store matches /trigger/stores")
    assert shop.client.put("/v1/stores/corner", json=STORE | {"rings": []}).status_code == 201
    refused = shop.client.put("/v1/campaigns/lunch", json=LUNCH | {"status": "active"})
    assert (refused.status_code, refused.json()["code"]) == (409, "matches_nothing")
    assert "a ring called near" in refused.json()["detail"]
    assert shop.client.get("/v1/campaigns/lunch").json()["status"] == "draft"
    assert shop.client.put("/v1/stores/corner", json=STORE).status_code == 200
    assert shop.client.post("/v1/campaigns/lunch/activate").json()["status"] == "active"


def test_another_tenants_campaigns_and_what_follows_are_not_there(shop: Shop) -> None:
    open_front(shop, INAPP)
    register(shop, "kim", "location")
    offer = step_inside(shop, "kim")
    decision = shop.client.get("/v1/decisions").json()["data"][0]
    message = shop.client.get("/v1/messages").json()["data"][0]
    assert offer["events"]
    other = open_shop(shop.running, "other").client
    for path in (
        "/v1/campaigns/lunch",
        f"/v1/decisions/{decision['id']}",
        f"/v1/messages/{message['id']}",
    ):
        assert (shop.client.get(path).status_code, other.get(path).status_code) == (200, 404), path
    for method, path in (
        ("DELETE", ""),
        ("POST", "/activate"),
        ("POST", "/pause"),
        ("POST", "/preview"),
    ):
        assert other.request(method, f"/v1/campaigns/lunch{path}").status_code == 404, path
    for path in ("/v1/campaigns", "/v1/decisions", "/v1/messages"):
        assert other.get(path).json()["data"] == [], path
    assert other.put("/v1/campaigns/lunch", json=plan()).status_code == 201
    assert shop.client.get("/v1/campaigns/lunch").json()["status"] == "active"


def _two_step_inside(shop: Shop) -> tuple[dict[str, Any], dict[str, Any]]:
    """Kim agreed to messages and Lee did not; the decisions about both."""
    open_front(shop, PUSH, EMAIL | {"when": "always"})
    register(
        shop,
        "kim",
        "location",
        "push",
        "email",
        token="token-of-kim-0123456789",
        email="kim@example.org",
    )
    register(shop, "lee", "location", email="lee@example.org")
    step_inside(shop, "kim")
    step_inside(shop, "lee")
    kim, lee = shop.client.get("/v1/decisions").json()["data"]
    return kim, lee


def test_lists_of_decisions_are_filtered_and_paged(shop: Shop) -> None:
    kim, lee = _two_step_inside(shop)
    assert (kim["outcome"], kim["customer_id"], kim["store_id"], kim["ring"], kim["variant"]) == (
        "send",
        "kim",
        "corner",
        "near",
        "a",
    )
    assert (lee["outcome"], lee["trace"][-1]["gate"], lee["trace"][-1]["passed"]) == (
        "silent",
        "consent",
        False,
    )
    for query, wanted in (
        ({"customer": "kim"}, [kim]),
        ({"campaign": "lunch"}, [kim, lee]),
        ({"campaign": "x"}, []),
        ({"store": "corner"}, [kim, lee]),
        ({"device": "lee-phone"}, [lee]),
        ({"event": kim["event_id"]}, [kim]),
        ({"outcome": "silent"}, [lee]),
        ({"reason": "send"}, [kim]),
        ({"since": kim["at"]}, [kim, lee]),
        ({"until": kim["at"]}, []),
        ({"order": "desc"}, [lee, kim]),
    ):
        assert shop.client.get("/v1/decisions", params=query).json()["data"] == wanted, query
    first = shop.client.get("/v1/decisions?limit=1").json()
    second = shop.client.get(
        "/v1/decisions", params={"limit": 1, "cursor": first["next_cursor"]}
    ).json()
    assert first["data"] + second["data"] == [kim, lee]


def test_lists_of_messages_are_filtered_and_paged(shop: Shop) -> None:
    kim, _ = _two_step_inside(shop)
    messages = shop.client.get("/v1/messages").json()["data"]
    assert {(one["channel"], one["address"]) for one in messages} == {
        ("push", "...6789"),
        ("email", "k***@example.org"),
    }
    assert "token-of-kim" not in shop.client.get("/v1/messages").text
    for query, count in (
        ({"channel": "push"}, 1),
        ({"customer": "lee"}, 0),
        ({"decision": kim["id"]}, 2),
        ({"campaign": "lunch"}, 2),
    ):
        assert len(shop.client.get("/v1/messages", params=query).json()["data"]) == count, query
    half = shop.client.get("/v1/messages?limit=1").json()
    rest = shop.client.get(
        "/v1/messages", params={"limit": 1, "cursor": half["next_cursor"]}
    ).json()
    assert {one["id"] for one in half["data"] + rest["data"]} == {one["id"] for one in messages}
    story = shop.client.get(f"/v1/messages/{messages[0]['id']}").json()
    assert (story["message"]["id"], story["tries"]) == (messages[0]["id"], [])


def test_a_filter_of_decisions_or_messages_that_cannot_match_is_refused(shop: Shop) -> None:
    for path in (
        "/v1/decisions?outcome=odd",
        "/v1/messages?channel=fax",
        "/v1/messages?status=odd",
        "/v1/decisions?customer=%00",
    ):
        assert shop.client.get(path).status_code == 422, path
