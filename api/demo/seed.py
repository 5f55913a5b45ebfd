"""What the invented retailers know and offer.

Stores, customers, devices and two campaigns, put by HTTP as any client does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from api.client.pings import PingClient
from api.http.fields import moment_text
from geofence.model.customer import Customer
from geofence.model.place import Store
from geofence.simulate.shoppers import Shopper

Put = tuple[str, dict[str, Any]]
HANDS = 8  # requests side by side are committed together

CAMPAIGNS: dict[str, dict[str, Any]] = {
    # at any hour, so that something arrives whenever one looks
    "second-cup": {
        "name": "Second cup",
        "status": "active",
        "priority": 10,
        "trigger": {"event": "entered", "ring": "near", "stores": {"brand": "third-kettle"}},
        "pressure": {"per_customer": {"count": 1, "window_s": 86_400}},
        "holdout": 0.05,
        "offer": {
            "title": "The second cup is free",
            "coupon": {"valid_days": 3, "single_use": True, "stores": "trigger"},
        },
        "variants": [
            {
                "name": "a",
                "messages": [
                    {
                        "channel": "push",
                        "title": "{{ customer.first_name }}, your second cup is free",
                        "body": (
                            "{{ store.name }} is {{ distance_m }} m away. "
                            "Code {{ coupon.code }}, to {{ coupon.expires }}"
                        ),
                        "link": "app://offers/{{ coupon.code }}",
                        "ttl_s": 900,
                    },
                    {
                        "channel": "email",
                        "when": "no_push",
                        "subject": "{{ customer.first_name }}, your second cup is free",
                        "text": (
                            "At {{ store.name }}, {{ store.address }}: "
                            "code {{ coupon.code }}, to {{ coupon.expires }}"
                        ),
                        "html": (
                            "<p>At {{ store.name }}, {{ store.address }}: "
                            "code <b>{{ coupon.code }}</b>, to {{ coupon.expires }}</p>"
                        ),
                    },
                ],
            }
        ],
    },
    # only while the store is open: at night each of its decisions says `store_closed`
    "lamp-week": {
        "name": "Lamp week",
        "status": "active",
        "trigger": {"event": "entered", "ring": "wide", "stores": {"brand": "hobb-larch"}},
        "schedule": {"only_when_open": True},
        "pressure": {"per_customer": {"count": 1, "window_s": 86_400}, "min_gap_s": 1_800},
        "offer": {"title": "A fifth off every lamp"},
        "variants": [
            {
                "name": "a",
                "messages": [
                    {
                        "channel": "push",
                        "title": "A fifth off every lamp",
                        "body": "This week at {{ store.name }}, {{ distance_m }} m from here",
                        "ttl_s": 900,
                    }
                ],
            }
        ],
    },
}


def settle(poster: PingClient, stores: Sequence[Store], people: Sequence[Shopper]) -> None:
    """Tell the service about everything. Raises `PostError`."""
    places = [(f"/v1/stores/{store.external_id}", _store(store)) for store in stores]
    customers = [
        (f"/v1/customers/{quote(one.customer_id)}", _customer(one))
        for one in (who.customer for who in people)
        if one is not None
    ]
    devices = [
        (f"/v1/devices/{quote(who.device.device_id)}", _device(who))
        for who in people
        if who.customer is not None
    ]
    campaigns = [(f"/v1/campaigns/{name}", plan) for name, plan in CAMPAIGNS.items()]
    with ThreadPoolExecutor(HANDS, thread_name_prefix="settle") as hands:
        for some in (places + customers, devices, campaigns):
            _put_all(poster, hands, some)


def _put_all(poster: PingClient, hands: ThreadPoolExecutor, puts: Iterable[Put]) -> None:
    for done in [hands.submit(poster.put, path, body) for path, body in puts]:
        done.result()


def _store(store: Store) -> dict[str, Any]:
    rings = [{"name": ring.name, "radius_m": ring.radius_m} for ring in store.rings]
    fields = ("name", "lat", "lon", "brand", "address", "time_zone", "opening_hours", "tags")
    return {**{name: getattr(store, name) for name in fields}, "rings": rings}


def _customer(customer: Customer) -> dict[str, Any]:
    consent = {
        purpose: {"granted": said.granted, "at": moment_text(said.at_ms), "source": said.source}
        for purpose, said in customer.consent.items()
    }
    quiet = customer.quiet_hours
    hours = None if quiet is None else {"start": quiet.start, "until": quiet.until}
    return {
        "email": customer.email,
        "attributes": customer.attributes,
        "consent": consent,
        "quiet_hours": hours,
    }


def _device(who: Shopper) -> dict[str, Any]:
    return {
        "customer_id": who.device.customer_id,
        "platform": who.device.platform,
        "push_token": who.device.push_token,
    }
