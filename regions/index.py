"""Which regions may hold a ping, and exactly how far it is from their edges: built whole, patched, swapped.

An `Index` never changes under its readers. `patched` gives a new one that shares the large columns and adds a small
layer; layers are merged when the small one has grown to a share of the large one.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regions.cells import cell_one, cells_at, check_positions
from regions.columns import Columns, columns_of, merged
from regions.cover import covers_of
from regions.ellipsoid import Floats
from regions.region import Region
from regions.shapes import Shapes, Slots, borders_of

_SMALL_SHARE = 16  # the small layer is merged into the large one beyond a sixteenth of it, or
_SMALL_TAGS = 4_096  # beyond this many cells


@dataclass(frozen=True, slots=True)
class Candidates:
    """(m,) each: row of the ping, slot of the region, whether the cell lies wholly inside it. By ping, then slot; pairs once."""

    ping: NDArray[np.int64]
    slot: Slots
    inner: NDArray[np.bool_]


class Index:
    """Regions by slot. Slots of live regions never change; those of removed ones are never used again."""

    __slots__ = ("_alive", "_finest", "_layers", "_live", "_shapes")

    def __init__(self, shapes: Shapes, layers: tuple[Columns, ...], alive: NDArray[np.bool_]) -> None:
        self._shapes = shapes
        self._layers = layers
        self._alive = alive
        self._live = int(np.count_nonzero(alive))
        self._finest = max((column.resolution for columns in layers for column in columns), default=0)

    @classmethod
    def build(cls, regions: Sequence[Region]) -> Index:
        """An index in which slot i is `regions[i]`. Raises `RegionError` for a region whose cover is refused."""
        borders = borders_of(regions)
        columns = columns_of(covers_of(regions, borders), 0)
        return cls(Shapes().grown(regions, borders), (columns,), np.ones(len(regions), dtype=np.bool_))

    def patched(self, removed: Sequence[int], added: Sequence[Region]) -> tuple[Index, list[int]]:
        """A new index without the slots `removed` and with the regions `added`, and the slots these got.

        Removing a slot twice is no error; one that never was raises IndexError. One writer at a time.
        """
        first = self._shapes.count
        if any(not 0 <= slot < first for slot in removed):
            raise IndexError("no such slot")
        borders = borders_of(added)
        fresh = columns_of(covers_of(added, borders), first)
        shapes = self._shapes.grown(added, borders)
        alive = np.concatenate([self._alive, np.ones(len(added), dtype=np.bool_)])
        alive[np.asarray(removed, dtype=np.int64)] = False
        return Index(shapes, _layered(self._layers, fresh, alive), alive), list(range(first, shapes.count))

    def __len__(self) -> int:
        """Live regions."""
        return self._live

    def region(self, slot: int) -> Region:
        """The region in a slot, removed or not."""
        return self._shapes.region(slot)

    def candidates(self, lat: ArrayLike, lon: ArrayLike) -> Candidates:
        """Every live region that may hold each of (n,) positions, and maybe some that do not.

        Raises `RegionError` `invalid_position` for positions off the earth.
        """
        at_lat, at_lon = _flat(lat), _flat(lon)
        check_positions(at_lat, at_lon)
        if not self._live or not len(at_lat):
            return Candidates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_))
        cells = cells_at(at_lat, at_lon, self._finest)
        found = [column.found(cells) for columns in self._layers for column in columns]
        ping, tag = (np.concatenate(side) for side in zip(*found, strict=True))
        live = self._alive[tag >> 1]
        if not live.all():
            ping, tag = ping[live], tag[live]
        order = np.argsort(ping << 32 | tag)
        tag = tag[order].astype(np.int64)
        return Candidates(ping[order], tag >> 1, (tag & 1).astype(np.bool_))

    def candidates_one(self, lat: float, lon: float) -> list[tuple[int, bool]]:
        """`candidates` of one position: slots in order, each with whether its cell lies wholly inside."""
        cell = cell_one(lat, lon, self._finest)
        tags = [tag for columns in self._layers for column in columns for tag in column.found_one(cell)]
        return [(tag >> 1, bool(tag & 1)) for tag in sorted(tags) if self._alive[tag >> 1]]

    def edge_m(self, lat: ArrayLike, lon: ArrayLike, slot: ArrayLike) -> Floats:
        """(n,) exact signed distances in metres, at most 0 inside, from positions to the regions in slots."""
        return self._shapes.edge_m(_flat(lat), _flat(lon), np.atleast_1d(np.asarray(slot, dtype=np.int64)))

    def edge_m_one(self, lat: float, lon: float, slot: int) -> float:
        """`edge_m` of one pair."""
        return self._shapes.edge_m_one(lat, lon, slot)

    def inside(self, lat: ArrayLike, lon: ArrayLike, slot: ArrayLike) -> NDArray[np.bool_]:
        """(n,) whether each position is inside the region of its slot, the border included."""
        return self._shapes.inside(_flat(lat), _flat(lon), np.atleast_1d(np.asarray(slot, dtype=np.int64)))

    def inradius_m(self, slot: int) -> float:
        """Radius of a large circle that fits inside the region."""
        return self._shapes.inradius_m(slot)

    def radius_m(self, slot: int) -> float:
        """The circle's radius, or sqrt(area / pi)."""
        return self._shapes.radius_m(slot)

    def nearest(self, lat: float, lon: float, k: int) -> list[tuple[int, float]]:
        """The k live slots with the smallest signed edge distance, nearest first; lower slot first when equal."""
        check_positions(np.array([lat]), np.array([lon]))
        if k <= 0 or not self._live:
            return []
        floor = np.where(self._alive, self._shapes.floor_m(lat, lon), np.inf)
        best: list[tuple[float, int]] = []  # a heap of the k best, worst on top
        for slot in _ascending(floor, k):
            if len(best) == k and floor[slot] > -best[0][0]:
                break
            item = (-self._shapes.edge_m_one(lat, lon, slot), -slot)
            (heapq.heappush if len(best) < k else heapq.heappushpop)(best, item)
        return sorted(((-slot, -edge) for edge, slot in best), key=lambda found: (found[1], found[0]))

    def stats(self) -> dict[str, Any]:
        """`regions`, `cells` (pairs of cell and region), `bytes` and `resolutions` of the index."""
        columns = [column for layer in self._layers for column in layer]
        return {
            "regions": self._live,
            "cells": sum(len(column.tag) for column in columns),
            "bytes": sum(column.nbytes for column in columns) + self._shapes.nbytes + self._alive.nbytes,
            "resolutions": sorted({column.resolution for column in columns}),
        }


def _layered(layers: tuple[Columns, ...], fresh: Columns, alive: NDArray[np.bool_]) -> tuple[Columns, ...]:
    """A large layer and at most one small one."""
    large, *small = layers
    young = merged([*small, fresh], alive)
    size = sum(len(column.tag) for column in large)
    gone = len(alive) - int(np.count_nonzero(alive))
    if sum(len(column.tag) for column in young) > max(_SMALL_TAGS, size // _SMALL_SHARE) or gone > len(alive) // 2:
        return (merged([large, young], alive),)
    return (large, young) if young else (large,)


def _ascending(floor: Floats, k: int) -> Any:
    """Finite slots by lower bound, sorted a few at a time."""
    take = min(len(floor), 4 * k + 16)
    first = np.argpartition(floor, take - 1)[:take]
    rest = np.setdiff1d(np.arange(len(floor)), first, assume_unique=True)
    for part in (first, rest):
        for slot in part[np.argsort(floor[part], kind="stable")].tolist():
            if not np.isfinite(floor[slot]):
                return
            yield slot


def _flat(values: ArrayLike) -> Floats:
    return np.atleast_1d(np.asarray(values, dtype=np.float64))
