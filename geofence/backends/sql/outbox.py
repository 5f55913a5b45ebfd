"""Messages on their way out, within a unit.

A message is taken under a lease; only the unit that holds its newest attempt finishes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql import recipients
from geofence.backends.sql.rows import COUNTED, Row, columns, from_row, to_row, upsert
from geofence.backends.sql.schema.devices import devices
from geofence.backends.sql.schema.outbox import attempts, channels, messages, suppressions
from geofence.model.message import Attempt, OutboxMessage
from geofence.model.presence import DeviceKey
from geofence.model.recipient import Recipient
from geofence.ports.hot_state import HotState

EXPIRED_AT_ONCE = 1000  # after a long silence they end in portions, so that no unit waits long

_ENDED = ("status", "reason", "due_ms", "finished_ms")


class SqlOutbox:
    """Implements `ports.outbox.Outbox`."""

    def __init__(self, connection: sa.Connection, hot: HotState) -> None:
        self._connection, self._hot = connection, hot

    def take(
        self, channel: str, now_ms: int, lease_ms: int, limit: int, *, wall_ms: int | None = None
    ) -> list[OutboxMessage]:
        """Lease up to `limit` messages of a channel that are due, oldest first.

        Each counts one attempt more. Messages that another unit holds are skipped; a paused channel
        gives none. Expired messages end as `expired`, without an attempt, and are not given out.
        Leases run on the wall clock: `wall_ms`, or `now_ms` without it.
        """
        if channel in self.paused():
            return []
        wall_ms = now_ms if wall_ms is None else wall_ms
        free = _free(channel, now_ms, wall_ms)
        self._expire(free, now_ms)
        until_ms = wall_ms + lease_ms
        taken = self._due(free, now_ms, limit)
        self._lease([one.id for one in taken], until_ms)
        return [replace(one, attempt=one.attempt + 1, lease_until_ms=until_ms) for one in taken]

    def recipients(self, messages: Sequence[OutboxMessage]) -> dict[str, Recipient]:
        """Message id -> what the record knows of its recipient now."""
        return recipients.read(self._connection, messages)

    def finish(self, outcomes: Sequence[tuple[OutboxMessage, Attempt | None]]) -> int:
        """Write each message as it is now, with its attempt; how many were written.

        A message whose attempt number is no longer the newest is left as it is, as is one whose
        attempt was finished before. An outcome without an attempt says that nothing was handed
        over: the take does not count for caps.
        """
        written = 0
        tried: list[Attempt] = []
        for message, attempt in sorted(outcomes, key=lambda outcome: outcome[0].id):
            if not self._finish(message, tried=attempt is not None):
                continue
            written += 1
            if attempt is not None:
                tried.append(attempt)
        if tried:
            self._connection.execute(sa.insert(attempts), [to_row(attempts, one) for one in tried])
        return written

    def drop_addresses(self, channel: str, dead: Sequence[tuple[str, str]]) -> None:
        """Forget dead push tokens, (project, token), wherever they are registered.

        The addresses of other channels are not kept with devices. Call it first in its unit: it
        locks all these devices at once, in the order of every unit.
        """
        if channel != "push" or not dead:
            return
        held = sa.tuple_(devices.c.project_id, devices.c.push_token).in_(sorted(set(dead)))
        holders = self._connection.execute(
            sa.select(devices.c.project_id, devices.c.device_id).where(held)
        )
        keys = [DeviceKey(*row) for row in holders]
        self._hot.read(keys)
        theirs = sa.tuple_(devices.c.project_id, devices.c.device_id).in_(
            [tuple(key) for key in keys]
        )
        if keys:
            self._connection.execute(sa.update(devices).where(theirs, held).values(push_token=None))

    def suppress(
        self, project_id: str, channel: str, address: str, reason: str, now_ms: int
    ) -> None:
        """Never again write to this address; it is kept as a digest, with the first reason."""
        row: Row = {
            "project_id": project_id,
            "channel": channel,
            "address_digest": recipients.digest(address),
        }
        row |= {"reason": reason, "created_ms": now_ms}
        upsert(self._connection, suppressions, [row], keep=("reason", "created_ms"))

    def pause(self, channel: str, reason: str, now_ms: int) -> None:
        """Hold a channel's queue, with the reason; an empty reason opens it again."""
        upsert(
            self._connection,
            channels,
            [{"channel": channel, "paused_reason": reason, "paused_ms": now_ms}],
        )

    def paused(self) -> dict[str, str]:
        """Paused channels with their reasons."""
        query = sa.select(channels.c.channel, channels.c.paused_reason).where(
            channels.c.paused_reason != ""
        )
        return {row.channel: row.paused_reason for row in self._connection.execute(query)}

    def _due(
        self, free: Sequence[sa.ColumnElement[bool]], now_ms: int, limit: int
    ) -> list[OutboxMessage]:
        """Messages to take, oldest first, locked until the unit ends."""
        query = sa.select(*columns(messages, OutboxMessage)).where(
            *free, messages.c.expires_ms > now_ms
        )
        query = query.order_by(messages.c.due_ms, messages.c.id).limit(limit)
        due = self._connection.execute(query.with_for_update(skip_locked=True))
        return [from_row(OutboxMessage, row) for row in due.mappings()]

    def _lease(self, ids: Sequence[str], until_ms: int) -> None:
        if ids:
            lease = {"attempt": messages.c.attempt + 1, "lease_until_ms": until_ms}
            taken = sa.update(messages).where(messages.c.id.in_(ids))
            self._connection.execute(taken.values(lease))

    def _expire(self, free: Sequence[sa.ColumnElement[bool]], now_ms: int) -> None:
        late = (
            sa.select(messages.c.id)
            .where(*free, messages.c.expires_ms <= now_ms)
            .order_by(messages.c.due_ms)
        )
        ids = list(
            self._connection.execute(
                late.limit(EXPIRED_AT_ONCE).with_for_update(skip_locked=True)
            ).scalars()
        )
        if ids:
            ended = {
                "status": "expired",
                "reason": "expired",
                "due_ms": None,
                "lease_until_ms": None,
                "finished_ms": now_ms,
            }
            self._connection.execute(
                sa.update(messages).where(messages.c.id.in_(ids)).values(ended)
            )

    def _finish(self, message: OutboxMessage, *, tried: bool) -> int:
        m = messages.c
        once = sa.exists().where(
            attempts.c.message_id == message.id, attempts.c.attempt == message.attempt
        )
        held = (
            m.id == message.id,
            m.project_id == message.project_id,
            m.attempt == message.attempt,
            ~once,
        )
        now = {name: getattr(message, name) for name in _ENDED} | {"lease_until_ms": None}
        if not tried:
            now["untried"] = m.untried + 1
        return self._connection.execute(
            sa.update(messages).where(*held).values(now), execution_options=COUNTED
        ).rowcount


def _free(channel: str, now_ms: int, wall_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Due, and not leased."""
    m = messages.c
    unleased = sa.or_(m.lease_until_ms.is_(None), m.lease_until_ms <= wall_ms)
    return m.channel == channel, m.status == "queued", m.due_ms <= now_ms, unleased
