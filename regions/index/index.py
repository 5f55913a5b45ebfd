"""Which regions may contain a ping, and exactly how far it is from their edges.

An `Index` never changes under its readers. `patched` gives a new one that shares the large columns
and adds a small layer; layers are merged as they grow, so that an edit costs a millisecond among a
million regions. Rows, raster bits and boxes of removed regions stay until `compacted`; `stats`
shows when `slots` have outgrown `regions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regions.geometry.ellipsoid import Floats
from regions.index import index_file
from regions.index.build import CoveredRegions, cover_circles, cover_regions
from regions.index.cell_table import CellTable, Layers, layered, layers_of, merged, renumbered
from regions.index.cells import Cells, cell_one, cells_at, check_position, check_positions
from regions.index.nearest import Tree, Trees, nearest, trees_of
from regions.index.raster import Raster
from regions.index.raster_rows import area_spans, circle_spans
from regions.index.shapes import Shapes, Slots
from regions.region import Region

Mask = NDArray[np.bool_]

_SLOT = 0x7FFF_FFFF  # the lower half of a key, whose upper half is the row of the ping


@dataclass(frozen=True, slots=True)
class Candidates:
    """(m,) each: row of the ping and slot of the region, by ping, then slot; each pair once."""

    ping: NDArray[np.int64]
    slot: Slots


class Index:
    """Regions by slot.

    Slots of live regions never change; those of removed ones are never used again.
    """

    __slots__ = ("_alive", "_finest", "_layers", "_live", "_raster", "_shapes", "_trees")

    def __init__(
        self, shapes: Shapes, layers: Layers, raster: Raster, trees: Trees, alive: Mask
    ) -> None:
        self._shapes = shapes
        self._layers = layers
        self._raster = raster
        self._trees = trees
        self._alive = alive
        self._live = int(np.count_nonzero(alive))
        self._finest = max((layer.resolutions[-1] for layer in layers), default=0)

    @classmethod
    def build(cls, regions: Sequence[Region]) -> Index:
        """An index in which slot i is `regions[i]`.

        Raises `RegionError` for a region whose cover is refused.
        """
        none = Index(*_nothing())
        return none._with(cover_regions(regions), [])

    @classmethod
    def circles(cls, lat: ArrayLike, lon: ArrayLike, radius_m: ArrayLike) -> Index:
        """`build` for circles from (n,) degrees and metres, without an object for each.

        Raises `RegionError` for positions off the earth and radii that are not above 0 or far
        beyond any limit.
        """
        at_lat, at_lon = _flat(lat), _flat(lon)
        none = Index(*_nothing())
        radii = np.broadcast_to(_flat(radius_m), at_lat.shape)
        return none._with(cover_circles(at_lat, at_lon, radii), [])

    def patched(self, removed: Sequence[int], added: Sequence[Region]) -> tuple[Index, list[int]]:
        """A new index without the slots `removed` and with the regions `added`, and their slots.

        Removing a slot twice is no error; one that was never given raises IndexError. One writer at
        a time.
        """
        if any(not 0 <= slot < self.slots for slot in removed):
            raise IndexError("no such slot")
        index = self._with(cover_regions(added), removed)
        return index, list(range(self.slots, index.slots))

    def _with(self, more: CoveredRegions, removed: Sequence[int]) -> Index:
        fresh = layers_of(more.pairs, self.slots)
        alive = np.ones(self.slots + len(more.lat), dtype=np.bool_)
        alive[: self.slots] = self._alive
        alive[np.asarray(removed, dtype=np.int64)] = False
        shapes = self._shapes.grown(more.lat, more.lon, more.radius_m, more.areas)
        raster = _painted(self._raster, more.lat, more.lon, more.radius_m, more.areas)
        return Index(
            shapes,
            layered(self._layers, fresh, alive),
            raster,
            trees_of(self._trees, shapes),
            alive,
        )

    def compacted(self) -> tuple[Index, NDArray[np.int64]]:
        """An index of the live regions alone, and the old slot of each new one.

        Slots count from 0 in the old order. No cover is computed again; cells, raster bits and rows
        of removed regions are gone.
        """
        old = np.nonzero(self._alive)[0]
        layers = renumbered(merged(self._layers, self._alive), self._alive)
        shapes = self._shapes.selected(old)
        lat, lon, radius_m = shapes.balls.T
        raster = _painted(Raster(), lat, lon, radius_m, shapes.areas)
        return Index(
            shapes, layers, raster, trees_of((), shapes), np.ones(len(old), dtype=np.bool_)
        ), old

    def save(self, path: Path, mark: bytes) -> None:
        """Write the index to a file that appears whole or not at all.

        `mark` says what it was built from. Raises OSError.
        """
        raster = self._raster.arrays()
        arrays = {
            "alive": self._alive,
            "balls": self._shapes.balls,
            "raster_table": raster[0],
            "raster_pool": raster[1],
        }
        for nth, layer in enumerate(self._layers):
            arrays |= {f"cell{nth}": layer.cell, f"slot{nth}": layer.slot}
        for nth, tree in enumerate(self._trees):
            arrays |= {f"order{nth}": tree.order}
        index_file.save(path, mark, arrays | index_file.packed_areas(self._shapes.areas))

    @classmethod
    def load(cls, path: Path, mark: bytes) -> Index | None:
        """The index in a file.

        None when it is absent, damaged, of another version of its format or of h3, or of another
        mark.
        """
        arrays = index_file.load(path, mark)
        if arrays is None:
            return None
        lat, lon, radius_m = arrays["balls"].T
        shapes = Shapes().grown(lat, lon, radius_m, index_file.unpacked_areas(arrays))
        layers = tuple(CellTable(*pair) for pair in index_file.numbered(arrays, "cell", "slot"))
        trees: list[Tree] = []
        for (order,) in index_file.numbered(arrays, "order"):
            trees.append(Tree(shapes, trees[-1].end if trees else 0, order))
        return cls(
            shapes,
            layers,
            Raster(arrays["raster_table"], arrays["raster_pool"]),
            tuple(trees),
            arrays["alive"],
        )

    def __len__(self) -> int:
        """Live regions."""
        return self._live

    @property
    def slots(self) -> int:
        """Slots given so far, to live regions and to removed ones."""
        return self._shapes.count

    def region(self, slot: int) -> Region:
        """The region in a slot, removed or not."""
        return self._shapes.region(slot)

    def near_any(self, lat: ArrayLike, lon: ArrayLike) -> Mask:
        """(n,) False only where no live region can contain the position.

        It may stay True where regions were removed. Takes some twenty nanoseconds a position.
        Raises `RegionError` `invalid_position` for positions off the earth.
        """
        at_lat, at_lon = _flat(lat), _flat(lon)
        check_positions(at_lat, at_lon)
        return self._raster.near_any(at_lat, at_lon)

    def candidates(self, lat: ArrayLike, lon: ArrayLike) -> Candidates:
        """Every live region that may contain each of (n,) positions.

        Some do not: which ones depends on what else is, or was, near, and only `edge_m` decides.
        Positions far from every region cost a look into the raster and no H3. Raises `RegionError`
        `invalid_position` for positions off the earth.
        """
        at_lat, at_lon = _flat(lat), _flat(lon)
        check_positions(at_lat, at_lon)
        row = np.nonzero(self._raster.near_any(at_lat, at_lon))[0]
        if not len(row) or not self._layers:
            return Candidates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        key = self._live_pairs(cells_at(at_lat[row], at_lon[row], self._finest))
        if (key[1:] <= key[:-1]).any():  # one layer of one resolution mostly answers in order
            key = np.sort(key)
        return Candidates(row.take(key >> 32), key & _SLOT)

    def _live_pairs(self, cells: Cells) -> NDArray[np.int64]:
        """Row of a cell (upper half) and live slot that has it (lower half), unsorted."""
        found = [layer.found(cells) for layer in self._layers]
        at, slot = (np.concatenate(side) for side in zip(*found, strict=True))
        live = self._alive[slot]
        if not live.all():
            at, slot = at[live], slot[live]
        return np.asarray(at << 32 | slot, dtype=np.int64)

    def candidates_one(self, lat: float, lon: float) -> list[int]:
        """`candidates` of one position: slots in order."""
        check_position(lat, lon)
        if not self._raster.near_one(lat, lon):
            return []
        cell = cell_one(lat, lon, self._finest)
        slots = [slot for layer in self._layers for slot in layer.found_one(cell)]
        return [slot for slot in sorted(slots) if self._alive[slot]]

    def edge_m(self, lat: ArrayLike, lon: ArrayLike, slot: ArrayLike) -> Floats:
        """(n,) exact signed distances in metres from positions to the regions in slots.

        At most 0 inside.
        """
        return self._shapes.edge_m(
            _flat(lat), _flat(lon), np.atleast_1d(np.asarray(slot, dtype=np.int64))
        )

    def edge_m_one(self, lat: float, lon: float, slot: int) -> float:
        """`edge_m` of one pair."""
        return self._shapes.edge_m_one(lat, lon, slot)

    def inside(self, lat: ArrayLike, lon: ArrayLike, slot: ArrayLike) -> Mask:
        """(n,) whether each position is inside the region of its slot, the border included."""
        return self._shapes.inside(
            _flat(lat), _flat(lon), np.atleast_1d(np.asarray(slot, dtype=np.int64))
        )

    def inradius_m(self, slot: int) -> float:
        """Radius of a large circle that fits inside the region."""
        return self._shapes.inradius_m(slot)

    def radius_m(self, slot: int) -> float:
        """The circle's radius, or sqrt(area / pi)."""
        return self._shapes.radius_m(slot)

    def nearest(self, lat: float, lon: float, k: int) -> list[tuple[int, float]]:
        """The k live slots with the smallest signed edge distance, nearest first.

        Lower slot first when equal.

        Raises `RegionError` `invalid_position` for a position off the earth.
        """
        check_position(lat, lon)
        if k <= 0 or not self._live:
            return []
        return nearest(self._trees, self._shapes, self._alive, (lat, lon), k)

    def stats(self) -> dict[str, Any]:
        """`regions`, `slots`, `cells` (pairs with a region), `layers`, `bytes` and `resolutions`.

        The bytes leave out shapes of areas and their borders, which are held from their first use.
        """
        parts: list[Any] = [*self._layers, *self._trees, self._shapes, self._raster, self._alive]
        return {
            "regions": self._live,
            "slots": self.slots,
            "cells": sum(map(len, self._layers)),
            "layers": len(self._layers),
            "bytes": sum(part.nbytes for part in parts),
            "resolutions": sorted(
                {resolution for layer in self._layers for resolution in layer.resolutions}
            ),
        }


def _nothing() -> tuple[Shapes, Layers, Raster, Trees, Mask]:
    return Shapes(), (), Raster(), (), np.empty(0, dtype=np.bool_)


def _painted(
    raster: Raster, lat: Floats, lon: Floats, radius_m: Floats, areas: dict[int, Any]
) -> Raster:
    circles = np.ones(len(lat), dtype=np.bool_)
    circles[list(areas)] = False
    raster = raster.painted(circle_spans(lat[circles], lon[circles], radius_m[circles]))
    return raster.painted(area_spans([area.shape for area in areas.values()])) if areas else raster


def _flat(values: ArrayLike) -> Floats:
    return np.atleast_1d(np.asarray(values, dtype=np.float64))
