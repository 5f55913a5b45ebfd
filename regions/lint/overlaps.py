"""Fences that are the same region twice, and the share of the smaller one in which two overlap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats, metres_per_degree
from regions.lint.proximity import (
    Boxes,
    Fences,
    Ints,
    Shapes,
    boxes_of,
    by_density,
    canonical_duplicates,
    local_density,
)

SAME_M = 1.0
SAME_SHARE = 0.01
PAIRS = 2_000_000  # pairs looked at
_CORNERS = 4_000_000  # corners of areas intersected
_ROUND = 64  # corners that stand for a circle against an area
_ANGLES = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
_UNIT_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


@dataclass(slots=True)
class Overlaps:
    """`pairs` (n, 2) of fences of different groups, the likest first.

    `share` (n,) is the part of the smaller that lies in the larger. `same` has lists of fences that
    are one region. `left` fences lie so densely that not all of their neighbours were compared.
    """

    pairs: Ints
    share: Floats
    same: list[list[int]]
    left: int = 0


@dataclass(slots=True)
class _Search:
    fences: Fences
    least: float
    tested: int = 0
    corners: int = 0
    left: int = 0
    pairs: list[Ints] = field(default_factory=list)
    share: list[Floats] = field(default_factory=list)
    likeness: list[Floats] = field(default_factory=list)
    twins: list[Ints] = field(default_factory=list)

    def enough(self) -> bool:
        return self.tested >= PAIRS or self.corners >= _CORNERS

    def keep(
        self, one: Ints, other: Ints, share: Floats, likeness: Floats, same: NDArray[np.bool_]
    ) -> None:
        strong = share >= self.least
        self.pairs.append(np.stack([one[strong], other[strong]], axis=1))
        self.share.append(share[strong])
        self.likeness.append(likeness[strong])
        self.twins.append(np.stack([one[same], other[same]], axis=1))


def overlaps(fences: Fences, least_share: float) -> Overlaps:
    """Compare every fence with its neighbours, lonely places first.

    What is surely the same is compared once.
    """
    first = canonical_duplicates(fences)
    which = np.unique(first)
    search = _Search(fences, least_share)
    if len(which):
        tree = Boxes(fences, which)
        is_circle = fences.round[which]
        _areas(search, tree, which[~is_circle])
        _circles(search, tree, which[is_circle])
    pairs, share = _each_once(search)
    return Overlaps(
        pairs,
        share,
        _families(fences, first, np.concatenate([*search.twins, np.empty((0, 2), np.int64)])),
        search.left,
    )


def _circles(search: _Search, tree: Boxes, which: Ints) -> None:
    """The smaller of two circles that overlap by half has its middle in the larger one."""
    fences = search.fences
    dense, done = local_density(fences, which, fences.reach_m[which] * 2), 0
    for chunk in by_density(which, dense, search.enough):
        one, other = tree.met(shapely.points(fences.lon[chunk], fences.lat[chunk]), chunk)
        search.tested += len(one)
        done += len(chunk)
        one, other = _smaller_first(fences, one, other)
        apart_m = fences.distance_m(one, other)
        small, large = fences.reach_m[one], fences.reach_m[other]
        share = circle_overlap(apart_m, small, large)
        same = (apart_m <= SAME_M) & (large - small <= SAME_SHARE * large)
        search.keep(one, other, share, share * (small / large) ** 2, same)
    search.left += len(which) - done


def _smaller_first(fences: Fences, one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """The pairs of circles of different groups whose first one is smaller; each pair once."""
    small, large = fences.reach_m[one], fences.reach_m[other]
    ordered = (small < large) | ((small == large) & (one < other))
    wanted = fences.round[other] & ordered & (fences.group[one] != fences.group[other])
    return one[wanted], other[wanted]


def circle_overlap(apart_m: Floats, small_m: Floats, large_m: Floats) -> Floats:
    """(n,) share of the smaller circle that lies in the larger one, on the plane."""
    share = np.where(apart_m <= large_m - small_m, 1.0, 0.0)
    cut = (apart_m > large_m - small_m) & (apart_m < large_m + small_m)
    d, r, big = apart_m[cut], small_m[cut], large_m[cut]
    share[cut] = (_segment_m2(d, r, big) + _segment_m2(d, big, r)) / (np.pi * r * r)
    return share


def _segment_m2(apart_m: Floats, radius_m: Floats, other_m: Floats) -> Floats:
    """(n,) area of a circle beyond the chord that it shares with another one."""
    cosine = (apart_m**2 + radius_m**2 - other_m**2) / (2 * apart_m * radius_m)
    half = np.arccos(np.clip(cosine, -1, 1))
    return np.asarray(radius_m**2 * (half - np.sin(2 * half) / 2), dtype=np.float64)


def _areas(search: _Search, tree: Boxes, which: Ints) -> None:
    fences, done = search.fences, 0
    corners = np.bincount(fences.corner_of, minlength=len(fences.names))
    dense = local_density(fences, which, fences.reach_m[which] * 2)
    for chunk in by_density(which, dense, search.enough):
        box = boxes_of(fences, chunk)
        one, other = tree.met(shapely.box(*box.T), chunk)
        search.tested += len(one)
        done += len(chunk)
        wanted = (fences.round[other] | (one < other)) & (fences.group[one] != fences.group[other])
        one, other = one[wanted], other[wanted]
        search.corners += int((corners[one] + corners[other]).sum())
        _measure(search, one, other)
    search.left += len(which) - done


def _measure(search: _Search, one: Ints, other: Ints) -> None:
    shared, smaller, larger = _intersected(search.fences, one, other)
    with np.errstate(invalid="ignore"):
        likeness = shared / larger
        search.keep(one, other, shared / smaller, likeness, likeness >= 1 - SAME_SHARE)


def _intersected(fences: Fences, one: Ints, other: Ints) -> tuple[Floats, Floats, Floats]:
    """(n,) each, in square degrees: what two share, the smaller and the larger of them."""
    shape, beside = fences.shape[one], _drawn(fences, other)
    shared = np.zeros(len(one))
    for turn in (-360.0, 0.0, 360.0):
        moved = (
            beside
            if turn == 0.0
            else shapely.transform(beside, lambda xy, by=turn: np.add(xy, [by, 0.0]))
        )
        met = shapely.intersects(shape, moved)
        shared[met] += shapely.area(shapely.intersection(shape[met], moved[met]))
    sizes = np.stack([shapely.area(shape), shapely.area(beside)])
    return shared, sizes.min(axis=0), sizes.max(axis=0)


def _drawn(fences: Fences, which: Ints) -> Shapes:
    """Areas as they are, circles as polygons of the same size."""
    found = fences.shape[which]
    circles = np.nonzero(shapely.is_missing(found))[0]
    at = which[circles]
    middle = np.stack([fences.lon[at], fences.lat[at]], axis=1)
    per_lat, per_lon = metres_per_degree(np.clip(fences.lat[at], -89.9, 89.9))
    out_m = fences.reach_m[at] / np.sqrt(_ROUND / (2 * np.pi) * np.sin(2 * np.pi / _ROUND))
    out = np.stack([out_m / per_lon, out_m / per_lat], axis=1)
    found[circles] = shapely.polygons(middle[:, None] + out[:, None] * _UNIT_CIRCLE)
    return found


def _each_once(search: _Search) -> tuple[Ints, Floats]:
    """The likest pair of every two groups, likest first."""
    pairs = np.concatenate([*search.pairs, np.empty((0, 2), np.int64)])
    share, likeness = (
        np.concatenate([*side, np.empty(0)]) for side in (search.share, search.likeness)
    )
    order = np.argsort(-likeness, kind="stable")
    groups = np.sort(search.fences.group[pairs[order]], axis=1)
    _, first = np.unique(groups[:, 0] << 32 | groups[:, 1], return_index=True)
    likest = order[np.sort(first)]
    return pairs[likest], share[likest]


def _families(fences: Fences, first: Ints, twins: Ints) -> list[list[int]]:
    """Fences of different groups that are one region, each family once.

    Groups may share any number of rings.
    """
    rooted = _rooted(first, twins)
    order = np.argsort(rooted, kind="stable")
    starts = np.nonzero(np.diff(rooted[order], prepend=-1))[0]
    found: dict[frozenset[int], list[int]] = {}
    for family in np.split(order, starts[1:]) if len(order) else []:
        if len(family) > 1:
            groups, at = np.unique(fences.group[family], return_index=True)
            if len(groups) > 1:
                found.setdefault(frozenset(groups.tolist()), family[np.sort(at)].tolist())
    return list(found.values())


def _rooted(first: Ints, twins: Ints) -> Ints:
    """(n,) the first fence of each fence's family, by union-find over the `twins` (m, 2)."""
    root = first.copy()
    for one, other in twins.tolist():
        a, b = _root(root, one), _root(root, other)
        root[max(a, b)] = min(a, b)
    return np.array([_root(root, at) for at in root.tolist()], dtype=np.int64)


def _root(root: Ints, at: int) -> int:
    while root[at] != at:
        root[at] = root[root[at]]
        at = int(root[at])
    return at
