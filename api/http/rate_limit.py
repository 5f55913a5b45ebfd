"""Limits how often one API key may name a code that does not exist."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from api.http.problems import Refusal

MOST = 30
WINDOW_S = 60.0


class GuessLimit:
    """Unknown codes by API key within the last minute, in memory. Safe from several threads."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._missed: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, key_id: str) -> None:
        """Raises a 429 `Refusal` when this key has guessed too often, whatever it asks for now."""
        with self._lock:
            self._hold_back(key_id)

    def missed(self, key_id: str) -> None:
        """Count an unknown code.

        Raises a 429 `Refusal` when requests side by side have guessed too often together.
        """
        with self._lock:
            self._hold_back(key_id)
            self._missed.setdefault(key_id, deque()).append(self._tick())

    def _hold_back(self, key_id: str) -> None:
        times, now_s = self._missed.get(key_id), self._tick()
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        if times is not None and not times:
            del self._missed[key_id]
        if times and len(times) >= MOST:
            wait_s = math.ceil(times[0] + WINDOW_S - now_s)
            raise Refusal(
                429,
                "too_many_unknown_codes",
                "Too many unknown codes; wait.",
                headers={"Retry-After": str(max(1, wait_s))},
            )
