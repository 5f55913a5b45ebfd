"""Sample customers, campaigns, decisions, messages and coupons, as `some` makes places.

With what a test cares about replaced.
"""

from __future__ import annotations

from typing import Any

from geofence.backends.sql.database import SqlDatabase
from geofence.delivery.channels.email import EmailPlan
from geofence.delivery.channels.fcm import PushPlan
from geofence.delivery.channels.inapp import InAppPlan
from geofence.model.campaign import (
    Campaign,
    CouponPlan,
    Offer,
    Plan,
    Schedule,
    Trigger,
    Variant,
)
from geofence.model.customer import Consent, Customer, QuietHours
from geofence.model.decision import Coupon, Decision, GateResult, Redemption
from geofence.model.message import Attempt, OutboxMessage
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.ports.decisions import NewDecisions
from tests.rigs.some import START_MS, device

AGREED = {purpose: Consent(True, START_MS, "app") for purpose in ("location", "push", "email")}


def customer(customer_id: str = "c1", **given: Any) -> Customer:
    facts: dict[str, Any] = {
        "customer_id": customer_id,
        "email": f"{customer_id}@example.org",
        "consent": AGREED,
        "created_ms": START_MS,
    }
    return Customer(**facts | {"updated_ms": START_MS} | given)


def full_customer() -> Customer:
    facts: dict[str, Any] = {
        "attributes": {"first_name": "Zoë", "visits": [1, {"deep": None}]},
        "tags": ("vip", "früh"),
        "locale": "de-DE",
    }
    return customer(
        quiet_hours=QuietHours("21:00", "08:00"),
        consent=AGREED | {"push": Consent(False, START_MS + 5)},
        **facts,
    )


def plan(**given: Any) -> Plan:
    push = Variant("only", (PushPlan(title="Hello {{ customer.first_name }}", body="Come in"),))
    facts: dict[str, Any] = {
        "name": "Coffee",
        "trigger": Trigger("entered"),
        "offer": Offer("2 for 1"),
        "variants": (push,),
    }
    return Plan(**facts | given)


def full_plan() -> Plan:
    said = (
        PushPlan(title="a", body="b", link="app://x"),
        EmailPlan(subject="s", text="t", html="<p>t</p>", when="no_push"),
        InAppPlan(title="a", body="b"),
    )
    schedule = Schedule(
        from_="2026-01-01",
        until="2026-12-31",
        days=("mon", "fri"),
        between=("22:00", "02:00"),
        only_when_open=True,
    )
    return plan(
        trigger=Trigger("dwelled", "near", dwell_s=60),
        offer=Offer("2 for 1", CouponPlan(stores=("s1", "s2"))),
        variants=(Variant("A", said, 3), Variant("B", said[:1])),
        schedule=schedule,
        holdout=0.125,
    )


def campaign(id: str = "coffee", **given: Any) -> Campaign:  # noqa: A002 - the field is called id
    facts: dict[str, Any] = {
        "id": id,
        "plan": plan(),
        "status": "active",
        "salt": "salt",
        "created_ms": START_MS,
        "updated_ms": START_MS,
    }
    return Campaign(**facts | given)


def decision(number: int = 1, **given: Any) -> Decision:
    facts: dict[str, Any] = {
        "id": f"dec_{number:06}",
        "project_id": "p1",
        "event_id": f"evt_{number:06}",
        "campaign_id": "coffee",
        "campaign_version": 1,
    }
    more = {
        "customer_id": "c1",
        "device_id": "d1",
        "store_id": "s1",
        "ring": "near",
        "geofence_id": "fence",
        "visit_id": f"vis_{number}",
    }
    trace = (GateResult("active", True), GateResult("frequency_cap", True, "", "0", "1"))
    times = {"at_ms": START_MS + number, "event_ms": START_MS + number - 1}
    return Decision(
        **facts | more | times | {"outcome": "send", "reason": "send", "trace": trace} | given
    )


