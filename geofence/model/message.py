"""A message to a customer, and the attempts to deliver it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ChannelName = str  # one of `geofence.delivery.channels.CHANNELS`, which are found by scanning
MessageStatus = Literal["queued", "sent", "failed", "dropped", "expired"]


class OutboxMessage(msgspec.Struct, frozen=True):
    """One message of a decision on one channel, as the outbox stores it. Times epoch ms UTC.

    `id` is derived from the decision and the channel, so it is the same on every attempt: channels
    use it as webhook id, FCM and APNs collapse id and e-mail Message-ID. `address` is a push token,
    an e-mail address or a URL. `content` is what the channel's `content` rendered.

    `due_ms` is when it may next be taken, None once it is finished. `lease_until_ms` is set while a
    worker holds it. `attempt` counts the takes and is the fencing token: only the holder of the
    newest attempt may finish it. `untried` of them ended before anything was handed over. `reason`
    is a stable token that says why it was not sent.
    """

    id: str
    project_id: str
    channel: ChannelName
    address: str
    content: dict[str, Any]
    created_ms: int
    expires_ms: int
    due_ms: int | None = None
    decision_id: str = ""
    campaign_id: str = ""
    customer_id: str = ""
    device_id: str = ""
    geofence_uid: str = ""
    status: MessageStatus = "queued"
    reason: str = ""
    attempt: int = 0
    untried: int = 0
    lease_until_ms: int | None = None
    finished_ms: int | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One attempt at a message, written when it ended. `verdict` and `reason` as in `Outcome`."""

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
    """The result of one attempt.

    `verdict` is one of:

    * `sent`
    * `retry`: after `retry_after_s` seconds, or by the channel's own schedule when that is None
    * `failed`: this message can never be sent
    * `drop_address`: the token or address is dead and is forgotten
    * `suppress`: never write to this address again
    * `pause`: the channel is misconfigured; its queue is held and the operator alerted
    * `unknown`: handed over, but the answer was lost, so it may have arrived

    `reason` is a stable token; `detail` is for the operator and never holds a secret, an address or
    a position.
    """

    verdict: Literal["sent", "retry", "failed", "drop_address", "suppress", "pause", "unknown"]
    reason: str
    detail: str = ""
    retry_after_s: float | None = None
    provider_id: str | None = None
    status: int | None = None
