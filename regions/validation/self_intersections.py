"""Where rings cross and touch themselves and each other, counted before costly repairs start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats
from regions.region import RegionError

Ints = NDArray[np.int64]

CROSSINGS = 1_000  # proper ones; beyond it repair takes seconds and rarely helps
TOUCHES = 20_000  # edges that meet without crossing, as those of adjoining parts do
BOX_PAIRS = 2_000_000  # pairs of edges whose boxes overlap; a mapped border has a few per vertex
_CHUNK = 64
_NAMED = 50  # pairs of rings whose crossing is located


@dataclass(slots=True)
class Crossing:
    """Where two rings (or one with itself) cross first, in degrees, and how often."""

    lat: float
    lon: float
    times: int = 0


@dataclass(slots=True)
class SelfIntersections:
    """Counts of meetings between edges that are not neighbours.

    `crossed` has the pairs of rings that cross, counted from 0.
    """

    crossings: int = 0
    touches: int = 0
    crossed: dict[tuple[int, int], Crossing] = field(default_factory=dict)


def self_intersections(rings: list[Floats]) -> SelfIntersections:
    """Count where the edges of closed rings meet; stops soon after a limit is passed.

    Raises `RegionError` `self_crossing` when more edges lie over each other than on any map.
    """
    edges = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    sizes = np.array([len(ring) - 1 for ring in rings])
    ring_of = np.repeat(np.arange(len(rings)), sizes)
    found = SelfIntersections()
    for a, b in _close_pairs(edges):
        a, b = _not_neighbours(a, b, ring_of, sizes)
        turn = _turn(edges[a], edges[b])
        cross = turn < 0
        found.crossings += int(cross.sum())
        found.touches += int((turn == 0).sum())
        _located(found.crossed, edges, ring_of, a[cross], b[cross])
        if found.crossings > CROSSINGS or found.touches > TOUCHES:
            break
    return found


def _close_pairs(edges: Floats) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of edges whose boxes overlap, both ways round, some at a time.

    Raises `RegionError` `self_crossing` for more than `BOX_PAIRS`.
    """
    boxes = shapely.box(*edges.min(axis=1).T, *edges.max(axis=1).T)
    tree = shapely.STRtree(boxes)
    pairs = 0
    for start in range(0, len(edges), _CHUNK):
        a, b = tree.query(boxes[start : start + _CHUNK])
        pairs += len(a) // 2
        if pairs > BOX_PAIRS:
            detail = f"more than {BOX_PAIRS:,} pairs of edges lie over each other"
            raise RegionError("self_crossing", detail)
        yield a + start, b


def _located(
    crossed: dict[tuple[int, int], Crossing], edges: Floats, ring_of: Ints, a: Ints, b: Ints
) -> None:
    """Count the crossings of each pair of rings, and locate the first of them."""
    if not len(a):
        return
    both = np.sort(np.stack([ring_of[a], ring_of[b]], axis=1), axis=1)
    pairs, first, times = np.unique(both, axis=0, return_index=True, return_counts=True)
    for (one, other), nth, count in zip(
        pairs.tolist(), first.tolist(), times.tolist(), strict=True
    ):
        known = crossed.get((one, other))
        if known is None:
            if len(crossed) >= _NAMED:
                continue
            known = crossed[one, other] = Crossing(*_meeting(edges[a[nth]], edges[b[nth]]))
        known.times += count


def _meeting(one: Floats, other: Floats) -> tuple[float, float]:
    """Latitude and longitude where two edges cross."""
    step, beside = one[1] - one[0], other[1] - other[0]
    to = other[0] - one[0]
    share = (to[0] * beside[1] - to[1] * beside[0]) / (step[0] * beside[1] - step[1] * beside[0])
    x, y = (one[0] + share * step).tolist()
    return y, x


def _not_neighbours(a: Ints, b: Ints, ring_of: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Each pair once, without edges that follow each other in their ring."""
    once = b > a
    a, b = a[once], b[once]
    apart = b - a
    neighbours = (ring_of[a] == ring_of[b]) & ((apart == 1) | (apart == sizes[ring_of[a]] - 1))
    return a[~neighbours], b[~neighbours]


def _turn(one: Floats, other: Floats) -> Ints:
    """-1 where segments (whose boxes overlap) cross, 0 where they touch, 1 where they are apart.

    Signs of four triangles.
    """
    first = _side(one, other[:, 0]) * _side(one, other[:, 1])
    second = _side(other, one[:, 0]) * _side(other, one[:, 1])
    return np.maximum(first, second).astype(np.int64)


def _side(line: Floats, point: Floats) -> Floats:
    step, to = line[:, 1] - line[:, 0], point - line[:, 0]
    return np.sign(step[:, 0] * to[:, 1] - step[:, 1] * to[:, 0])
