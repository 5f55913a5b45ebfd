"""Whether the service can do its work, and what waits: for /readyz of `serve` and of the worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from api.http.fields import moment_text
from api.services import Services
from geofence.errors import RecordError
from geofence.model.backlog import Backlog


class ChannelQueue(msgspec.Struct, frozen=True):
    """What waits on one channel.

    `oldest_due_s` is how long the oldest due message has waited, 0 when none is due. `paused` is
    the reason for which the channel rests since `paused_since`; empty when it is open.
    """

    channel: str
    waiting: int
    oldest_due_s: float
    paused: str = ""
    paused_since: str | None = None


class Readiness(msgspec.Struct, frozen=True):
    """The answer of /readyz.

    `missing` names what keeps the service from its work: record, writer, queue (full), and for the
    worker the outbox. `late` names what works too slowly: `outbox` when its oldest due message has
    waited longer than GEOFENCE_OUTBOX_LATE_S. A service with something late is `degraded`; pings
    are taken.
    """

    status: Literal["ready", "degraded", "not_ready"]
    missing: tuple[str, ...]
    late: tuple[str, ...]
    queue: int
    outbox: tuple[ChannelQueue, ...]
    notes: tuple[str, ...]


def readiness(services: Services, *, worker: bool = False) -> Readiness:
    """How the service stands now. Reads the database; call it from a thread.

    With `worker`, an outbox that this process should empty and does not is missing, not late.
    """
    missing, backlogs = _look(services)
    late_on = _late(services, backlogs)
    if worker and set(late_on) & services.channels.keys():
        missing.append("outbox")
    late = ("outbox",) if late_on else ()
    now_ms = services.clock.now_ms()
    return Readiness(
        "not_ready" if missing else "degraded" if late else "ready",
        tuple(missing),
        late,
        services.street.depth(),
        tuple(_queue(backlog, now_ms) for backlog in backlogs),
        services.notes,
    )


def _look(services: Services) -> tuple[list[str], Sequence[Backlog]]:
    missing: list[str] = []
    backlogs: tuple[Backlog, ...] = ()
    try:
        services.database.queries.health()
        backlogs = tuple(services.database.queries.backlogs())
    except RecordError:
        missing.append("record")
    if services.street.refused() and "record" not in missing:
        missing.append("record")
    if not services.street.alive():
        missing.append("writer")
    if services.street.depth() >= services.settings.queue_limit:
        missing.append("queue")
    return missing, backlogs


def _late(services: Services, backlogs: Sequence[Backlog]) -> list[str]:
    """Channels whose oldest due message has waited too long.

    Paused channels say so themselves; where this process delivers, a channel that is not
    configured is in the notes.
    """
    bound_s, now_ms = services.settings.outbox_late_s, services.clock.now_ms()
    delivers = services.worker is not None
    return [
        backlog.channel
        for backlog in backlogs
        if not backlog.paused_reason
        and oldest_due_s(backlog, now_ms) > bound_s
        and (backlog.channel in services.channels or not delivers)
    ]


def oldest_due_s(backlog: Backlog, now_ms: int) -> float:
    """How long the oldest due message has waited, in seconds; 0 when none is due."""
    return max(0, now_ms - (backlog.oldest_due_ms or now_ms)) / 1000


def _queue(backlog: Backlog, now_ms: int) -> ChannelQueue:
    paused_ms = backlog.paused_ms
    return ChannelQueue(
        backlog.channel,
        backlog.waiting,
        oldest_due_s(backlog, now_ms),
        backlog.paused_reason,
        None if paused_ms is None else moment_text(paused_ms),
    )
