"""Carries out an erasure, table by table."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.schema import metadata
from geofence.backends.sql.schema.devices import devices
from geofence.backends.sql.schema.journal import events, visits
from geofence.backends.sql.schema.outbox import attempts, messages
from geofence.model.erasure import Blank, Erasure
from geofence.model.presence import DeviceKey
from geofence.ports.hot_state import HotState

_CARRY = (devices, visits, events)  # tables that name both a device and its customer
_MENTIONS = {"sqlite": "instr(body, :named) > 0", "postgresql": "position(:named in body) > 0"}


def lock_devices(
    connection: sa.Connection, hot: HotState, project_id: str, customer_id: str
) -> list[DeviceKey]:
    """Lock every device that is or was the customer's; the devices they carry now."""
    of = [
        sa.select(table.c.device_id).where(*_of(table, project_id, customer_id)) for table in _CARRY
    ]
    keys = [
        DeviceKey(project_id, device_id)
        for device_id in connection.execute(sa.union(*of)).scalars()
    ]
    return [key for key, state in hot.read(keys).items() if state.customer_id == customer_id]


def erase(connection: sa.Connection, project_id: str, customer_id: str, erasure: Erasure) -> None:
    """Remove and blank the rows that name the customer."""
    if messages.name in erasure.removed:  # its attempts name the customer through it
        theirs = sa.select(messages.c.id).where(*_of(messages, project_id, customer_id))
        connection.execute(sa.delete(attempts).where(attempts.c.message_id.in_(theirs)))
    for noun in erasure.removed:
        table = metadata.tables[noun]
        connection.execute(sa.delete(table).where(*_of(table, project_id, customer_id)))
    for blank in erasure.blanked:
        _blank(connection, project_id, customer_id, blank)
    named = sa.bindparam("named", msgspec.json.encode(customer_id), type_=sa.LargeBinary)
    mention = sa.text(_MENTIONS[connection.dialect.name]).bindparams(named)
    for noun in erasure.mentions:
        table = metadata.tables[noun]
        connection.execute(sa.delete(table).where(table.c.project_id == project_id, mention))


def _blank(connection: sa.Connection, project_id: str, customer_id: str, blank: Blank) -> None:
    table = metadata.tables[blank.noun]
    rows = sa.update(table).where(*_of(table, project_id, customer_id))
    if blank.unless:
        kept = sa.and_(*(table.c[name] == value for name, value in blank.unless.items()))
        rows = rows.where(sa.not_(kept))
    connection.execute(rows.values(dict(blank.values)))


def _of(table: sa.Table, project_id: str, customer_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.project_id == project_id, table.c.customer_id == customer_id
