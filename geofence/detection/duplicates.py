"""Recognises repeated pings, best effort.

It keeps two generations of fingerprints, each at most a day old and bounded in number. A lost
fingerprint is harmless: the repeated ping is *late* instead of *duplicate*, and late pings may come
any number of times.
"""

from __future__ import annotations

GENERATION_MS = 24 * 3_600_000
GENERATION_SIZE = 1_000_000


class DuplicateFilter:
    """Maps a ping's fingerprint to a hash of its content.

    The fingerprint is a hash of device and id, or of device, time and position.
    """

    def __init__(self, size: int = GENERATION_SIZE, age_ms: int = GENERATION_MS) -> None:
        self._size, self._age_ms = size, age_ms
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}
        self._born_ms = 0

    def get(self, fingerprint: int) -> int | None:
        """The content hash seen with this fingerprint, None when it is not known (any more)."""
        content = self._young.get(fingerprint)
        return self._old.get(fingerprint) if content is None else content

    def add(self, seen: dict[int, int], now_ms: int) -> None:
        """Remember fingerprints; a generation that is full or a day old makes room first."""
        if len(self._young) + len(seen) > self._size or now_ms - self._born_ms > self._age_ms:
            self._old, self._young, self._born_ms = self._young, {}, now_ms
        self._young.update(seen)
