"""What a channel is: how its messages are written, addressed and sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from geofence.model.campaign import MessagePlan
from geofence.model.case import Case
from geofence.model.customer import LOCATION, Purpose
from geofence.model.message import ChannelName, OutboxMessage, Outcome

EXPIRED = Outcome("failed", "expired")


class Channel(Protocol):
    """Sends messages to one provider. Safe to use from several threads at once.

    `retry_s` is the channel's own schedule: seconds to wait after the 1st, 2nd, ... attempt that
    ended in `retry` without a `retry_after_s`; the caller adds jitter. After the last one there is
    no further attempt.
    """

    name: ChannelName
    retry_s: tuple[int, ...]

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """Hand over a batch at `now_ms` (epoch ms UTC).

        Every message gets exactly one outcome, within the time-outs of the channel and together
        under 50 s, whatever the receiver does. No message raises. A message whose `expires_ms` has
        come is not handed over.

        Returns:
            (message id, outcome) pairs in the order in which the messages finish, so that a slow
            receiver delays no other.
        """

    def close(self) -> None:
        """End threads and connections. Messages still on their way end as `unknown` or `retry`."""


class Address(NamedTuple):
    """Where a message goes: a token, an e-mail address or a URL, and the device it concerns."""

    address: str
    device_id: str


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """Everything that Geofence needs to know of a channel; its file or folder declares it.

    Args:
        name: The word in a campaign, in the outbox and in metrics.
        plan: The message of a campaign; None where no campaign may name the channel.
        templates: The fields of `plan` that are templates; `html` is escaped.
        purpose: The consent that it needs beside the one to location.
        stops: What the shopper's page ends, as text for shoppers: "offers by e-mail".
        address: The customer's address, None where there is none.
        content: The rendered content of a message, from the case, the plan and the fields.
        only_near: A message is dropped when the phone has left before it is sent.
        in_answer: The app shows its offers from the answer to the ping that caused them.
        by_answer: The answer to the ping is the delivery, so that no worker sends anything.
        settings: The settings it reads, by the code of the `InputError` that blames them. The first
            one opens the channel.
        from_settings: Opens the channel; None where the settings leave it closed. Raises
            `InputError` for a setting that cannot be used.
        batch: How many messages a worker takes at once.
    """

    name: ChannelName
    plan: type[MessagePlan] | None = None
    templates: tuple[str, ...] = ()
    purpose: Purpose = LOCATION
    stops: str = ""
    address: Callable[[Case], Address | None] = lambda _: None
    content: Callable[[Case, Any, Mapping[str, Any]], dict[str, Any]] = lambda *_: {}
    only_near: bool = False
    in_answer: bool = False
    by_answer: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    from_settings: Callable[[Mapping[str, Any]], Channel | None] | None = None
    batch: int = 200


def expired(message: OutboxMessage, now_ms: int) -> bool:
    """Whether the message may no longer be started at `now_ms` (epoch ms UTC)."""
    return message.expires_ms <= now_ms
