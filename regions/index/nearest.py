"""The nearest regions: boxes around boxes around their centres in space, packed along a curve.

Regions are sorted by the size of their ball (powers of four apart) and then along a Morton curve
through space; 64 that follow each other share a box, and 64 boxes a larger one. A box bounds the
distance of everything in it from below. Poles and the 180th meridian are places like any other in
space, and a cluster of any density is only more boxes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats, in_space_one
from regions.index.shapes import Shapes, Slots, floor_m, lengths

Mask = NDArray[np.bool_]
Found = list[tuple[int, float]]

_FAN = 64
_TAIL = 1_024  # regions behind the last tree that are measured one by one
_GROWTH = 8
_BITS = 20  # of an axis in the curve
_EXTENT_M = 6_400_000.0


class Tree:
    """Boxes over the slots `first` to `first + len(order)`; `order` counts from `first`.

    Immutable.
    """

    __slots__ = ("_blocks", "_leaves", "first", "order")

    def __init__(self, shapes: Shapes, first: int, order: NDArray[np.int32]) -> None:
        self.first, self.order = first, order
        centres = shapes.centres[first : first + len(order)]
        radius = shapes.balls[first : first + len(order), 2]
        points = centres[order]
        self._leaves = _boxed(points, points, radius[order])
        self._blocks = _boxed(*self._leaves)

    @property
    def end(self) -> int:
        """The slot behind the last."""
        return self.first + len(self.order)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.order.nbytes + sum(
            each.nbytes for level in (self._leaves, self._blocks) for each in level
        )

    def floor_m(self, at: Floats) -> Floats:
        """Lower bounds of the distances of the largest boxes from a point in space."""
        return _box_floor_m(self._blocks, at, None)

    def within(self, at: Floats, floor_m: Floats, limit_m: float) -> Slots:
        """All slots that may lie within a distance of a point in space, and some that do not."""
        leaf = self._children(np.nonzero(floor_m <= limit_m)[0], len(self._leaves[2]))
        leaf = leaf[_box_floor_m(self._leaves, at, leaf) <= limit_m]
        return self._slots(leaf)

    def likely(self, at: Floats, floor_m: Floats, alive: Mask, count: int) -> Slots:
        """At least `count` live slots, or all, that are likely to be near a point in space."""
        blocks, leaves = 2, 4 + count // 8
        while True:
            leaf = self._children(_least(floor_m, blocks), len(self._leaves[2]))
            leaf = leaf[_least(_box_floor_m(self._leaves, at, leaf), leaves)]
            slot = self._slots(leaf)
            slot = slot[alive[slot]]
            if len(slot) >= count or leaves >= len(self._leaves[2]):
                return slot
            blocks, leaves = blocks * 4, leaves * 4

    def _slots(self, leaf: Slots) -> Slots:
        return np.asarray(
            self.order.take(self._children(leaf, len(self.order))) + np.int64(self.first),
            dtype=np.int64,
        )

    @staticmethod
    def _children(parent: Slots, end: int) -> Slots:
        found = ((parent * _FAN)[:, None] + np.arange(_FAN)).ravel()
        return found[found < end] if len(found) and found[-1] >= end else found


Trees = tuple[Tree, ...]


def tree_of(shapes: Shapes, first: int, end: int) -> Tree:
    """A tree over some consecutive slots, at least one."""
    part = slice(first, end)
    place = ((shapes.centres[part] + _EXTENT_M) * ((1 << _BITS) / (2 * _EXTENT_M))).astype(
        np.uint64
    )
    x, y, z = (_spread(axis) for axis in place.T)
    size = np.clip(np.log2(np.maximum(shapes.balls[part, 2], 1.0)) / 2, 0, 15).astype(np.uint64)
    code = size << np.uint64(3 * _BITS) | x << np.uint64(2) | y << np.uint64(1) | z
    return Tree(shapes, first, np.argsort(code).astype(np.int32))


def trees_of(trees: Trees, shapes: Shapes) -> Trees:
    """The trees of an index that has grown.

    Slots behind the last get one when they are many, merged with those not clearly larger.
    """
    first = trees[-1].end if trees else 0
    if shapes.count - first < _TAIL:
        return trees
    older = list(trees)
    while older and len(older[-1].order) <= _GROWTH * (shapes.count - first):
        first = older.pop().first
    return (*older, tree_of(shapes, first, shapes.count))


def nearest(
    trees: Trees, shapes: Shapes, alive: Mask, position: tuple[float, float], k: int
) -> Found:
    """The k live slots with the smallest signed edge distance, nearest first.

    Lower slot first when equal.
    """
    at = np.array(in_space_one(*position))
    floors_m = [tree.floor_m(at) for tree in trees]
    tail = np.arange(trees[-1].end if trees else 0, shapes.count)
    tail = tail[alive[tail]]
    likely = np.concatenate(
        [
            *(
                tree.likely(at, floor, alive, k)
                for tree, floor in zip(trees, floors_m, strict=True)
            ),
            tail,
        ]
    )
    limit_m = (
        np.partition(shapes.ceiling_m(at, likely), k - 1)[k - 1] if len(likely) >= k else np.inf
    )
    slots = np.concatenate(
        [
            *(tree.within(at, floor, limit_m) for tree, floor in zip(trees, floors_m, strict=True)),
            tail,
        ]
    )
    return _best(shapes, position, at, slots[alive[slots]], k)


def _best(shapes: Shapes, position: tuple[float, float], at: Floats, slots: Slots, k: int) -> Found:
    """The k best of some slots, each measured only while it can still be among them."""
    floor = shapes.floor_m(at, slots)
    heap: list[tuple[float, int]] = []  # worst on top
    for nth in _ascending(floor, k):
        if len(heap) == k and floor[nth] > -heap[0][0]:
            break
        slot = int(slots[nth])
        item = (-shapes.edge_m_one(*position, slot), -slot)
        (heapq.heappush if len(heap) < k else heapq.heappushpop)(heap, item)
    return sorted(((-slot, -edge) for edge, slot in heap), key=lambda found: (found[1], found[0]))


def _ascending(floor: Floats, k: int) -> Iterator[int]:
    """Rows by lower bound, sorted in portions that double."""
    left, take = np.arange(len(floor)), 2 * k + 32
    while len(left):
        part = np.argpartition(floor[left], take - 1) if take < len(left) else np.arange(len(left))
        now, left = left[part[:take]], left[part[take:]]
        yield from now[np.argsort(floor[now], kind="stable")].tolist()
        take *= 2


def _least(values: Floats, count: int) -> Slots:
    """Rows of the smallest, in order of their rows."""
    return (
        np.sort(np.argpartition(values, count - 1)[:count])
        if count < len(values)
        else np.arange(len(values))
    )


def _boxed(low: Floats, high: Floats, radius_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Boxes (n, 3), (n, 3) around each 64 boxes, and the largest radius in each."""
    starts = np.arange(0, len(low), _FAN)
    return (
        np.minimum.reduceat(low, starts),
        np.maximum.reduceat(high, starts),
        np.maximum.reduceat(radius_m, starts),
    )


def _box_floor_m(boxes: tuple[Floats, Floats, Floats], at: Floats, rows: Slots | None) -> Floats:
    low, high, radius = boxes if rows is None else (each.take(rows, axis=0) for each in boxes)
    gap = np.maximum(np.maximum(low - at, at - high), 0.0)
    return floor_m(lengths(gap)) - radius


def _spread(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits of 21-bit numbers two apart."""
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        values = (values | values << np.uint64(shift)) & np.uint64(mask)
    return values
