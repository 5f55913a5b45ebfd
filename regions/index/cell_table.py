"""Which regions have a cell: pairs of cell and slot in buckets by hash.

Looked up for whole batches or for one ping, in layers that grow. A cell of several regions stands
in its bucket several times. Pairs take 16 to 20 bytes; a look-up touches two places in memory
however many pairs there are, where searching a sorted column of millions touches twenty.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from regions.index.cells import Cells, Rows, ancestor_one, ancestors, fillings, resolutions_of
from regions.index.cover import Pairs

Slots32 = NDArray[np.int32]
Layers = tuple["CellTable", ...]

SMALLEST = 1_024  # pairs of the youngest layer
GROWTH = 16  # of a layer over the next younger one


# 2^64 / golden ratio, odd: Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4)
_MIXER = 0x9E3779B97F4A7C15
_WORD = 0xFFFF_FFFF_FFFF_FFFF


class CellTable:
    """Cells of any resolutions, sorted by hash, and beside each the slot of one region that has it.

    Immutable, not empty.
    """

    __slots__ = (
        "_bucket",
        "_bucket_view",
        "_cell_view",
        "_fillings",
        "_fillings_one",
        "_shift",
        "cell",
        "resolutions",
        "slot",
    )

    def __init__(self, cell: Cells, slot: Slots32) -> None:
        self.cell, self.slot = cell, slot
        bits = len(cell).bit_length()
        self._shift = 64 - bits
        count = np.bincount(self._bucket_of(cell), minlength=1 << bits)
        self._bucket = np.zeros((1 << bits) + 1, dtype=np.int32)  # where each begins
        np.cumsum(count, out=self._bucket[1:])
        self.resolutions = resolutions_of(cell)
        self._fillings = fillings(self.resolutions)
        self._fillings_one: list[int] = self._fillings.tolist()
        self._bucket_view, self._cell_view = self._bucket.data, cell.data

    def __len__(self) -> int:
        """Pairs of cell and region."""
        return len(self.cell)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.cell.nbytes + self.slot.nbytes + self._bucket.nbytes

    def _bucket_of(self, cells: Cells) -> Rows:
        return (_mixed(cells) >> np.uint64(self._shift)).view(np.int64)

    def found(self, cells: Cells) -> tuple[Rows, Slots32]:
        """Row of the argument and slot, for every slot of every given cell and of its ancestors."""
        keys = ancestors(cells, self._fillings).ravel()
        bucket = self._bucket_of(keys)
        start = self._bucket.take(bucket)
        count = self._bucket.take(bucket + 1) - start
        at = np.repeat(start - (np.cumsum(count) - count), count)
        at += np.arange(len(at))
        hit = np.nonzero(self.cell.take(at) == np.repeat(keys, count))[0]
        row = np.repeat(np.tile(np.arange(len(cells)), len(self.resolutions)), count)
        return row.take(hit), self.slot.take(at.take(hit))

    def found_one(self, cell: int) -> list[int]:
        """The slots of one cell and of its ancestors."""
        slots: list[int] = []
        for filling in self._fillings_one:
            key = ancestor_one(cell, filling)
            bucket = (key * _MIXER & _WORD) >> self._shift
            around = range(self._bucket_view[bucket], self._bucket_view[bucket + 1])
            slots += [int(self.slot[at]) for at in around if self._cell_view[at] == key]
        return slots


def _mixed(cells: Cells) -> Cells:
    return cells * np.uint64(_MIXER)


def _layers(cell: Cells, slot: Slots32) -> Layers:
    """A table of pairs in any order, none of no pairs."""
    if not len(cell):
        return ()
    order = np.argsort(_mixed(cell), kind="stable")
    return (CellTable(cell[order], slot[order]),)


def layers_of(covers: Iterable[Pairs], first_slot: int) -> Layers:
    """At most one table, of the covers of consecutive slots: row 0 is `first_slot`."""
    cells: list[Cells] = [np.empty(0, dtype=np.uint64)]
    slots: list[Slots32] = [np.empty(0, dtype=np.int32)]
    for cover in covers:
        cells.append(cover.cell)
        slots.append((cover.row + first_slot).astype(np.int32))
    return _layers(np.concatenate(cells), np.concatenate(slots))


def merged(layers: Layers, alive: NDArray[np.bool_]) -> Layers:
    """At most one table from several, without the slots that are gone."""
    if not layers:
        return ()
    cell = np.concatenate([each.cell for each in layers])
    slot = np.concatenate([each.slot for each in layers])
    keep = alive[slot]
    return _layers(cell[keep], slot[keep])


def layered(layers: Layers, fresh: Layers, alive: NDArray[np.bool_]) -> Layers:
    """The layers with one more, merged with those that are not clearly larger.

    A layer belongs to a level by its size and meets only smaller ones, so every pair is copied a
    bounded number of times (`GROWTH` a level), and there are at most five or six layers among a
    hundred million pairs.
    """
    older, young = list(layers), list(fresh)
    while young and older and _level(len(older[-1])) <= _level(sum(map(len, young))):
        young.insert(0, older.pop())
    return (*older, *(merged(tuple(young), alive) if len(young) > 1 else young))


def _level(pairs: int) -> int:
    level = 0
    while pairs > SMALLEST * GROWTH**level:
        level += 1
    return level


def renumbered(layers: Layers, alive: NDArray[np.bool_]) -> Layers:
    """The tables with the live slots counted from 0."""
    new = np.cumsum(alive, dtype=np.int32) - 1
    return tuple(CellTable(each.cell, new[each.slot]) for each in layers)
