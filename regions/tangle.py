"""How tangled the rings are, counted before anything that tangles make slow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.ellipsoid import Floats
from regions.region import RegionError

Ints = NDArray[np.int64]

CROSSINGS = 1_000  # proper ones; beyond it repair takes seconds and helps nobody
TOUCHES = 20_000  # edges that meet without crossing, as those of adjoining parts do
BOX_PAIRS = 2_000_000  # pairs of edges whose boxes overlap; a mapped border has a few per vertex
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Tangle:
    """Counts of meetings between edges that are not neighbours; `rings` that take part (from 0), each once."""

    crossings: int
    touches: int
    rings: tuple[int, ...]


def tangle(rings: list[Floats]) -> Tangle:
    """Count where the edges of closed rings meet; stops soon after a limit is passed.

    Raises `RegionError` `self_crossing` when more edges lie over each other than on any map.
    """
    edges = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    sizes = np.array([len(ring) - 1 for ring in rings])
    ring_of = np.repeat(np.arange(len(rings)), sizes)
    boxes = shapely.box(*edges.min(axis=1).T, *edges.max(axis=1).T)
    tree = shapely.STRtree(boxes)
    pairs, counts, involved = 0, np.zeros(2, dtype=np.int64), set[int]()
    for start in range(0, len(edges), _CHUNK):
        a, b = tree.query(boxes[start : start + _CHUNK])
        pairs += len(a) // 2
        if pairs > BOX_PAIRS:
            raise RegionError("self_crossing", f"more than {BOX_PAIRS:,} pairs of edges lie over each other")
        a, b = _strangers(a + start, b, ring_of, sizes)
        turn = _turn(edges[a], edges[b])
        met = turn <= 0
        counts += (turn < 0).sum(), (turn == 0).sum()
        involved.update(np.unique(ring_of[np.concatenate([a[met], b[met]])]).tolist())
        if counts[0] > CROSSINGS or counts[1] > TOUCHES:
            break
    return Tangle(int(counts[0]), int(counts[1]), tuple(sorted(involved)))


def _strangers(a: Ints, b: Ints, ring_of: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Each pair once, without edges that follow each other in their ring."""
    once = b > a
    a, b = a[once], b[once]
    apart = b - a
    neighbours = (ring_of[a] == ring_of[b]) & ((apart == 1) | (apart == sizes[ring_of[a]] - 1))
    return a[~neighbours], b[~neighbours]


def _turn(one: Floats, other: Floats) -> Ints:
    """-1 where segments (whose boxes overlap) cross, 0 where they touch, 1 where they are apart; signs of four triangles."""
    first = _side(one, other[:, 0]) * _side(one, other[:, 1])
    second = _side(other, one[:, 0]) * _side(other, one[:, 1])
    return np.maximum(first, second).astype(np.int64)


def _side(line: Floats, point: Floats) -> Floats:
    step, to = line[:, 1] - line[:, 0], point - line[:, 0]
    return np.sign(step[:, 0] * to[:, 1] - step[:, 1] * to[:, 0])
