"""What an offer is filled in with: its coupon, and the fields of its templates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from geofence.delivery.channels import CHANNELS
from geofence.errors import InputError
from geofence.model.account import Device
from geofence.model.campaign import Campaign, MessagePlan
from geofence.model.case import Case
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Decision
from geofence.model.event import Event
from geofence.model.place import Store
from geofence.offers import coupon_codes
from geofence.templates import check

NO_ZONE = "UTC"
SAMPLE_PAGE = "https://shop.example/p/sample"


def coupon_for(case: Case, decision: Decision) -> Coupon | None:
    """A new coupon for this decision; None where the offer has none."""
    plan = case.campaign.plan.offer.coupon
    if plan is None:
        return None
    stores = plan.stores if isinstance(plan.stores, tuple) else None
    if plan.stores == "trigger" and case.store is not None:
        stores = (case.store.external_id,)
    return Coupon(
        code=coupon_codes.new_code(),
        project_id=decision.project_id,
        campaign_id=decision.campaign_id,
        customer_id=decision.customer_id,
        decision_id=decision.id,
        issued_ms=decision.at_ms,
        expires_ms=coupon_codes.end_of_validity_ms(decision.at_ms, plan.valid_days, _zone(case)),
        single_use=plan.single_use,
        stores=stores,
        title=case.campaign.plan.offer.title,
    )


def fields_of(case: Case, coupon: Coupon | None, unsubscribe_url: str) -> dict[str, Any]:
    """The values of `templates.FIELDS`, nested; a missing value is empty."""
    return {
        "customer": _customer_fields(case.customer),
        "store": _store_fields(case.store),
        "distance_m": _distance_m(case),
        "ring": case.event.ring or "",
        "offer": {"title": case.campaign.plan.offer.title},
        "coupon": _coupon_fields(coupon, _zone(case)),
        "unsubscribe_url": unsubscribe_url,
    }


def _customer_fields(customer: Customer | None) -> dict[str, Any]:
    attributes = customer.attributes if customer is not None else {}
    return {
        "id": customer.customer_id if customer is not None else "",
        "first_name": attributes.get("first_name", ""),
        "last_name": attributes.get("last_name", ""),
        "attributes": attributes,
    }


def _store_fields(store: Store | None) -> dict[str, str]:
    if store is None:
        return {"id": "", "name": "", "brand": "", "address": ""}
    return {
        "id": store.external_id,
        "name": store.name,
        "brand": store.brand or "",
        "address": store.address or "",
    }


def _coupon_fields(coupon: Coupon | None, zone: str) -> dict[str, str]:
    if coupon is None:
        return {"code": "", "expires": ""}
    return {"code": coupon.code, "expires": coupon_codes.last_day(coupon.expires_ms, zone)}


def _distance_m(case: Case) -> int:
    """Metres from the phone to the store, rounded to ten; at least ten."""
    ring_m = case.rings.get(case.event.ring or "", 0.0)
    return max(10, round((ring_m + (case.event.edge_m or 0.0)) / 10) * 10)


def check_templates(campaign: Campaign, sample: Case) -> list[tuple[str, str]]:
    """(JSON pointer, detail) of every template that cannot be used; see `templates.check`."""
    fields = fields_of(sample, None, SAMPLE_PAGE)
    has_coupon = campaign.plan.offer.coupon is not None
    found = (
        (
            f"/variants/{v}/messages/{m}/{name}",
            _unusable(source, fields, html=name == "html", coupon=has_coupon),
        )
        for v, variant in enumerate(campaign.plan.variants)
        for m, plan in enumerate(variant.messages)
        for name, source in templates_of(plan)
    )
    return [(pointer, detail) for pointer, detail in found if detail]


def templates_of(plan: MessagePlan) -> Iterator[tuple[str, str]]:
    """(field, template) of a message, in the order of its channel."""
    for name in CHANNELS[plan.channel].templates:
        source = getattr(plan, name)
        if source is not None:
            yield name, source


def _unusable(source: str, fields: dict[str, Any], *, html: bool, coupon: bool) -> str:
    try:
        check(source, fields, html=html, coupon=coupon)
    except InputError as error:
        return error.detail
    return ""


def sample_case(
    campaign: Campaign, now_ms: int, store: Store | None = None, customer: Customer | None = None
) -> Case:
    """A case for checks and previews, with an invented store or customer where none is given."""
    store = store or Store(
        "sample",
        "Corner Street",
        0.0,
        0.0,
        brand="Sample",
        address="1 Corner Street",
        time_zone=NO_ZONE,
    )
    customer = customer or Customer(
        "sample", attributes={"first_name": "Kim", "last_name": "Lee"}, email="kim@example.org"
    )
    trigger = campaign.plan.trigger
    ring = trigger.ring or next((one.name for one in store.rings), None)
    event = Event(
        "evt",
        f"geofence.{trigger.event}",  # type: ignore[arg-type]  # every trigger has an event kind
        "",
        "device",
        now_ms,
        now_ms,
        "gf",
        f"{store.external_id}/{ring or 'near'}",
        "vis",
        "balanced",
        store_id=store.external_id,
        ring=ring,
    )
    return Case(
        event,
        campaign,
        now_ms,
        datetime.fromtimestamp(now_ms / 1000, UTC).replace(tzinfo=None),
        store=store,
        customer=customer,
        devices=(Device("device", push_token="-"),),  # noqa: S106 - a token that no phone has
        rings={one.name: one.radius_m for one in store.rings},
    )


def _zone(case: Case) -> str:
    return (case.store.time_zone if case.store is not None else None) or NO_ZONE
