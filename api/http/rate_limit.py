"""How often one API key may name a code that does not exist, so that codes cannot be guessed."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.http.problems import Refusal

UNKNOWN_CODES = RateLimitItemPerMinute(30)


class GuessLimit:
    """Unknown codes by API key within the last minute, in memory. Safe from several threads."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, key_id: str) -> None:
        """Raises a 429 `Refusal` for a key that has guessed too often, whatever it asks for now."""
        if not self._limiter.test(UNKNOWN_CODES, key_id):
            raise self._refusal(key_id)

    def missed(self, key_id: str) -> None:
        """Count an unknown code.

        Raises a 429 `Refusal` when requests side by side have guessed too often together.
        """
        if not self._limiter.hit(UNKNOWN_CODES, key_id):
            raise self._refusal(key_id)

    def _refusal(self, key_id: str) -> Refusal:
        free_s = self._limiter.get_window_stats(UNKNOWN_CODES, key_id).reset_time
        wait_s = max(1, math.ceil(free_s - time.time()))
        return Refusal(
            429,
            "too_many_unknown_codes",
            f"Too many unknown codes; wait {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )
