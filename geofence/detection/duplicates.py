"""Which pings were seen before, best effort.

Two generations of 64-bit fingerprints, each at most a day old and bounded in number. Fingerprints
of (device, time, position) are appended as they come and sorted only when a ping asks. Pings with
an id of their own are few: a dictionary keeps them with a hash of their content.

Losing a fingerprint is harmless: a repeated ping is then *late* instead of *duplicate*, and late
pings may be repeated too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Fix, Floats, Times
from geofence.model.presence import DeviceKey

Prints = NDArray[np.uint64]

GENERATION_MS = 24 * 3_600_000
GENERATION_SIZE = 1_000_000
_FANOUT = 8  # a sorted run is merged with new fingerprints once it is at most so many times longer
_MIX = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_SHIFT = np.uint64(31)


def fingerprints(salt: Prints, ts_ms: Times, lat: Floats, lon: Floats) -> Prints:
    """(n,) a 64-bit mix of each ping's device (its salt), time and position; -0.0 counts as 0.0."""
    mixed = salt.copy()
    columns = (ts_ms.view(np.uint64), (lat + 0.0).view(np.uint64), (lon + 0.0).view(np.uint64))
    for odd, column in zip(_MIX, columns, strict=True):
        mixed = (mixed + column) * odd
        mixed ^= mixed >> _SHIFT
    return mixed


def fingerprint_of_id(key: DeviceKey, ping_id: str) -> int:
    """The fingerprint of a ping with an id of its own."""
    return hash((key, ping_id))


def content_of(fix: Fix) -> int:
    """A hash of what must be the same where an id comes again: time and position."""
    return hash((fix.ts_ms, fix.lat, fix.lon))


@dataclass(slots=True)
class UnitPrints:
    """Fingerprints of one unit of work: those of pings without an id, and content by id."""

    prints: list[Prints] = field(default_factory=list)
    by_id: dict[int, int] = field(default_factory=dict)

    def add(self, seen: dict[int, int]) -> None:
        """Add fingerprints with their content; without an id they are their own content."""
        own = [one for one, content in seen.items() if one == content]
        self.prints.append(np.array(own, dtype=np.uint64))
        self.by_id |= {one: content for one, content in seen.items() if one != content}

    def merge(self, other: UnitPrints) -> None:
        """Add those of another project."""
        self.prints += other.prints
        self.by_id |= other.by_id

    def __len__(self) -> int:
        return sum(map(len, self.prints)) + len(self.by_id)


class _Generation:
    """Sorted runs, each several times longer than the next, and what came since."""

    def __init__(self) -> None:
        self.size = 0
        self.by_id: dict[int, int] = {}
        self._unsorted: list[Prints] = []
        self._runs: list[Prints] = []

    def add(self, unit: UnitPrints) -> None:
        self.size += len(unit)
        self._unsorted += [prints for prints in unit.prints if len(prints)]
        self.by_id.update(unit.by_id)

    def holds(self, asked: Prints) -> NDArray[np.bool_]:
        self._sort()
        found = np.zeros(len(asked), dtype=np.bool_)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, asked), len(run) - 1)
            found |= run[place] == asked
        return found

    def _sort(self) -> None:
        if not self._unsorted:
            return
        run = np.concatenate(self._unsorted)
        self._unsorted = []
        while self._runs and len(self._runs[-1]) <= _FANOUT * len(run):
            run = np.concatenate([self._runs.pop(), run])
        run.sort()
        self._runs.append(run)


class DuplicateFilter:
    """The pings of the last day or two, bounded to two generations of `size`."""

    def __init__(self, size: int = GENERATION_SIZE, age_ms: int = GENERATION_MS) -> None:
        self._size, self._age_ms = size, age_ms
        self._young, self._old = _Generation(), _Generation()
        self._born_ms = 0

    def holds(self, asked: Prints) -> NDArray[np.bool_]:
        """(n,) whether each ping without an id was seen."""
        return self._young.holds(asked) | self._old.holds(asked)

    def content_of(self, fingerprint: int) -> int | None:
        """The content seen with the fingerprint of a device and an id, None when not known."""
        content = self._young.by_id.get(fingerprint)
        return self._old.by_id.get(fingerprint) if content is None else content

    def add(self, unit: UnitPrints, now_ms: int) -> None:
        """Remember a committed unit; a generation that is full or a day old makes room first."""
        full = self._young.size + len(unit) > self._size
        if full or now_ms - self._born_ms > self._age_ms:
            self._old, self._young, self._born_ms = self._young, _Generation(), now_ms
        self._young.add(unit)


class Seen:
    """What a unit's busy pings were: new, or seen in the unit or before.

    `prints` (n,) are the pings' fingerprints; `in_unit` maps those of the unit to their content.
    """

    def __init__(self, duplicates: DuplicateFilter, prints: Prints) -> None:
        self.in_unit: dict[int, int] = {}
        self._duplicates, self._columns = duplicates, prints
        self._prints: list[int] = prints.tolist()
        self._before: list[bool] | None = None  # by row, once a ping asks

    def fingerprint(
        self, row: int, key: DeviceKey, ping_id: str | None, fix: Fix
    ) -> tuple[int, int]:
        """(fingerprint, content) of a ping; without an id the fingerprint is its content."""
        if ping_id is None:
            return self._prints[row], self._prints[row]
        return fingerprint_of_id(key, ping_id), content_of(fix)

    def content(self, row: int, fingerprint: int, ping_id: str | None) -> int | None:
        """The content seen with a fingerprint; None for a new one."""
        known = self.in_unit.get(fingerprint)
        if known is not None:
            return known
        if ping_id is not None:
            return self._duplicates.content_of(fingerprint)
        if self._before is None:
            self._before = self._duplicates.holds(self._columns).tolist()
        return fingerprint if self._before[row] else None
