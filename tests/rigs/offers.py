"""A small shop front for journeys: a store, people who agreed, a campaign, and a step inside."""

from __future__ import annotations

from typing import Any

from tests.rigs.shop import Shop

LAT, LON = 48.2082, 16.3738
STORE = {
    "name": "Corner Street",
    "brand": "Bean",
    "lat": LAT,
    "lon": LON,
    "time_zone": "Europe/Vienna",
    "rings": [{"name": "near", "radius_m": 150, "profile": "exact"}],
}
PUSH = {
    "channel": "push",
    "title": "Coffee, {{ customer.first_name | default: 'friend' }}?",
    "body": "Code {{ coupon.code }}",
}
EMAIL = {
    "channel": "email",
    "subject": "Coffee near {{ store.name }}",
    "text": "Code {{ coupon.code }}",
    "when": "no_push",
}
INAPP = {"channel": "inapp", "title": "Here", "body": "{{ store.name }}: {{ coupon.code }}"}
YES = {"granted": True, "source": "the app"}


def plan(*messages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A campaign that works; `changes` replace its fields."""
    return {
        "name": "Lunch",
        "trigger": {"event": "entered", "ring": "near"},
        "offer": {"title": "2 for 1", "coupon": {"valid_days": 3}},
        "variants": [{"name": "a", "messages": list(messages or (PUSH, EMAIL))}],
    } | changes


def open_front(shop: Shop, *messages: dict[str, Any], **changes: Any) -> None:
    """A store, and a campaign that runs there."""
    assert shop.client.put("/v1/stores/corner", json=STORE).status_code == 201
    made = shop.client.put(
        "/v1/campaigns/lunch", json=plan(*messages, **changes) | {"status": "active"}
    )
    assert made.status_code == 201, made.text


def register(
    shop: Shop, name: str, *purposes: str, token: str = "", email: str | None = None
) -> None:
    """A person who agreed to these purposes, with a phone `<name>-phone`."""
    consent = dict.fromkeys(purposes, YES)
    body = {"email": email, "attributes": {"first_name": name.title()}, "consent": consent}
    assert shop.client.put(f"/v1/customers/{name}", json=body).status_code == 201
    device = {
        "platform": "android",
        "customer_id": name,
        **({"push_token": token} if token else {}),
    }
    assert shop.with_key(shop.pk).put(f"/v1/devices/{name}-phone", json=device).status_code == 201


def step_inside(shop: Shop, name: str) -> dict[str, Any]:
    """The person's phone at the store now; what the service answers."""
    ping = {"lat": LAT, "lon": LON, "ts": shop.running.services.clock.now_ms(), "accuracy_m": 5}
    response = shop.with_key(shop.pk).post(f"/v1/devices/{name}-phone/ping", json=ping)
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer
