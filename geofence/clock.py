"""The only place that asks the time."""

from __future__ import annotations

import threading
import time
from typing import Literal, Protocol


class Clock(Protocol):
    """Now, in epoch ms UTC.

    `follows_pings` says whether pings move it (then none of them is in the future).
    """

    follows_pings: bool

    def now_ms(self) -> int:
        """The current time, epoch ms UTC."""

    def wall_ms(self) -> int:
        """The machine's time, epoch ms UTC, whatever moves this clock.

        For leases, which outlast real pauses.
        """

    def saw(self, ts_ms: int) -> None:
        """Tell the clock of an accepted ping's time."""


class SystemClock:
    """The machine's clock."""

    follows_pings = False

    def now_ms(self) -> int:
        """The current time, epoch ms UTC."""
        return time.time_ns() // 1_000_000

    def wall_ms(self) -> int:
        """The same."""
        return self.now_ms()

    def saw(self, ts_ms: int) -> None:
        """Pings do not move this clock."""


class PingClock:
    """Now is the newest accepted ping: for replay, demo and tests only."""

    follows_pings = True

    def __init__(self, start_ms: int = 0) -> None:
        self._now_ms = start_ms
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        """The newest time seen, epoch ms UTC."""
        return self._now_ms

    def wall_ms(self) -> int:
        """The machine's time, epoch ms UTC."""
        return time.time_ns() // 1_000_000

    def saw(self, ts_ms: int) -> None:
        """Move forward to `ts_ms`, never back."""
        with self._lock:
            self._now_ms = max(self._now_ms, ts_ms)


def make_clock(kind: Literal["system", "pings"]) -> Clock:
    """The clock of that name."""
    return PingClock() if kind == "pings" else SystemClock()
