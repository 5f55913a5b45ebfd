"""What a unit of pings writes, as SQL texts made once and rows as tuples for the driver.

SQLAlchemy makes the texts from the tables and hands them on; no statement is compiled per unit, no
row becomes a dictionary.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Literal

import sqlalchemy as sa

from geofence.backends.sql.schema import devices, events, presences, visits
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, DeviceState, Visit

Row = tuple[Any, ...]
Name = Literal["devices", "presences", "gone", "visits", "events"]

_DEVICE = (
    "project_id", "device_id", "customer_id", "created_ms", "seen_ms", "watermark_ms", "fix_ms",
    "lat", "lon", "fix_accuracy_m", "odd_ms", "odd_lat", "odd_lon",
)  # fmt: skip
_PRESENCE = ("project_id", "device_id", "geofence_uid", "state", "due_ms")
_PAIR = ("project_id", "device_id", "geofence_uid")


def _names(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns]


_EVENT = tuple(name for name in _names(events) if name not in ("place", "stream_seq", "dwell_s"))
_VISIT = tuple(name for name in _names(visits) if name not in ("project_id", "visit"))

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


def event_rows(happened: Sequence[Event], seqs: Sequence[int | None]) -> list[Row]:
    """Rows for `events`, in the order of their unit."""
    numbered = enumerate(zip(happened, seqs, strict=True))
    return [(*_event(event), place, seq, event.dwell_s or 0) for place, (event, seq) in numbered]


def visit_rows(seen: Sequence[Visit], projects: Sequence[str]) -> list[Row]:
    """Rows for `visits`; the pair comes once more at the end, for the number of a new visit."""
    return [
        (*_visit(visit), project, project, visit.device_id, visit.geofence_uid)
        for visit, project in zip(seen, projects, strict=True)
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
        "devices": _upsert(devices, _DEVICE, _DEVICE[:2], {"created_ms"}, mark),
        "presences": _upsert(presences, _PRESENCE, _PAIR, (), mark),
        "gone": f"DELETE FROM presences WHERE {pair}",  # noqa: S608 - likewise
        "events": _insert(events, (*_EVENT, "place", "stream_seq", "dwell_s"), mark),
        "visits": _insert_values(visits, visit_names, visit_values)
        + _on_conflict(visit_names, ("visit_id",), {"visit", "project_id"}),
    }


def _upsert(
    table: sa.Table, names: Sequence[str], key: Sequence[str], keep: Collection[str], mark: str
) -> str:
    return _insert(table, names, mark) + _on_conflict(names, key, keep)


def _insert(table: sa.Table, names: Sequence[str], mark: str) -> str:
    return _insert_values(table, names, ", ".join([mark] * len(names)))


def _insert_values(table: sa.Table, names: Sequence[str], values: str) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - likewise


def _on_conflict(names: Sequence[str], key: Sequence[str], keep: Collection[str]) -> str:
    changed = [name for name in names if name not in key and name not in keep]
    updates = ", ".join(f"{name} = excluded.{name}" for name in changed)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"
