"""The look before a message leaves: much can have changed since it was composed.

In this order, the first that holds is the reason:

| reason              | holds when                                                                                       |
|---------------------|--------------------------------------------------------------------------------------------------|
| `consent_withdrawn` | the customer is gone, or does not agree (any more) to location and to this channel                |
| `suppressed`        | nobody may ever write to this address again                                                      |
| `left`              | push and in-app: no device of theirs is inside any more; not asked where the trigger was an exit |
| `no_address`        | push: no device has this token any more, or somebody else's has                                  |
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.rows import columns, from_row
from geofence.backends.sql.schema.customers import customers
from geofence.backends.sql.schema.devices import devices, presences
from geofence.backends.sql.schema.outbox import suppressions
from geofence.model.customer import Customer, Purpose
from geofence.model.message import OutboxMessage
from geofence.model.presence import Presence

_PURPOSES: Mapping[str, tuple[Purpose, ...]] = {
    "push": ("location", "push"),
    "email": ("location", "email"),
    "inapp": ("location",),
}

_decode = msgspec.msgpack.Decoder(Presence).decode


def digest(address: str) -> str:
    """SHA-256, in hex, of an address without its capitals and the blanks around it."""
    return hashlib.sha256(address.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def reasons(connection: sa.Connection, messages: Sequence[OutboxMessage]) -> dict[str, str]:
    """By message id, why it must not go out; those that may are left out."""
    by_project: dict[str, list[OutboxMessage]] = defaultdict(list)
    for message in messages:
        by_project[message.project_id].append(message)
    return {
        message.id: reason
        for project_id, theirs in by_project.items()
        for reason, stops in reversed(
            _LOOKS.items()
        )  # the first look speaks last, and its word stands
        for message in stops(connection, project_id, theirs)
    }


def _withdrawn(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> list[OutboxMessage]:
    asked = [one for one in messages if one.customer_id or one.channel in _PURPOSES]
    query = sa.select(*columns(customers, Customer)).where(
        customers.c.project_id == project_id,
        customers.c.customer_id.in_({one.customer_id for one in asked}),
    )
    known = (
        {
            row["customer_id"]: from_row(Customer, row)
            for row in connection.execute(query).mappings()
        }
        if asked
        else {}
    )
    return [
        one
        for one in asked
        if not _agrees(known.get(one.customer_id), _PURPOSES.get(one.channel, ()))
    ]


def _agrees(customer: Customer | None, purposes: Collection[Purpose]) -> bool:
    return customer is not None and all(customer.agreed(purpose) for purpose in purposes)


def _suppressed(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> list[OutboxMessage]:
    digests = {one.id: digest(one.address) for one in messages}
    query = sa.select(suppressions.c.channel, suppressions.c.address_digest).where(
        suppressions.c.project_id == project_id,
        suppressions.c.address_digest.in_(set(digests.values())),
    )
    closed = {tuple(row) for row in connection.execute(query)}
    return [one for one in messages if (one.channel, digests[one.id]) in closed]


def _left(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> list[OutboxMessage]:
    asked = [
        one
        for one in messages
        if one.channel in ("push", "inapp") and one.content.get("near") is not False
    ]
    inside = _inside(connection, project_id, asked) if asked else set()
    return [
        one
        for one in asked
        if not inside
        & {(one.geofence_uid, "device", one.device_id), (one.geofence_uid, "of", one.customer_id)}
    ]


def _inside(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> set[tuple[str, str, str | None]]:
    """Who is where, by device and by the customer who carries it.

    The phone that came in may not be the one with the token.
    """
    p, d = presences.c, devices.c
    carried = presences.outerjoin(
        devices, sa.and_(d.project_id == p.project_id, d.device_id == p.device_id)
    )
    query = (
        sa.select(p.geofence_uid, p.device_id, d.customer_id, p.state)
        .select_from(carried)
        .where(
            p.project_id == project_id,
            p.geofence_uid.in_({one.geofence_uid for one in messages}),
            sa.or_(
                p.device_id.in_({one.device_id for one in messages}),
                d.customer_id.in_({one.customer_id for one in messages}),
            ),
        )
    )
    inside: set[tuple[str, str, str | None]] = set()
    for uid, device_id, customer_id, state in connection.execute(query):
        if _decode(state).inside:
            inside |= {(uid, "device", device_id), (uid, "of", customer_id)}
    return inside


def _unregistered(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> list[OutboxMessage]:
    asked = [one for one in messages if one.channel == "push"]
    query = sa.select(devices.c.push_token, devices.c.customer_id).where(
        devices.c.project_id == project_id, devices.c.push_token.in_({one.address for one in asked})
    )
    holders = {tuple(row) for row in connection.execute(query)} if asked else set()
    return [
        one for one in asked if not holders & {(one.address, one.customer_id), (one.address, None)}
    ]


_LOOKS: dict[str, Callable[[sa.Connection, str, Sequence[OutboxMessage]], list[OutboxMessage]]] = {
    "consent_withdrawn": _withdrawn,
    "suppressed": _suppressed,
    "left": _left,
    "no_address": _unregistered,
}
