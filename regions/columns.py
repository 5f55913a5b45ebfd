"""Which regions have a cell: sorted columns by resolution, looked up for whole batches or for one ping.

A *tag* is the slot and, in its lowest bit, whether the cell is inner.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regions.cells import Cells, parent_one, parents
from regions.cover import Cover

Tags = NDArray[np.int32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of one resolution, sorted, each once; the tags of cell i are `tag[start[i]:start[i + 1]]`, by slot."""

    resolution: int
    cell: Cells
    start: NDArray[np.int32]
    tag: Tags
    cell_view: memoryview

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.cell.nbytes + self.start.nbytes + self.tag.nbytes

    def found(self, cells: Cells) -> tuple[Rows, Tags]:
        """Row of the argument and tag, for every tag of every given cell."""
        keys = parents(cells, self.resolution)
        at = np.searchsorted(self.cell, keys)
        at[at == len(self.cell)] = 0
        row = np.nonzero(self.cell[at] == keys)[0]
        start = self.start[at[row]].astype(np.int64)
        count = self.start[at[row] + 1] - start
        first = np.cumsum(count) - count
        return np.repeat(row, count), self.tag[np.arange(int(count.sum())) + np.repeat(start - first, count)]

    def found_one(self, cell: int) -> list[int]:
        """The tags of one cell."""
        key = parent_one(cell, self.resolution)
        at = bisect_left(self.cell_view, key)
        if at == len(self.cell_view) or self.cell_view[at] != key:
            return []
        tags: list[int] = self.tag[self.start[at] : self.start[at + 1]].tolist()
        return tags

    def pairs(self) -> tuple[Cells, Tags]:
        """Every cell and tag."""
        return np.repeat(self.cell, np.diff(self.start)), self.tag


def column(resolution: int, cell: Cells, tag: Tags) -> Column:
    """A column from pairs in any order."""
    order = np.lexsort((tag, cell))
    cell, tag = cell[order], tag[order]
    fresh = np.concatenate([[True], cell[1:] != cell[:-1]])
    start = np.append(np.nonzero(fresh)[0], len(cell)).astype(np.int32)
    unique = np.ascontiguousarray(cell[fresh])
    return Column(resolution, unique, start, np.ascontiguousarray(tag), unique.data)


Columns = tuple[Column, ...]


def columns_of(covers: Iterable[Cover], first_slot: int) -> Columns:
    """Columns for consecutive slots, finest resolution first."""
    cells: dict[int, list[Cells]] = defaultdict(list)
    tags: dict[int, list[Tags]] = defaultdict(list)
    for slot, cover in enumerate(covers, first_slot):
        for found, inner in ((cover.inner, 1), (cover.rim, 0)):
            cells[cover.resolution].append(found)
            tags[cover.resolution].append(np.full(len(found), slot << 1 | inner, dtype=np.int32))
    return tuple(column(res, np.concatenate(cells[res]), np.concatenate(tags[res])) for res in sorted(cells, reverse=True))


def merged(layers: Iterable[Columns], alive: NDArray[np.bool_]) -> Columns:
    """One set of columns from several, without the slots that are gone."""
    pairs: dict[int, list[tuple[Cells, Tags]]] = defaultdict(list)
    for columns in layers:
        for each in columns:
            pairs[each.resolution].append(each.pairs())
    found = []
    for res in sorted(pairs, reverse=True):
        cell, tag = (np.concatenate(side) for side in zip(*pairs[res], strict=True))
        keep = alive[tag >> 1]
        if keep.any():
            found.append(column(res, cell[keep], tag[keep]))
    return tuple(found)
