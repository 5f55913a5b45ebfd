"""A raster of bits that rules out positions far from every region before H3 is called.

A bit is a 256th of a degree wide and tall (434 m at the equator). 64 of them side by side are a
word, 256 words one above the other a tile; tiles without a region all share an empty one. A set bit
says "maybe": spans (`regions.index.raster_rows`) contain their region, and bits stay set when a
region is removed. Bits are only added in place, which costs readers of an older version at most a
needless look-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats
from regions.index.raster_rows import PER_DEGREE, Spans, chunks

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

_WORDS = PER_DEGREE  # of a tile
_TABLE = (180, 360 * PER_DEGREE // 64)
# 90 and 180 degrees lie in the last row and column; spans have more slack than this takes
_SCALE = PER_DEGREE * (1.0 - 1e-12)
_BATCH = 1 << 20  # words painted at once
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class Raster:
    """The bits of one version of an index.

    Immutable to readers but for bits that other versions add; one writer at a time.
    """

    __slots__ = ("_lock", "_pool", "_pool_view", "_table", "_table_view", "_used")

    def __init__(
        self, table: NDArray[np.int32] | None = None, pool: NDArray[np.uint64] | None = None
    ) -> None:
        self._table = np.zeros(_TABLE[0] * _TABLE[1], dtype=np.int32) if table is None else table
        self._pool = np.zeros(_WORDS, dtype=np.uint64) if pool is None else pool
        self._used = [
            len(self._pool) // _WORDS
        ]  # tiles; shared by all versions that share the pool
        self._lock = Lock()
        self._see()

    def _see(self) -> None:
        self._table_view, self._pool_view = self._table.data, self._pool.data

    @property
    def nbytes(self) -> int:
        """Bytes of the tiles in use and of the table."""
        return self._used[0] * _WORDS * 8 + self._table.nbytes

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
        """What the constructor takes."""
        return self._table, self._pool[: self._used[0] * _WORDS]

    def near_any(self, lat: Floats, lon: Floats) -> Mask:
        """(n,) False only where no region of this version can contain the position.

        Positions must be on the earth.
        """
        at = np.empty((2, len(lat)))
        np.add(lat, 90.0, out=at[0])
        np.add(lon, 180.0, out=at[1])
        at *= _SCALE
        row, col = at.astype(np.int64)
        word = self._pool.take(self._table.take((row >> 8) * _TABLE[1] + (col >> 6)) + (row & 255))
        return np.asarray((word << (col & 63).view(np.uint64)).view(np.int64) < 0, dtype=np.bool_)

    def near_one(self, lat: float, lon: float) -> bool:
        """`near_any` for one position."""
        row, col = int((lat + 90.0) * _SCALE), int((lon + 180.0) * _SCALE)
        word = self._pool_view[self._table_view[(row >> 8) * _TABLE[1] + (col >> 6)] + (row & 255)]
        return bool(word >> (63 - (col & 63)) & 1)

    def painted(self, spans: Iterable[Spans]) -> Raster:
        """The next version, with these spans set too."""
        grown = Raster(self._table, self._pool)
        grown._used, grown._lock = self._used, self._lock
        for each in spans:
            for part in _tiled(each):
                grown._paint(*part)
        return grown

    def _paint(self, tile: Rows, row: Rows, first: Rows, last: Rows) -> None:
        """Set bits `first` to `last` of a word, given by its tile and the row in it."""
        with self._lock:
            self._make(np.unique(tile) if len(tile) < 1_000 else np.nonzero(np.bincount(tile))[0])
        bits = (_ALL >> first.astype(np.uint64)) & (_ALL << (63 - last).astype(np.uint64))
        np.bitwise_or.at(self._pool, self._table[tile] + row, bits)

    def _make(self, tile: Rows) -> None:
        """Rasters of their own for tiles that share the empty one.

        What older versions hold is not touched.
        """
        fresh = tile[self._table[tile] == 0]
        if not len(fresh):
            return
        first, end = self._used[0], self._used[0] + len(fresh)
        if end * _WORDS > len(self._pool):
            pool = np.zeros((end + end // 4 + 8) * _WORDS, dtype=np.uint64)
            pool[: first * _WORDS] = self._pool[: first * _WORDS]
            self._pool, self._used, self._lock = pool, [end], Lock()
        else:
            self._used[0] = end
        self._table = self._table.copy()
        self._table[fresh] = np.arange(first, end) * _WORDS
        self._see()


def _tiled(spans: Spans) -> Iterable[tuple[Rows, Rows, Rows, Rows]]:
    """Tile, row in it, first and last bit of every word that each span meets.

    Columns wrap at the 180th meridian.
    """
    words = (spans.last >> 6) - (spans.first >> 6) + 1
    for at, end in chunks(np.cumsum(words), _BATCH):
        count = words[at:end]
        owner = np.repeat(np.arange(at, end), count)
        x = np.arange(len(owner)) - np.repeat(
            np.cumsum(count) - count - (spans.first[at:end] >> 6), count
        )
        row = spans.row[owner]
        first = np.maximum(spans.first[owner] - (x << 6), 0)
        last = np.minimum(spans.last[owner] - (x << 6), 63)
        yield (row >> 8) * _TABLE[1] + x % _TABLE[1], row & 255, first, last
