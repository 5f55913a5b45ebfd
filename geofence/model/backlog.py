"""What waits to be delivered, by channel."""

from __future__ import annotations

import msgspec


class Backlog(msgspec.Struct, frozen=True):
    """The queue of one channel.

    `waiting` counts messages that are not ended, retries included. `oldest_due_ms` is the earliest
    time at which one of them is due, None when none waits. An empty `paused_reason` means open.
    """

    channel: str
    waiting: int = 0
    oldest_due_ms: int | None = None
    paused_reason: str = ""
    paused_ms: int | None = None
