"""Decisions within a unit, with their coupons and messages."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from geofence.backends.sql.rows import chunks, columns, from_row, to_row
from geofence.backends.sql.schema.coupons import coupons
from geofence.backends.sql.schema.decisions import decisions
from geofence.backends.sql.schema.outbox import messages
from geofence.model.decision import Decision
from geofence.model.message import OutboxMessage
from geofence.ports.decisions import NewDecisions

_RECEIVED = ("send", "holdout")


class SqlDecisions:
    """Implements `ports.decisions.Decisions`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def sent(self, project_id: str, customer_ids: Iterable[str], since_ms: int) -> list[Decision]:
        """Decisions `send` and `holdout` of these customers since then (inclusive), oldest first.

        Released decisions are left out: a `send` that has messages, all of them finished and none
        handed over. A take that ended without an attempt hands nothing over; a take whose worker
        died may have, and counts.
        """
        d, received = decisions.c, _received()
        found: list[Decision] = []
        for some in chunks(sorted(set(customer_ids))):
            query = sa.select(*columns(decisions, Decision)).where(
                d.project_id == project_id,
                d.customer_id.in_(some),
                d.outcome.in_(_RECEIVED),
                d.at_ms >= since_ms,
                received,
            )
            found += [from_row(Decision, row) for row in self._connection.execute(query).mappings()]
        return sorted(found, key=lambda one: (one.at_ms, one.id))

    def caused_by(
        self, project_id: str, event_ids: Iterable[str], now_ms: int
    ) -> list[tuple[str, OutboxMessage]]:
        """(event id, message) of every unexpired message that these events led to, oldest first."""
        found: list[tuple[str, OutboxMessage]] = []
        for some in chunks(sorted(set(event_ids))):
            query = (
                sa.select(decisions.c.event_id, *columns(messages, OutboxMessage))
                .join(messages, messages.c.decision_id == decisions.c.id)
                .where(
                    decisions.c.project_id == project_id,
                    decisions.c.event_id.in_(some),
                    messages.c.expires_ms > now_ms,
                )
            )
            found += [
                (row["event_id"], from_row(OutboxMessage, row))
                for row in self._connection.execute(query).mappings()
            ]
        return sorted(found, key=lambda one: (one[1].created_ms, one[1].id))

    def save(self, new_decisions: NewDecisions) -> None:
        """Write decisions, coupons and messages; `RecordError` when one exists already."""
        for table, new in (
            (decisions, new_decisions.decisions),
            (coupons, new_decisions.coupons),
            (messages, new_decisions.messages),
        ):
            if new:
                self._connection.execute(sa.insert(table), [to_row(table, one) for one in new])


def _received() -> sa.ColumnElement[bool]:
    """Whether a decision is not released."""
    theirs = messages.c.decision_id == decisions.c.id
    counts = sa.or_(messages.c.status == "queued", messages.c.attempt > messages.c.untried)
    written, standing = sa.exists().where(theirs), sa.exists().where(theirs, counts)
    return sa.or_(decisions.c.outcome == "holdout", standing, ~written)
