"""Messages and the attempts to deliver them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from api.http.filters import By, TimedPage
from api.schemas.shown import Moment, shown
from geofence.delivery.channels import CHANNELS
from geofence.model.message import Attempt, MessageStatus, OutboxMessage

SHOWN_OF_TOKEN = 4
if TYPE_CHECKING:
    ChannelName = str
else:
    ChannelName = Literal[tuple(CHANNELS)]


class MessageOut(msgspec.Struct, frozen=True):
    """A message from its decision to its end.

    `address` is masked, `attempts` counts the attempts to deliver it, `due_at` is null once it
    has ended.
    """

    id: str
    decision_id: str
    campaign_id: str
    customer_id: str
    device_id: str
    channel: ChannelName
    address: str
    status: MessageStatus
    reason: str
    attempts: int
    created_at: Moment
    expires_at: Moment
    due_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def of(cls, message: OutboxMessage) -> MessageOut:
        """The message as clients see it."""
        return shown(cls, message, address=masked(message.address), attempts=message.attempt)


class MessagePage(msgspec.Struct, frozen=True):
    """A page of messages, by time."""

    data: tuple[MessageOut, ...]
    next_cursor: str | None


class AttemptOut(msgspec.Struct, frozen=True):
    """One attempt to deliver a message: the provider's answer, and the verdict on it."""

    attempt: int
    started_at: Moment
    finished_at: Moment
    verdict: str
    reason: str
    detail: str
    status: int | None
    provider_id: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptOut:
        """The attempt as clients see it."""
        return shown(cls, attempt, provider_id=attempt.provider_id)


class MessageDetail(msgspec.Struct, frozen=True):
    """A message with its attempts, oldest first."""

    message: MessageOut
    tries: tuple[AttemptOut, ...]


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as it is stored: the whole address, the content, and every attempt."""

    message: MessageOut
    address: str
    content: dict[str, Any]
    tries: tuple[AttemptOut, ...]


def masked(address: str) -> str:
    """Enough of an address to recognise it, too little to write to it.

    `k***@example.org`, `...f3a9`.
    """
    local, at, domain = address.rpartition("@")
    if at and local:
        return f"{local[0]}***@{domain}"
    return f"...{address[-SHOWN_OF_TOKEN:]}" if len(address) >= 4 * SHOWN_OF_TOKEN else "***"


class MessageFilters(TimedPage):
    """Which messages."""

    customer: By = None
    campaign: By = None
    decision: By = None
    channel: ChannelName | None = None
    status: MessageStatus | None = None
