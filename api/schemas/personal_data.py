"""Everything that is stored about a customer, collected from every list that can name one."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from api.http.fields import moment_text
from api.schemas.coupons import CouponOut
from api.schemas.customers import CustomerExport, CustomerOut
from api.schemas.decisions import DecisionOut
from api.schemas.devices import DeviceOut
from api.schemas.events import EventOut
from api.schemas.messages import AttemptOut, MessageOut, StoredMessage
from api.schemas.visits import VisitOut
from geofence.model.message import Attempt, OutboxMessage
from geofence.ports.listing import (
    AttemptFilter,
    CouponFilter,
    CustomerFilter,
    DecisionFilter,
    DeviceFilter,
    EventFilter,
    MessageFilter,
    VisitFilter,
    every,
)
from geofence.ports.queries import Queries

_AT_ONCE = 1000


def stored(queries: Queries, project_id: str, customer_id: str) -> dict[str, list[Any]]:
    """By noun, everything of this customer."""
    who, p = customer_id, project_id
    return {
        "customers": list(every(queries.customers, p, CustomerFilter(id=who))),
        "devices": list(every(queries.devices, p, DeviceFilter(customer=who))),
        "visits": list(every(queries.visits, p, VisitFilter(customer=who))),
        "events": list(every(queries.events, p, EventFilter(customer=who))),
        "decisions": list(every(queries.decisions, p, DecisionFilter(customer=who))),
        "messages": list(every(queries.messages, p, MessageFilter(customer=who))),
        "coupons": list(every(queries.coupons, p, CouponFilter(customer=who))),
    }


def export(
    queries: Queries, project_id: str, found: dict[str, list[Any]], now_ms: int
) -> CustomerExport:
    """What was found, as it is handed over, with the attempts of each message."""
    tries = _tries(queries, project_id, [message.id for message in found["messages"]])
    return CustomerExport(
        exported_at=moment_text(now_ms),
        customer=CustomerOut.of(found["customers"][0]) if found["customers"] else None,
        devices=tuple(map(DeviceOut.of, found["devices"])),
        visits=tuple(map(VisitOut.of, found["visits"])),
        events=tuple(map(EventOut.of, found["events"])),
        decisions=tuple(map(DecisionOut.of, found["decisions"])),
        messages=tuple(_stored_message(one, tries[one.id]) for one in found["messages"]),
        coupons=tuple(map(CouponOut.of, found["coupons"])),
    )


def _tries(queries: Queries, project_id: str, ids: list[str]) -> dict[str, list[Attempt]]:
    """The attempts of these messages, by message."""
    tries: dict[str, list[Attempt]] = defaultdict(list)
    for first in range(0, len(ids), _AT_ONCE):
        of_some = AttemptFilter(message=ids[first : first + _AT_ONCE])
        for attempt in every(queries.attempts, project_id, of_some):
            tries[attempt.message_id].append(attempt)
    return tries


def _stored_message(message: OutboxMessage, tries: list[Attempt]) -> StoredMessage:
    return StoredMessage(
        MessageOut.of(message), message.address, message.content, tuple(map(AttemptOut.of, tries))
    )
