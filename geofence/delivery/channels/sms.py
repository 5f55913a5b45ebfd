"""SMS through a gateway that takes JSON by HTTP: `{"id", "to", "text"}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from geofence.delivery.channel import EXPIRED, Address, Channel, ChannelKind, expired
from geofence.delivery.http.exchange import Answer, ConnectOptions, Limits, Request
from geofence.delivery.http.transport import Transport
from geofence.model.campaign import MessagePlan, Text
from geofence.model.case import Case
from geofence.model.message import ChannelName, OutboxMessage, Outcome
from geofence.templates import render

NAME = "sms"
RETRY_S = (15, 60, 300)
LIMITS = Limits(total_s=10, wait_s=10)


class SmsPlan(MessagePlan, frozen=True, kw_only=True, tag=NAME):
    """A short message as a template. `when: no_push` as for e-mails."""

    text: Text
    ttl_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 900
    when: Literal["always", "no_push"] = "always"


class Sms:
    """The SMS channel of one gateway."""

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = RETRY_S

    def __init__(self, url: str, *, limits: Limits = LIMITS) -> None:
        self._url, self._transport = url, Transport(limits, ConnectOptions())

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        late = [message for message in messages if expired(message, now_ms)]
        requests = (
            Request(place, self._url, ["Content-Type: application/json", "Expect:"], _body(message))
            for place, message in enumerate(messages)
            if not expired(message, now_ms)
        )
        return self._outcomes(messages, late, self._transport.post(requests))

    def close(self) -> None:
        """See `Channel.close`."""
        self._transport.close()

    def _outcomes(
        self,
        messages: Sequence[OutboxMessage],
        late: Sequence[OutboxMessage],
        answers: Iterator[Answer],
    ) -> Iterator[tuple[str, Outcome]]:
        yield from ((message.id, EXPIRED) for message in late)
        for answer in answers:
            yield messages[answer.key].id, judge(answer)


def judge(answer: Answer) -> Outcome:
    """2xx is sent, 4xx final but for 429, everything else is tried again or unknown."""
    if 200 <= answer.status < 300:
        return Outcome("sent", "accepted", status=answer.status)
    if answer.status == 0:
        lost = answer.failure or "lost"
        return Outcome("unknown" if answer.handed_over else "retry", lost)
    if 400 <= answer.status < 500 and answer.status != 429:
        return Outcome("failed", "refused", status=answer.status)
    return Outcome("retry", "gateway", retry_after_s=answer.retry_after_s, status=answer.status)


def address(case: Case) -> Address | None:
    """The customer's attribute `phone`, in E.164."""
    phone = None if case.customer is None else case.customer.attributes.get("phone")
    return Address(phone, case.event.device_id) if isinstance(phone, str) and phone else None


def content(_: Case, plan: SmsPlan, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The text alone."""
    return {"text": render(plan.text, fields)}


def from_settings(settings: Mapping[str, Any]) -> Channel | None:
    """The channel of the gateway that `sms_url` names."""
    return Sms(settings["sms_url"]) if settings["sms_url"] else None


def _body(message: OutboxMessage) -> bytes:
    text = str(message.content.get("text", ""))
    return msgspec.json.encode({"id": message.id, "to": message.address, "text": text})


KIND = ChannelKind(
    NAME,
    SmsPlan,
    templates=("text",),
    purpose="sms",
    stops="offers by SMS",
    address=address,
    content=content,
    settings={"sms_url": "sms_url"},
    from_settings=from_settings,
)
