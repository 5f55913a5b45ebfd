"""What waits in the outbox, read from the index of due messages alone."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.outbox import channels, messages
from geofence.model.backlog import Backlog


def backlogs(connection: sa.Connection) -> list[Backlog]:
    """Every channel in which something waits or that is paused, by name."""
    due = messages.c.due_ms
    query = sa.select(messages.c.channel, sa.func.count(), sa.func.min(due))
    waiting = {
        channel: (count, oldest_ms)
        for channel, count, oldest_ms in connection.execute(
            query.where(due.is_not(None)).group_by(messages.c.channel)
        )
    }
    closed = sa.select(channels).where(channels.c.paused_reason != "")
    paused = {row.channel: (row.paused_reason, row.paused_ms) for row in connection.execute(closed)}
    return [
        Backlog(name, *waiting.get(name, (0, None)), *paused.get(name, ("", None)))
        for name in sorted(waiting.keys() | paused.keys())
    ]
