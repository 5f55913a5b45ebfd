"""What is to be said to a customer, and what came of each try."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ChannelName = Literal["push", "email", "webhook", "inapp", "log"]


class Message(msgspec.Struct, frozen=True):
    """One message of a decision on one channel, ready to send. Times epoch ms UTC.

    `id` is made from the decision and the channel: the same on every attempt, used as webhook id, FCM and APNs collapse
    id and e-mail Message-ID. `address` is a push token, an e-mail address or a URL. `content` holds what the channel
    needs: push `title, body, link, data`; email `subject, text, html, unsubscribe_url`; webhook `type, data`.
    """

    id: str
    project_id: str
    channel: ChannelName
    address: str
    content: dict[str, Any]
    created_ms: int
    expires_ms: int | None = None
    attempt: int = 1


class Outcome(msgspec.Struct, frozen=True):
    """What came of one attempt.

    `verdict`: `sent`; `retry` (after `retry_after_s`, or the channel's own schedule when None); `failed` (this message
    never); `drop_address` (the token or address is dead: forget it); `suppress` (never write to this address again);
    `pause` (the channel is misconfigured: keep everything, alert, hold the queue); `unknown` (handed over but the answer
    was lost: may have arrived). `reason` is a stable token; `detail` is for the operator and never holds a secret, an
    address or a position.
    """

    verdict: Literal["sent", "retry", "failed", "drop_address", "suppress", "pause", "unknown"]
    reason: str
    detail: str = ""
    retry_after_s: float | None = None
    provider_id: str | None = None
    status: int | None = None
