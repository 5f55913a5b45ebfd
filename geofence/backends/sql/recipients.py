"""What the record knows of the recipients of messages, in four statements per project."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.rows import columns, from_row
from geofence.backends.sql.schema.customers import customers
from geofence.backends.sql.schema.devices import devices, presences
from geofence.backends.sql.schema.outbox import suppressions
from geofence.model.customer import Customer
from geofence.model.message import OutboxMessage
from geofence.model.presence import Presence
from geofence.model.recipient import Recipient

_Carrier = tuple[str, str, str | None]  # geofence uid, "device" or "customer", its id

_decode = msgspec.msgpack.Decoder(Presence).decode


def digest(address: str) -> str:
    """SHA-256, in hex, of an address in lower case and without surrounding blanks."""
    return hashlib.sha256(address.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def read(connection: sa.Connection, messages: Sequence[OutboxMessage]) -> dict[str, Recipient]:
    """Message id -> its recipient."""
    by_project: dict[str, list[OutboxMessage]] = defaultdict(list)
    for message in messages:
        by_project[message.project_id].append(message)
    return {
        message_id: recipient
        for project_id, some in by_project.items()
        for message_id, recipient in _of_project(connection, project_id, some).items()
    }


def _of_project(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> dict[str, Recipient]:
    known = _customers(connection, project_id, messages)
    closed = _suppressed(connection, project_id, messages)
    inside = _inside(connection, project_id, messages)
    holders = _holders(connection, project_id, messages)
    return {
        one.id: Recipient(
            customer=known.get(one.customer_id),
            suppressed=(one.channel, digest(one.address)) in closed,
            inside=(one.geofence_uid, "device", one.device_id) in inside
            or (one.geofence_uid, "customer", one.customer_id) in inside,
            registered=not holders.isdisjoint(
                {(one.address, one.customer_id), (one.address, None)}
            ),
        )
        for one in messages
    }


def _customers(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> dict[str, Customer]:
    query = sa.select(*columns(customers, Customer)).where(
        customers.c.project_id == project_id,
        customers.c.customer_id.in_({one.customer_id for one in messages}),
    )
    found = (from_row(Customer, row) for row in connection.execute(query).mappings())
    return {customer.customer_id: customer for customer in found}


def _suppressed(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> set[tuple[str, str]]:
    """(channel, digest) of the addresses that are closed."""
    query = sa.select(suppressions.c.channel, suppressions.c.address_digest).where(
        suppressions.c.project_id == project_id,
        suppressions.c.address_digest.in_({digest(one.address) for one in messages}),
    )
    return {(row.channel, row.address_digest) for row in connection.execute(query)}


def _inside(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> set[_Carrier]:
    """Which devices are inside which geofence, and the customers who carry them.

    The phone that entered need not be the one that has the token.
    """
    p, d = presences.c, devices.c
    carried = presences.outerjoin(
        devices, sa.and_(d.project_id == p.project_id, d.device_id == p.device_id)
    )
    device_ids, customer_ids = _ids(messages)
    query = sa.select(p.geofence_uid, p.device_id, d.customer_id, p.state).select_from(carried)
    query = query.where(
        p.project_id == project_id,
        p.geofence_uid.in_({one.geofence_uid for one in messages}),
        sa.or_(p.device_id.in_(device_ids), d.customer_id.in_(customer_ids)),
    )
    inside: set[_Carrier] = set()
    for uid, device_id, customer_id, state in connection.execute(query):
        if _decode(state).inside:
            inside |= {(uid, "device", device_id), (uid, "customer", customer_id)}
    return inside


def _ids(messages: Sequence[OutboxMessage]) -> tuple[set[str], set[str]]:
    return {one.device_id for one in messages}, {one.customer_id for one in messages}


def _holders(
    connection: sa.Connection, project_id: str, messages: Sequence[OutboxMessage]
) -> set[tuple[str, str | None]]:
    """(push token, customer id) of the devices that have one of these addresses."""
    addresses = {one.address for one in messages}
    query = sa.select(devices.c.push_token, devices.c.customer_id).where(
        devices.c.project_id == project_id, devices.c.push_token.in_(addresses)
    )
    return {(row.push_token, row.customer_id) for row in connection.execute(query)}
