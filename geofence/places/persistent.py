"""Large tables that change a little at a time.

The next version shares nearly everything with the one before.

A version never changes under its readers, and making the next one costs no copy of a million rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

_BITS = 10
_CHUNK = 1 << _BITS
_YOUNG = 4_096  # names remembered apart before they move into the large table


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
        """The next version.

        `length` rows, no fewer than now, with these in place of what was there.
        """
        chunks = -(-length // _CHUNK)
        shelf: PersistentVector[T] = PersistentVector()
        shelf._length, shelf._chunks = length, [*self._chunks, *[()] * (chunks - len(self._chunks))]
        by_chunk: dict[int, dict[int, T | None]] = {
            number: {} for number in range(self._length >> _BITS, chunks)
        }  # those that grow
        for row, value in rows.items():
            by_chunk.setdefault(row >> _BITS, {})[row & (_CHUNK - 1)] = value
        for number, values in by_chunk.items():
            some = [*shelf._chunks[number]]
            some += [None] * (min(_CHUNK, length - number * _CHUNK) - len(some))
            for at, value in values.items():
                some[at] = value
            shelf._chunks[number] = tuple(some)
        return shelf


class PersistentMap:
    """Numbers by name: a large table that is shared, and a small one with what changed since."""

    __slots__ = ("_old", "_young")

    def __init__(self, numbers: Mapping[str, int] | None = None) -> None:
        self._old: Mapping[str, int] = numbers or {}
        self._young: Mapping[str, int | None] = {}

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __getitem__(self, name: str) -> int:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in self._old if name not in self._young)
        yield from (name for name, number in self._young.items() if number is not None)

    def get(self, name: str) -> int | None:
        """The number of that name, or None."""
        return self._young[name] if name in self._young else self._old.get(name)

    def changed(self, gone: Iterable[str], given: Mapping[str, int]) -> PersistentMap:
        """The next version: without the names in `gone`, with those in `given`."""
        names = PersistentMap()
        names._old, names._young = self._old, {**self._young, **dict.fromkeys(gone), **given}
        if len(names._young) > max(_YOUNG, len(self._old) // 64):
            names._old, names._young = (
                {name: number for name in names if (number := names.get(name)) is not None},
                {},
            )
        return names
