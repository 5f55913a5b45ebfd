"""Everything that is stored about a person, collected from every list that can name one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from api.http.cursors import sort_key
from api.http.fields import moment_text
from api.schemas.offers_out import (
    AttemptOut,
    CouponOut,
    CustomerExport,
    CustomerOut,
    DecisionOut,
    MessageOut,
    StoredMessage,
)
from api.schemas.places_out import DeviceOut
from api.wire.native import EventOut, VisitOut
from geofence.model.message import Attempt
from geofence.ports.queries import Queries

ERASED = ("customers", "decisions", "messages")
UNNAMED = (
    "devices",
    "visits",
    "events",
    "coupons",
)  # facts of the retailer's that stay, without the person
_AT_ONCE = 1000


def stored(queries: Queries, project_id: str, customer_id: str) -> dict[str, list[Any]]:
    """By noun, everything of this person."""
    found = {"customers": list(_every(queries, "customers", project_id, {"id": customer_id}))}
    for noun in ("devices", "visits", "events", "decisions", "messages", "coupons"):
        found[noun] = list(_every(queries, noun, project_id, {"customer": customer_id}))
    return found


def export(
    queries: Queries, project_id: str, found: dict[str, list[Any]], now_ms: int
) -> CustomerExport:
    """What was found, ready to hand over, with the tries of each message."""
    tries: dict[str, list[Attempt]] = defaultdict(list)
    ids = [message.id for message in found["messages"]]
    for first in range(0, len(ids), _AT_ONCE):
        for attempt in _every(
            queries, "attempts", project_id, {"message": ids[first : first + _AT_ONCE]}
        ):
            tries[attempt.message_id].append(attempt)
    return CustomerExport(
        exported_at=moment_text(now_ms),
        customer=CustomerOut.of(found["customers"][0]) if found["customers"] else None,
        devices=tuple(map(DeviceOut.of, found["devices"])),
        visits=tuple(map(VisitOut.of, found["visits"])),
        events=tuple(map(EventOut.of, found["events"])),
        decisions=tuple(map(DecisionOut.of, found["decisions"])),
        messages=tuple(
            StoredMessage(
                MessageOut.of(one),
                one.address,
                one.content,
                tuple(map(AttemptOut.of, tries[one.id])),
            )
            for one in found["messages"]
        ),
        coupons=tuple(map(CouponOut.of, found["coupons"])),
    )


def _every(queries: Queries, noun: str, project_id: str, filters: dict[str, Any]) -> Iterator[Any]:
    after = None
    while rows := queries.page(noun, project_id, filters, after, _AT_ONCE):
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        after = sort_key(noun, rows[-1])