def message(number: int = 1, **given: Any) -> OutboxMessage:
    facts: dict[str, Any] = {
        "id": f"msg_{number:06}",
        "project_id": "p1",
        "decision_id": f"dec_{number:06}",
        "campaign_id": "coffee",
        "customer_id": "c1",
    }
    where = {
        "device_id": "d1",
        "geofence_uid": "gf_1",
        "channel": "push",
        "address": "token-1",
        "content": {"title": "Hi", "body": "Ho"},
    }
    times = {
        "created_ms": START_MS + number,
        "expires_ms": START_MS + 900_000,
        "due_ms": START_MS + number,
    }
    return OutboxMessage(**facts | where | times | given)


def attempt(message: OutboxMessage, **given: Any) -> Attempt:
    facts: dict[str, Any] = {
        "message_id": message.id,
        "project_id": message.project_id,
        "attempt": message.attempt,
        "started_ms": START_MS + 10,
    }
    return Attempt(
        **facts
        | {"finished_ms": START_MS + 20, "verdict": "sent", "reason": "sent", "status": 200}
        | given
    )


def coupon(number: int = 1, **given: Any) -> Coupon:
    facts: dict[str, Any] = {
        "code": f"CODE{number:06}",
        "project_id": "p1",
        "campaign_id": "coffee",
        "customer_id": "c1",
        "title": "2 for 1",
    }
    times = {"issued_ms": START_MS + number, "expires_ms": START_MS + 86_400_000}
    return Coupon(**facts | times | {"decision_id": f"dec_{number:06}", "stores": ("s1",)} | given)


def redemption(number: int = 1, **given: Any) -> Redemption:
    facts: dict[str, Any] = {
        "id": f"red_{number:06}",
        "project_id": "p1",
        "code": "CODE000001",
        "store_id": "s1",
        "at_ms": START_MS + 50,
    }
    return Redemption(**facts | {"till": "2", "amount": 480, "currency": "EUR"} | given)


def add_customers(database: SqlDatabase, *customers: Customer, project_id: str = "p1") -> None:
    with database.begin() as unit:
        for one in customers:
            unit.customers.put(project_id, one)
        unit.commit()


def add_campaigns(database: SqlDatabase, *campaigns: Campaign, project_id: str = "p1") -> None:
    with database.begin() as unit:
        for one in campaigns:
            unit.campaigns.put(project_id, one)
        unit.commit()


def add(database: SqlDatabase, *new_rows: Decision | Coupon | OutboxMessage) -> None:
    """Decisions, coupons and messages of one unit."""
    new = NewDecisions(
        [one for one in new_rows if isinstance(one, Decision)],
        [one for one in new_rows if isinstance(one, Coupon)],
        [one for one in new_rows if isinstance(one, OutboxMessage)],
    )
    with database.begin() as unit:
        unit.decisions.save(new)
        unit.commit()


def arrive(
    database: SqlDatabase,
    device_id: str = "d1",
    *,
    customer_id: str | None = "c1",
    inside: bool = True,
    token: str | None = None,
) -> None:
    """A device of a customer with a presence at gf_1, and with a push token where one is given."""
    key, presence = DeviceKey("p1", device_id), Presence(geofence_uid="gf_1", inside=inside)
    with database.begin() as unit:
        unit.accounts.put_device("p1", device(device_id, customer_id=customer_id, push_token=token))
        state = DeviceState(True, START_MS, START_MS, 1.0, 1.0, customer_id, {"gf_1": presence})
        unit.hot.save({key: state}, {})
        unit.commit()


def take(
    database: SqlDatabase,
    now_ms: int = START_MS + 1000,
    channel: str = "push",
    lease_ms: int = 60_000,
    limit: int = 100,
) -> list[OutboxMessage]:
    with database.begin() as unit:
        taken = unit.outbox.take(channel, now_ms, lease_ms, limit)
        unit.commit()
    return taken


def finish(database: SqlDatabase, *outcomes: tuple[OutboxMessage, Attempt | None]) -> int:
    with database.begin() as unit:
        written = unit.outbox.finish(outcomes)
        unit.commit()
    return written
