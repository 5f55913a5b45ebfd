"""What is to be said to a customer, and what came of each try."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ChannelName = Literal["push", "email", "webhook", "inapp", "log"]


class Message(msgspec.Struct, frozen=True):
    """One message of a decision on one channel, ready to send. Times epoch ms UTC.

    `id` is made from the decision and the channel: the same on every attempt, used as webhook id,
    FCM and APNs collapse id and e-mail Message-ID. `address` is a push token, an e-mail address or
    a URL. `content` holds what the channel needs: push `title, body, link, data`; email `subject,
    text, html, unsubscribe_url`; webhook `type, data`.
    """

    id: str
    project_id: str
    channel: ChannelName
    address: str
    content: dict[str, Any]
    created_ms: int
    expires_ms: int | None = None
    attempt: int = 1


MessageStatus = Literal["queued", "sent", "failed", "dropped", "expired"]


class OutboxMessage(msgspec.Struct, frozen=True):
    """A message as the outbox keeps it. Times epoch ms UTC.

    `due_ms` is when it may next be taken, None once it is finished; `lease_until_ms` while somebody
    has it in hand; `attempt` counts the takes and is the fencing token: only the holder of the
    newest attempt may finish it; `untried` of them ended before anything was handed over. `reason`
    says why it was not sent, as a stable token.
    """

    id: str
    project_id: str
    decision_id: str
    campaign_id: str
    customer_id: str
    device_id: str
    geofence_uid: str
    channel: ChannelName
    address: str
    content: dict[str, Any]
    created_ms: int
    expires_ms: int
    due_ms: int | None
    status: MessageStatus = "queued"
    reason: str = ""
    attempt: int = 0
    untried: int = 0
    lease_until_ms: int | None = None
    finished_ms: int | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try at a message, written when it ended; `verdict` and `reason` as in `Outcome`."""

    message_id: str
    project_id: str
    attempt: int
    started_ms: int
    finished_ms: int
    verdict: str
    reason: str
    detail: str = ""
    status: int | None = None
    provider_id: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of one attempt.

    `verdict`: `sent`; `retry` (after `retry_after_s`, or the channel's own schedule when None);
    `failed` (this message never); `drop_address` (the token or address is dead: forget it);
    `suppress` (never write to this address again); `pause` (the channel is misconfigured: keep
    everything, alert, hold the queue); `unknown` (handed over but the answer was lost: may have
    arrived). `reason` is a stable token; `detail` is for the operator and never holds a secret, an
    address or a position.
    """

    verdict: Literal["sent", "retry", "failed", "drop_address", "suppress", "pause", "unknown"]
    reason: str
    detail: str = ""
    retry_after_s: float | None = None
    provider_id: str | None = None
    status: int | None = None
