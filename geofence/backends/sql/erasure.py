"""A person leaves the record.

What is theirs goes, what belongs to the retailer stays without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.schema.accounts import idempotency
from geofence.backends.sql.schema.coupons import coupons
from geofence.backends.sql.schema.customers import customers
from geofence.backends.sql.schema.decisions import decisions
from geofence.backends.sql.schema.devices import devices
from geofence.backends.sql.schema.journal import events, visits
from geofence.backends.sql.schema.outbox import attempts, messages
from geofence.model.presence import DeviceKey
from geofence.ports.hot_state import HotState

_CARRY = (devices, visits, events)  # where the person is an addition to a device's facts
_THEIRS = (messages, decisions, customers)
_BLANKS: Mapping[sa.Table, Mapping[str, Any]] = {
    coupons: {
        "customer_id": "",
        "status": sa.case(
            (sa.and_(coupons.c.single_use, coupons.c.status == "redeemed"), coupons.c.status),
            else_="void",
        ),
    },
    devices: {"customer_id": None, "push_token": None},
    visits: {"customer_id": None},
    events: {"customer_id": None},
}

_MENTIONS = {"sqlite": "instr(body, :named) > 0", "postgresql": "position(:named in body) > 0"}


def lock_devices(
    connection: sa.Connection, hot: HotState, project_id: str, customer_id: str
) -> list[DeviceKey]:
    """The devices that the person carries now, with every device that ever was theirs locked until the unit ends."""
    of = [
        sa.select(table.c.device_id).where(*_of(table, project_id, customer_id)) for table in _CARRY
    ]
    keys = [
        DeviceKey(project_id, device_id)
        for device_id in connection.execute(sa.union(*of)).scalars()
    ]
    return [key for key, state in hot.read(keys).items() if state.customer_id == customer_id]


def erase(connection: sa.Connection, project_id: str, customer_id: str) -> None:
    """Remove the person from every table.

    Devices, visits and events stay without a name, devices also without the push token: it is the
    person's address. Codes stay as numbers nobody can use. Answers kept for an Idempotency-Key that
    name the person go. Suppressions stay: they hold a digest, and a person who asked for silence
    and then for erasure asked for both.
    """
    theirs = sa.select(messages.c.id).where(*_of(messages, project_id, customer_id))
    connection.execute(sa.delete(attempts).where(attempts.c.message_id.in_(theirs)))
    for table in _THEIRS:
        connection.execute(sa.delete(table).where(*_of(table, project_id, customer_id)))
    for table, blank in _BLANKS.items():
        connection.execute(
            sa.update(table).where(*_of(table, project_id, customer_id)).values(blank)
        )
    named = sa.bindparam("named", msgspec.json.encode(customer_id), type_=sa.LargeBinary)
    mention = sa.text(_MENTIONS[connection.dialect.name]).bindparams(named)
    connection.execute(
        sa.delete(idempotency).where(idempotency.c.project_id == project_id, mention)
    )


def _of(table: sa.Table, project_id: str, customer_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.project_id == project_id, table.c.customer_id == customer_id
