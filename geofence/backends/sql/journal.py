"""Events and visits within a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from geofence.backends.sql import rows, statements, stream_seq
from geofence.backends.sql.schema.journal import events, visits
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, Visit

MOST_VISITS = 1000


class SqlJournal:
    """Implements `ports.journal.JournalStore`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def visits_since(self, key: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        """Visits of this device there that a ping of `ts_ms` could belong to, and later ones.

        Oldest first, at most 1,000.
        """
        v = visits.c
        query = sa.select(*rows.columns(visits, Visit)).where(
            v.project_id == key.project_id,
            v.device_id == key.device_id,
            v.geofence_uid == geofence_uid,
            sa.or_(v.departure_ms.is_(None), sa.func.coalesce(v.after_ms, v.departure_ms) > ts_ms),
        )
        found = self._connection.execute(query.order_by(v.arrival_ms).limit(MOST_VISITS))
        return [rows.from_row(Visit, row) for row in found.mappings()]

    def events_at(self, project_id: str, times_ms: Mapping[str, Sequence[int]]) -> list[Event]:
        """Events caused by pings of exactly these times, by device; sorted by time."""
        e = events.c
        found: list[Event] = []
        query = sa.select(*rows.columns(events, Event)).where(e.project_id == project_id)
        # device by device: SQLite finds no pairs by an index
        for device_id, times in sorted(times_ms.items()):
            for some in rows.chunks(sorted(set(times))):
                by_own = sa.and_(e.by_ms.is_(None), e.ts_ms.in_(some))
                by_later = sa.and_(e.by_ms.is_not(None), e.by_ms.in_(some))
                for caused in (by_own, by_later):
                    found_here = query.where(e.device_id == device_id, caused)
                    answered = self._connection.execute(found_here)
                    found += [rows.from_row(Event, row) for row in answered.mappings()]
        return sorted(found, key=lambda event: (event.ts_ms, event.id))

    def visit_numbers(self, visit_ids: Sequence[str]) -> dict[str, int]:
        """Visit id -> ordinal of the visit for this device and geofence.

        Visits that are not written yet are left out.
        """
        numbers: dict[str, int] = {}
        for some in rows.chunks(sorted(set(visit_ids))):
            query = sa.select(visits.c.visit_id, visits.c.visit).where(visits.c.visit_id.in_(some))
            numbers.update((row.visit_id, row.visit) for row in self._connection.execute(query))
        return numbers

    def save(self, events: Sequence[Event], visits: Mapping[str, tuple[str, Visit]]) -> None:
        """Write visits, then events."""
        self._save_visits(list(visits.values()))
        self._save_events(events)

    def _save_visits(self, seen: Sequence[tuple[str, Visit]]) -> None:
        """Insert with the next ordinal of its device and geofence, or replace all but that ordinal.

        The devices' locks keep other units away.
        """
        statements.run(self._connection, "visits", statements.visit_rows(seen))

    def _save_events(self, happened: Sequence[Event]) -> None:
        numbers: Sequence[int | None] = [None] * len(happened)
        if self._connection.dialect.name == "sqlite":
            numbers = stream_seq.give_seq(self._connection, happened)
        statements.run(self._connection, "events", statements.event_rows(happened, numbers))
