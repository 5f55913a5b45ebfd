"""Step 5: a decision becomes its coupon and its messages, each with its own expiry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from geofence import ids
from geofence.errors import InputError
from geofence.model.account import Device
from geofence.model.campaign import Campaign, EmailPlan, InAppPlan, MessagePlan, PushPlan, Variant
from geofence.model.case import Case
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Decision
from geofence.model.event import Event
from geofence.model.message import ChannelName, OutboxMessage
from geofence.model.place import Store
from geofence.offers import coupon_codes
from geofence.offers.templates import check, render

NO_ZONE = "UTC"


def coupon_for(case: Case, decision: Decision) -> Coupon | None:
    """A code for this decision, where the offer has one."""
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


def compose(
    case: Case, decision: Decision, variant: Variant, coupon: Coupon | None, public_url: str
) -> list[OutboxMessage]:
    """The messages of a variant that this customer can be sent, filled in.

    Raises `InputError` when a template breaks a limit.
    """
    fields = fields_of(case, coupon)
    return [_message(case, decision, plan, fields, public_url) for plan in case.sendable(variant)]


def fields_of(case: Case, coupon: Coupon | None) -> dict[str, Any]:
    """What a template may say, as `templates.FIELDS` lists it; missing values are empty."""
    customer, store, event = case.customer, case.store, case.event
    attributes = customer.attributes if customer is not None else {}
    ring_m = case.rings.get(event.ring or "", 0.0)
    return {
        "customer": {
            "id": customer.customer_id if customer is not None else "",
            "first_name": attributes.get("first_name", ""),
            "last_name": attributes.get("last_name", ""),
            "attributes": attributes,
        },
        "store": {
            "id": store.external_id if store is not None else "",
            "name": store.name if store is not None else "",
            "brand": (store.brand or "") if store is not None else "",
            "address": (store.address or "") if store is not None else "",
        },
        "distance_m": max(10, round((ring_m + (event.edge_m or 0.0)) / 10) * 10),
        "ring": event.ring or "",
        "offer": {"title": case.campaign.plan.offer.title},
        "coupon": {"code": "", "expires": ""}
        if coupon is None
        else {
            "code": coupon.code,
            "expires": coupon_codes.last_day(coupon.expires_ms, _zone(case)),
        },
    }


def check_templates(campaign: Campaign, sample: Case) -> list[tuple[str, str]]:
    """(JSON pointer, detail) of every template that cannot be used; see `templates.check`."""
    fields = fields_of(sample, None)
    places = (
        (f"/variants/{v}/messages/{m}/{name}", getattr(plan, name, None), name == "html")
        for v, variant in enumerate(campaign.plan.variants)
        for m, plan in enumerate(variant.messages)
        for name in ("title", "body", "link", "subject", "text", "html")
    )
    found = (
        (pointer, _unusable(source, fields, html, coupon=campaign.plan.offer.coupon is not None))
        for pointer, source, html in places
        if source is not None
    )
    return [(pointer, detail) for pointer, detail in found if detail]


def _unusable(source: str, fields: dict[str, Any], html: bool, *, coupon: bool) -> str:
    try:
        check(source, fields, html=html, coupon=coupon)
    except InputError as error:
        return error.detail
    return ""


def sample_case(campaign: Campaign, now_ms: int) -> Case:
    """A case that never happened, with everybody known: for checks and previews."""
    store = Store(
        "sample",
        "Corner Street",
        0.0,
        0.0,
        brand="Sample",
        address="1 Corner Street",
        time_zone=NO_ZONE,
    )
    customer = Customer(
        "sample", attributes={"first_name": "Kim", "last_name": "Lee"}, email="kim@example.org"
    )
    event = Event(
        "evt",
        "geofence.entered",
        "",
        "device",
        now_ms,
        now_ms,
        "gf",
        "sample/near",
        "vis",
        "balanced",
        store_id="sample",
    )
    local = datetime.fromtimestamp(now_ms / 1000, UTC).replace(tzinfo=None)
    return Case(
        event,
        campaign,
        now_ms,
        local,
        store=store,
        customer=customer,
        devices=(Device("device", push_token="-"),),  # noqa: S106 - a token that no phone has,
    )


def _message(
    case: Case, decision: Decision, plan: MessagePlan, fields: dict[str, Any], public_url: str
) -> OutboxMessage:
    channel: ChannelName = (
        "push"
        if isinstance(plan, PushPlan)
        else "email"
        if isinstance(plan, EmailPlan)
        else "inapp"
    )
    message_id = ids.of_facts("msg", decision.id, channel)
    address, device_id = _address(case, plan)
    shown = isinstance(
        plan, InAppPlan
    )  # it is handed over in the answer to the ping, before anything else could be
    return OutboxMessage(
        id=message_id,
        project_id=decision.project_id,
        decision_id=decision.id,
        campaign_id=decision.campaign_id,
        customer_id=decision.customer_id,
        device_id=device_id,
        geofence_uid=case.event.geofence_uid,
        channel=channel,
        address=address,
        content=_content(case, plan, fields, f"{public_url}/p/{message_id}"),
        created_ms=decision.at_ms,
        expires_ms=decision.at_ms + plan.ttl_s * 1000,
        due_ms=None if shown else decision.at_ms,
        status="sent" if shown else "queued",
        attempt=1 if shown else 0,
        finished_ms=decision.at_ms if shown else None,
    )


def _content(case: Case, plan: MessagePlan, fields: dict[str, Any], why_url: str) -> dict[str, Any]:
    if isinstance(plan, EmailPlan):
        html = None if plan.html is None else render(plan.html, fields, html=True)
        subject = " ".join(render(plan.subject, fields).split())
        return {
            "subject": subject,
            "text": render(plan.text, fields),
            "html": html,
            "unsubscribe_url": why_url,
        }
    link = None if plan.link is None else render(plan.link, fields)
    data = {"campaign_id": case.campaign.id, "store_id": case.event.store_id or "", "why": why_url}
    if fields["coupon"]["code"]:
        data["coupon"] = fields["coupon"]["code"]
    content: dict[str, Any] = {
        "title": render(plan.title, fields),
        "body": render(plan.body, fields),
        "link": link,
        "data": data,
    }
    if case.event.kind == "geofence.exited":
        content["near"] = False  # it is meant for somebody who has left
    return content


def _address(case: Case, plan: MessagePlan) -> tuple[str, str]:
    """(address, device id).

    The phone that walked in where it has a token, else the one last seen.
    """
    if isinstance(plan, EmailPlan):
        return (
            case.customer.email or "" if case.customer is not None else ""
        ), case.event.device_id
    if isinstance(plan, InAppPlan):
        return case.event.device_id, case.event.device_id
    here = [device for device in case.devices if device.device_id == case.event.device_id]
    device = [*here, *case.devices][0]
    return device.push_token or "", device.device_id


def _zone(case: Case) -> str:
    return (case.store.time_zone if case.store is not None else None) or NO_ZONE
