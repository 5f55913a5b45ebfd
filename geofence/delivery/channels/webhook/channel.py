"""Webhooks.

Signed POSTs to a subscriber, as Standard Webhooks describes them (standardwebhooks.com, spec 1.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook as Signer
from standardwebhooks.webhooks import EmptyWebhookSecretError

from geofence.delivery.channel import EXPIRED, expired
from geofence.delivery.channels.webhook import NAME, RETRY_S
from geofence.delivery.http.egress import is_public
from geofence.delivery.http.exchange import Answer, ConnectOptions, Limits, Request
from geofence.delivery.http.transport import Transport
from geofence.model.message import ChannelName, OutboxMessage, Outcome

MAX_RETRY_AFTER_S = 6 * 3600.0
LIMITS = Limits(connect_s=5, total_s=15, wait_s=15, answer_bytes=16_384, in_flight=512, per_host=8)


class Webhook:
    """The webhook channel.

    `message.address` is the URL. The secret (`whsec_` and base64) is in `content["secret"]`, a list
    of them while one is being replaced, or in `secrets` by URL. `allow_private` lets it dial
    loopback and private addresses.
    """

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = RETRY_S

    def __init__(
        self,
        *,
        allow_private: bool = False,
        secrets: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._secrets = secrets or {}
        # without a proxy: the address that is checked must be the one that is dialled
        self._transport = Transport(
            limits, ConnectOptions(None if allow_private else is_public, direct=True)
        )

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        refused: list[tuple[str, Outcome]] = []
        answers = self._transport.post(self._requests(messages, now_ms, refused))
        return _outcomes(messages, refused, answers)

    def close(self) -> None:
        """See `Channel.close`."""
        self._transport.close()

    def _requests(
        self, messages: Sequence[OutboxMessage], now_ms: int, refused: list[tuple[str, Outcome]]
    ) -> Iterator[Request]:
        for place, message in enumerate(messages):
            request = self._request(place, message, now_ms)
            if isinstance(request, Outcome):
                refused.append((message.id, request))
            else:
                yield request

    def _request(self, place: int, message: OutboxMessage, now_ms: int) -> Request | Outcome:
        if expired(message, now_ms):
            return EXPIRED
        if not message.address.startswith(("https://", "http://")):
            return Outcome("failed", "invalid_url")
        secret = message.content.get("secret") or self._secrets.get(message.address)
        if not secret:
            return Outcome("failed", "no_secret")
        try:
            body = payload(message)
            signature = _sign(
                [secret] if isinstance(secret, str) else list(secret), message.id, now_ms, body
            )
        except (ValueError, TypeError, RuntimeError, EmptyWebhookSecretError):
            return Outcome(
                "failed",
                "invalid_payload",
                "the secret is not base64, or the data cannot be written as JSON",
            )
        headers = [
            "Content-Type: application/json",
            "Expect:",
            "User-Agent: Geofence",
            f"webhook-id: {message.id}",
            f"webhook-timestamp: {now_ms // 1000}",
            f"webhook-signature: {signature}",
        ]
        return Request(place, message.address, headers, body)


def payload(message: OutboxMessage) -> bytes:
    """The body: `{type, timestamp, data}`, the same bytes on every attempt.

    `timestamp` is when it happened, RFC 3339.
    """
    content = message.content
    made = (
        datetime.fromtimestamp(message.created_ms / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    return msgspec.json.encode(
        {
            "type": content.get("type", ""),
            "timestamp": content.get("timestamp", made),
            "data": content.get("data"),
        }
    )


def judge(answer: Answer) -> Outcome:
    """2xx sent, 410 gone, everything else again by schedule.

    Subscribers know an event by its id, so a lost answer is a retry.
    """
    status, detail = answer.status, f"HTTP {answer.status}"
    if answer.failure == "refused_address":
        return Outcome("failed", "refused_address", "the host leads to a private address")
    if 200 <= status < 300:
        return Outcome("sent", "accepted", status=status)
    if status == 410:
        return Outcome("drop_address", "gone", detail, status=410)
    if status == 0:
        return Outcome(
            "retry",
            answer.failure or "lost",
            "handed over, no answer" if answer.handed_over else "not handed over",
        )
    wait_s = None if answer.retry_after_s is None else min(answer.retry_after_s, MAX_RETRY_AFTER_S)
    return Outcome("retry", _reason(status), detail, wait_s, status=status)


def _reason(status: int) -> str:
    if 300 <= status < 400:
        return "redirected"
    if status == 429:
        return "throttled"
    return "receiver_error" if status >= 500 else "refused"


def _sign(secrets: list[str], message_id: str, now_ms: int, body: bytes) -> str:
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    return " ".join(Signer(secret).sign(message_id, moment, body.decode()) for secret in secrets)


def _outcomes(
    messages: Sequence[OutboxMessage], refused: list[tuple[str, Outcome]], answers: Iterator[Answer]
) -> Iterator[tuple[str, Outcome]]:
    yield from refused
    for answer in answers:
        yield messages[answer.key].id, judge(answer)
