"""The drawer of channels: how a message leaves the house.

One file per channel, each with a constant `NAME`.

A channel takes a batch and tells what came of each message in the order they finish, so that one
slow or dead receiver delays nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from geofence.model.message import ChannelName, Message, Outcome


class Channel(Protocol):
    """A way out. Safe to use from several threads at once.

    `retry_s` is the channel's own schedule: seconds to wait after the 1st, 2nd, ... attempt that
    ended in `retry` without a `retry_after_s`; jitter is the caller's. After the last one there is
    no further attempt.
    """

    name: ChannelName
    retry_s: tuple[int, ...]

    def send(self, messages: Sequence[Message], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """Hand over a batch at `now_ms` (epoch ms UTC); (message id, outcome) pairs as they finish.

        Every message gets exactly one outcome, within the time-outs of the channel and together
        under 50 s, whatever the receiver does. Nothing is raised for a message. A message whose
        `expires_ms` has come is not handed over.
        """

    def close(self) -> None:
        """End threads and connections. What is still on its way ends as `unknown` or `retry`."""


def expired(message: Message, now_ms: int) -> bool:
    """Whether the message may no longer be started at `now_ms`."""
    return message.expires_ms is not None and message.expires_ms <= now_ms


EXPIRED = Outcome("failed", "expired")
