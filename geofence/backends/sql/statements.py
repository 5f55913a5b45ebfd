"""What a unit of pings writes, as SQL texts made once and rows as tuples for the driver.

SQLAlchemy makes the texts from the tables and hands them on; no statement is compiled per unit, no
row becomes a dictionary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from math import isnan
from operator import attrgetter
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.schema import devices as device_tables
from geofence.backends.sql.schema import journal
from geofence.model.device_table import DeviceTable, Moved
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, DeviceState, Visit

Row = tuple[Any, ...]
Name = Literal["devices", "presences", "gone", "visits", "events"]

_DEVICE = (
    "project_id", "device_id", "customer_id", "created_ms", "seen_ms", "watermark_ms", "fix_ms",
    "lat", "lon", "fix_accuracy_m", "odd_ms", "odd_lat", "odd_lon",
)  # fmt: skip
# the columns of a trail in the order of `DeviceTable.trail`
_DEVICES = (
    "SELECT device_id, customer_id,"
    " watermark_ms, fix_ms, lat, lon, fix_accuracy_m, odd_ms, odd_lat, odd_lon FROM devices"
)
_PRESENCE = ("project_id", "device_id", "geofence_uid", "state", "due_ms")
_PAIR = ("project_id", "device_id", "geofence_uid")


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns]


_EVENT = tuple(
    name for name in _names(journal.events) if name not in ("place", "stream_seq", "dwell_s")
)
_VISIT = tuple(name for name in _names(journal.visits) if name not in ("project_id", "visit"))

_event = attrgetter(*_EVENT)
_visit = attrgetter(*_VISIT)


def run(connection: sa.Connection, name: Name, rows: Sequence[Row]) -> None:
    """Write rows by one of the statements; nothing without rows."""
    if rows:
        connection.exec_driver_sql(_texts(connection.dialect.name)[name], list(rows))


def device_row(key: DeviceKey, state: DeviceState) -> Row:
    """A device's row for `devices`; a column without a fix is NULL."""
    fix, odd = state.fix_ms is not None, state.odd_ms is not None
    watermark_ms = state.watermark_ms
    times = (watermark_ms or 0, watermark_ms, watermark_ms)
    where = (state.lat, state.lon) if fix else (None, None)
    candidate = (state.odd_lat, state.odd_lon) if odd else (None, None)
    last = (state.fix_ms, *where, state.fix_accuracy_m)
    return (*key, state.customer_id, *times, *last, state.odd_ms, *candidate)


def moved_rows(table: DeviceTable, moved: Moved) -> list[Row]:
    """Rows for `devices` of those that the record does not know yet, from their columns."""
    names, found = table.names, []
    for row, trail in zip(
        moved.rows[moved.new].tolist(), moved.trail[moved.new].tolist(), strict=True
    ):
        values = [None if isnan(value) else value for value in trail]
        watermark_ms, fix_ms, lat, lon, accuracy_m, odd_ms, odd_lat, odd_lon = values
        times = [None if ms is None else int(ms) for ms in (watermark_ms, fix_ms, odd_ms)]
        last = (times[1], lat, lon, accuracy_m)
        seen = (times[0] or 0, times[0], times[0])
        found.append((table.project_id, names[row], None, *seen, *last, times[2], odd_lat, odd_lon))
    return found


def devices(connection: sa.Connection, project_id: str, names: Sequence[str]) -> Sequence[Row]:
    """(device, customer, the columns of its trail) of devices that the record knows."""
    return _ask(connection, _DEVICES, project_id, names)


def presences_of(connection: sa.Connection, project_id: str, names: Sequence[str]) -> Sequence[Row]:
    """(device, presence in MessagePack) of these devices."""
    return _ask(connection, "SELECT device_id, state FROM presences", project_id, names)


def _ask(
    connection: sa.Connection, text: str, project_id: str, names: Sequence[str]
) -> Sequence[Row]:
    """Rows of a table for many devices in one round trip: an array, or a JSON array on SQLite."""
    if connection.dialect.name == "postgresql":
        text += " WHERE project_id = %s AND device_id = ANY(%s)"
        return connection.exec_driver_sql(text, (project_id, list(names))).fetchall()
    text += " WHERE project_id = ? AND device_id IN (SELECT value FROM json_each(?))"
    given = msgspec.json.encode(names).decode()
    return connection.exec_driver_sql(text, (project_id, given)).fetchall()


def event_rows(happened: Sequence[Event], seqs: Sequence[int | None]) -> list[Row]:
    """Rows for `events`, in the order of their unit."""
    numbered = enumerate(zip(happened, seqs, strict=True))
    return [(*_event(event), place, seq, event.dwell_s or 0) for place, (event, seq) in numbered]


def visit_rows(seen: Iterable[tuple[str, Visit]]) -> list[Row]:
    """Rows for `visits`, (project id, visit) each.

    The pair comes once more at the end, for the ordinal of a new visit.
    """
    return [
        (*_visit(visit), project, project, visit.device_id, visit.geofence_uid)
        for project, visit in seen
    ]


@cache
def _texts(dialect: str) -> dict[Name, str]:
    mark = "%s" if dialect == "postgresql" else "?"
    pair = " AND ".join(f"{name} = {mark}" for name in _PAIR)
    # the last visit of a pair is found at the end of its index, however long its history
    number = (
        f"coalesce((SELECT visit FROM visits WHERE {pair} ORDER BY arrival_ms DESC LIMIT 1), 0) + 1"  # noqa: S608 - names of columns and marks alone
    )
    visit_names = (*_VISIT, "project_id", "visit")
    visit_values = ", ".join([mark] * (len(_VISIT) + 1) + [number])
    return {
        "devices": _upsert(device_tables.devices, _DEVICE, _DEVICE[:2], {"created_ms"}, mark),
        "presences": _upsert(device_tables.presences, _PRESENCE, _PAIR, (), mark),
        "gone": f"DELETE FROM presences WHERE {pair}",  # noqa: S608 - names and marks alone
        "events": _insert(journal.events, (*_EVENT, "place", "stream_seq", "dwell_s"), mark),
        "visits": _insert_values(journal.visits, visit_names, visit_values)
        + _on_conflict(visit_names, ("visit_id",), {"visit", "project_id"}),
    }


def _upsert(
    table: sa.Table, names: Sequence[str], key: Sequence[str], keep: Collection[str], mark: str
) -> str:
    return _insert(table, names, mark) + _on_conflict(names, key, keep)


def _insert(table: sa.Table, names: Sequence[str], mark: str) -> str:
    return _insert_values(table, names, ", ".join([mark] * len(names)))


def _insert_values(table: sa.Table, names: Sequence[str], values: str) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - names and marks alone


def _on_conflict(names: Sequence[str], key: Sequence[str], keep: Collection[str]) -> str:
    changed = [name for name in names if name not in key and name not in keep]
    updates = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"
