"""Push through Firebase Cloud Messaging, HTTP v1.

pyfcm writes the payload and google-auth the token; the transport is our own, since pyfcm's `notify`
sleeps without bound on Retry-After, posts again after a lost answer and drops the error code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pyfcm import FCMNotification

from geofence.delivery.channel import EXPIRED, expired
from geofence.delivery.channels.fcm import NAME, RETRY_S
from geofence.delivery.channels.fcm.payload import MAX_PAYLOAD_BYTES, arguments, size_bytes
from geofence.delivery.channels.fcm.token import NoToken, Tokens, read_credentials
from geofence.delivery.channels.fcm.verdict import judge
from geofence.delivery.http.exchange import Answer, ConnectOptions, Limits, Request
from geofence.delivery.http.transport import Transport
from geofence.model.message import ChannelName, OutboxMessage, Outcome

GOOGLE = "https://fcm.googleapis.com"
LIMITS = Limits()


class Fcm:
    """The push channel of one Firebase project.

    `credentials` is the path of a service account's JSON file, `endpoint` the root of the FCM
    service (`http://host:port` for a local one). Raises `InputError` for an unusable file.
    """

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = RETRY_S

    def __init__(
        self, credentials: str | Path, *, endpoint: str = GOOGLE, limits: Limits = LIMITS
    ) -> None:
        account = read_credentials(credentials)
        self._tokens = Tokens(account, timeout_s=limits.total_s)
        self._fcm = FCMNotification(credentials=account)
        self._fcm.FCM_END_POINT_BASE = f"{endpoint.rstrip('/')}/v1/projects"
        self._transport = Transport(
            limits, ConnectOptions(direct=endpoint != GOOGLE, share=endpoint.startswith("https://"))
        )

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        try:
            headers = [
                "Content-Type: application/json",
                "Expect:",
                f"Authorization: Bearer {self._tokens.bearer()}",
            ]
        except NoToken as error:
            return iter([(message.id, error.outcome) for message in messages])
        refused: list[tuple[str, Outcome]] = []
        answers = self._transport.post(self._requests(messages, now_ms, headers, refused))
        return self._outcomes(messages, refused, answers)

    def close(self) -> None:
        """See `Channel.close`."""
        self._transport.close()
        self._tokens.close()

    def _requests(
        self,
        messages: Sequence[OutboxMessage],
        now_ms: int,
        headers: list[str],
        refused: list[tuple[str, Outcome]],
    ) -> Iterator[Request]:
        url = self._fcm.fcm_end_point
        for place, message in enumerate(messages):
            body = self._body(message, now_ms)
            if isinstance(body, Outcome):
                refused.append((message.id, body))
            else:
                yield Request(place, url, headers, body)

    def _body(self, message: OutboxMessage, now_ms: int) -> bytes | Outcome:
        if expired(message, now_ms):
            return EXPIRED
        if not message.address:
            return Outcome("failed", "no_address")
        try:
            prepared = arguments(message, now_ms)
            size = size_bytes(prepared)
            body: bytes = self._fcm.parse_payload(**prepared)
        except (TypeError, ValueError):
            return Outcome("failed", "invalid_payload", "the content cannot be written as JSON")
        if size > MAX_PAYLOAD_BYTES:
            return Outcome("failed", "payload_too_large", f"{size}/{MAX_PAYLOAD_BYTES} bytes")
        return body

    def _outcomes(
        self,
        messages: Sequence[OutboxMessage],
        refused: list[tuple[str, Outcome]],
        answers: Iterator[Answer],
    ) -> Iterator[tuple[str, Outcome]]:
        yield from refused
        for answer in answers:
            yield messages[answer.key].id, self._settle(judge(answer))

    def _settle(self, outcome: Outcome) -> Outcome:
        if outcome.verdict == "sent":
            self._tokens.accepted()
        elif outcome.reason == "unauthorized" and self._tokens.refused():
            return Outcome("retry", "token_expired", outcome.detail, 0.0, status=outcome.status)
        return outcome
