"""The reading order of events.

Numbers only grow, also when events are erased, so that no cursor meets one twice.

On SQLite a unit numbers its own events: units commit one after the other. On PostgreSQL units
commit in any order, so one transaction at a time numbers what has been committed; a reader that
follows the numbers never skips a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from geofence.backends.sql.schema.journal import counters, events
from geofence.model.event import Event

_STREAM = "events"


def give_seq(connection: sa.Connection, given_to: Sequence[Event]) -> list[int]:
    """The next numbers, one for each event, within the writing transaction of an SQLite record."""
    return _take(connection, len(given_to)) if given_to else []


def number_committed(connection: sa.Connection) -> int:
    """Number the committed events that have none, in the order they were recorded; how many.

    For PostgreSQL.
    """
    waiting = sa.select(sa.exists().where(events.c.stream_seq.is_(None)))
    if not connection.execute(waiting).scalar():
        return 0
    # The row lock is the turnstile: the transaction that gets it sees, in its next statement, all
    # that the one before committed.
    newest = connection.execute(
        sa.select(counters.c.value).where(counters.c.name == _STREAM).with_for_update()
    ).scalar_one()
    line = _in_line()
    number = (
        sa.update(events).values(stream_seq=newest + line.c.place).where(events.c.id == line.c.id)
    )
    numbered = connection.execute(number).rowcount
    if numbered:
        _take(connection, numbered)
    return numbered


def _in_line() -> sa.Subquery:
    """The events without a number, each with its place in the order they were recorded.

    Rows that are just being erased are skipped: to wait for them could deadlock, and one that stays
    gets a later number.
    """
    free = (
        sa.select(events.c.id, events.c.recorded_ms, events.c.ts_ms, events.c.place)
        .where(events.c.stream_seq.is_(None))
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    order = (free.c.recorded_ms, free.c.ts_ms, free.c.place, free.c.id)
    place = sa.func.row_number().over(order_by=order)
    return sa.select(free.c.id, place.label("place")).subquery("line")


def _take(connection: sa.Connection, count: int) -> list[int]:
    more = (
        sa.update(counters)
        .values(value=counters.c.value + count)
        .where(counters.c.name == _STREAM)
        .returning(counters.c.value)
    )
    newest = int(connection.execute(more).scalar_one())
    return list(range(newest - count + 1, newest + 1))
