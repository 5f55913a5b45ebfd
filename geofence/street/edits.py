"""The service's own edits: messages on their way out. They belong to no project."""

from __future__ import annotations

from typing import NamedTuple

import structlog

from geofence.delivery import recheck
from geofence.model.edit import EditArguments, EditResult
from geofence.model.message import Attempt, OutboxMessage, Outcome
from geofence.ports.unit import Unit
from geofence.street import deliver

log = structlog.get_logger(__name__)


class Settled(NamedTuple):
    """A message as it was sent, the outcome, the message as it is now, and the attempt."""

    sent: OutboxMessage
    outcome: Outcome
    after: OutboxMessage
    attempt: Attempt | None


class TakeMessages(EditArguments, frozen=True, tag="outbox.take"):
    """Lease due messages of a channel until `wall_ms` plus the lease."""

    channel: str
    limit: int
    wall_ms: int


class ExpireMessages(EditArguments, frozen=True, tag="outbox.expire"):
    """End the messages of a channel that have expired."""

    channel: str


class FinishMessages(EditArguments, frozen=True, tag="outbox.finish"):
    """Store the outcomes of messages of one channel."""

    settled: list[Settled]


class OpenChannel(EditArguments, frozen=True, tag="outbox.open"):
    """Let a paused channel send again."""

    channel: str


def take_messages(edit: TakeMessages, unit: Unit, _: str, now_ms: int) -> EditResult:
    """The value is the messages to send; those that must not be sent any more end here."""
    taken = unit.outbox.take(
        edit.channel, now_ms, deliver.LEASE_MS, edit.limit, wall_ms=edit.wall_ms
    )
    reasons = recheck.reasons(taken, unit.outbox.recipients(taken))
    stopped = [
        deliver.dropped(message, reasons[message.id], now_ms)
        for message in taken
        if message.id in reasons
    ]
    unit.outbox.finish([(message, None) for message in stopped])
    return EditResult([message for message in taken if message.id not in reasons])


def expire_messages(edit: ExpireMessages, unit: Unit, _: str, now_ms: int) -> EditResult:
    """Take none: taking ends what has expired."""
    unit.outbox.take(edit.channel, now_ms, 0, 0)
    return EditResult(None)


def finish_messages(edit: FinishMessages, unit: Unit, _: str, now_ms: int) -> EditResult:
    """The value is how many messages were still at the attempt that was settled."""
    dead = [
        (one.sent.project_id, one.sent.address)
        for one in edit.settled
        if one.outcome.verdict == "drop_address"
    ]
    unit.outbox.drop_addresses(edit.settled[0].sent.channel, dead)
    for one in edit.settled:
        _follow(unit, one.sent, one.outcome, now_ms)
    return EditResult(unit.outbox.finish([(one.after, one.attempt) for one in edit.settled]))


def open_channel(edit: OpenChannel, unit: Unit, _: str, now_ms: int) -> EditResult:
    """An open channel stays open."""
    unit.outbox.pause(edit.channel, "", now_ms)
    return EditResult(None)


def _follow(unit: Unit, message: OutboxMessage, outcome: Outcome, now_ms: int) -> None:
    """Store what an outcome says about the address or the channel."""
    if outcome.verdict == "suppress":
        unit.outbox.suppress(
            message.project_id, message.channel, message.address, outcome.reason, now_ms
        )
    elif outcome.verdict == "pause":
        unit.outbox.pause(message.channel, outcome.reason, now_ms)
        log.error("channel_paused", channel=message.channel, reason=outcome.reason)
