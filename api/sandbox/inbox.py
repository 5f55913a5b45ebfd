"""What has arrived: kept in memory, the newest 100,000."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import msgspec

Kind = Literal["push", "email"]

KEPT = 100_000


class Received(msgspec.Struct, frozen=True):
    """One push or mail as it was handed over at `at_ms` (epoch ms UTC); `seq` counts from 1.

    `to` is the token or address, `status` what was answered (0: the answer was withheld, so it
    counts as delivered). `content` is the FCM message, or the mail's headers, text and html.
    """

    seq: int
    at_ms: int
    kind: Kind
    to: str
    status: int
    message_id: str
    title: str
    body: str
    content: dict[str, Any]

    @property
    def delivered(self) -> bool:
        """Whether a phone or mailbox would have got it."""
        return self.status in (0, 200, 250)


class Inbox:
    """Safe from several threads. `on_new` functions are called in the thread that adds."""

    def __init__(self) -> None:
        self._kept: deque[Received] = deque(maxlen=KEPT)
        self._seq = 0
        self._delivered = 0
        self._changed = threading.Condition()
        self.on_new: list[Callable[[Received], None]] = []

    def add(
        self,
        kind: Kind,
        to: str,
        status: int,
        message_id: str,
        shown: tuple[str, str],
        content: dict[str, Any],
    ) -> None:
        """Record one message; `shown` is its title and body."""
        with self._changed:
            self._seq += 1
            item = Received(
                self._seq,
                time.time_ns() // 1_000_000,
                kind,
                to,
                status,
                message_id,
                *shown,
                content,
            )
            self._kept.append(item)
            self._delivered += item.delivered
            self._changed.notify_all()
        for listener in self.on_new:
            listener(item)

    def attempts(self, after_seq: int = 0) -> list[Received]:
        """Everything handed over, refused or not, oldest first."""
        with self._changed:
            return [item for item in self._kept if item.seq > after_seq]

    def delivered(self) -> list[Received]:
        """What a phone or mailbox would have got, oldest first."""
        return [item for item in self.attempts() if item.delivered]

    def wait_delivered(self, count: int, timeout_s: float) -> bool:
        """Wait until at least `count` have been delivered; whether they were in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._delivered >= count, timeout_s)

    def wait_after(self, seq: int, timeout_s: float) -> list[Received]:
        """Wait for anything newer than `seq`, and give it."""
        with self._changed:
            self._changed.wait_for(lambda: self._seq > seq, timeout_s)
        return self.attempts(seq)
