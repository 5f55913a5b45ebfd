"""Which fences are the same region twice, and which overlap by how much of the smaller one."""

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


@dataclass(slots=True)
class Overlaps:
    """`pairs` (n, 2) of fences of different groups, the likest first, with the `share` (n,) of the smaller that lies in the larger.

    `same` holds lists of fences that are one region; `left` fences lie so densely that not all of their neighbours were looked at.
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
        round_ = fences.round[which]
        _areas(search, tree, which[~round_])
        _circles(search, tree, which[round_])
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
        small, large = fences.reach_m[one], fences.reach_m[other]
        kept = (
            fences.round[other]
            & ((small < large) | ((small == large) & (one < other)))
            & (fences.group[one] != fences.group[other])
        )
        one, other = one[kept], other[kept]
        away, small, large = fences.away_m(one, other), small[kept], large[kept]
        share = circle_overlap(away, small, large)
        search.keep(
            one,
            other,
            share,
            share * (small / large) ** 2,
            (away <= SAME_M) & (large - small <= SAME_SHARE * large),
        )
    search.left += len(which) - done


def circle_overlap(away_m: Floats, small_m: Floats, large_m: Floats) -> Floats:
    """(n,) share of the smaller circle that lies in the larger one, on the plane."""
    share = np.where(away_m <= large_m - small_m, 1.0, 0.0)
    cut = (away_m > large_m - small_m) & (away_m < large_m + small_m)
    d, r, big = away_m[cut], small_m[cut], large_m[cut]
    near = np.arccos(np.clip((d * d + r * r - big * big) / (2 * d * r), -1, 1))
    far = np.arccos(np.clip((d * d + big * big - r * r) / (2 * d * big), -1, 1))
    lens = r * r * (near - np.sin(2 * near) / 2) + big * big * (far - np.sin(2 * far) / 2)
    share[cut] = lens / (np.pi * r * r)
    return share


def _areas(search: _Search, tree: Boxes, which: Ints) -> None:
    fences, done = search.fences, 0
    corners = np.bincount(fences.corner_of, minlength=len(fences.names))
    dense = local_density(fences, which, fences.reach_m[which] * 2)
    for chunk in by_density(which, dense, search.enough):
        box = boxes_of(fences, chunk)
        one, other = tree.met(shapely.box(*box.T), chunk)
        search.tested += len(one)
        done += len(chunk)
        kept = (fences.round[other] | (one < other)) & (fences.group[one] != fences.group[other])
        one, other = one[kept], other[kept]
        search.corners += int((corners[one] + corners[other]).sum())
        inner, smaller, larger = _intersected(fences, one, other)
        with np.errstate(invalid="ignore"):
            likeness = inner / larger
            search.keep(one, other, inner / smaller, likeness, likeness >= 1 - SAME_SHARE)
    search.left += len(which) - done


def _intersected(fences: Fences, one: Ints, other: Ints) -> tuple[Floats, Floats, Floats]:
    """(n,) each, in square degrees: what two share, the smaller and the larger of them."""
    shape, beside = fences.shape[one], _drawn(fences, other)
    inner = np.zeros(len(one))
    for turn in (-360.0, 0.0, 360.0):
        moved = (
            beside
            if turn == 0.0
            else shapely.transform(beside, lambda xy, by=turn: np.add(xy, [by, 0.0]))
        )
        met = shapely.intersects(shape, moved)
        inner[met] += shapely.area(shapely.intersection(shape[met], moved[met]))
    sizes = np.stack([shapely.area(shape), shapely.area(beside)])
    return inner, sizes.min(axis=0), sizes.max(axis=0)


def _drawn(fences: Fences, which: Ints) -> Shapes:
    """Areas as they are, circles as polygons of the same size."""
    found = fences.shape[which]
    round_ = np.nonzero(shapely.is_missing(found))[0]
    at = which[round_]
    angle = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    per_lat, per_lon = metres_per_degree(np.clip(fences.lat[at], -89.9, 89.9))
    out = fences.reach_m[at] / np.sqrt(_ROUND / (2 * np.pi) * np.sin(2 * np.pi / _ROUND))
    lon = fences.lon[at][:, None] + (out / per_lon)[:, None] * np.cos(angle)
    lat = fences.lat[at][:, None] + (out / per_lat)[:, None] * np.sin(angle)
    found[round_] = shapely.polygons(np.stack([lon, lat], axis=2))
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
    kept = order[np.sort(first)]
    return pairs[kept], share[kept]


def _families(fences: Fences, first: Ints, twins: Ints) -> list[list[int]]:
    """Fences of different groups that are one region, each family once however many rings its groups share."""
    root = first.copy()
    for one, other in twins.tolist():
        a, b = _root(root, one), _root(root, other)
        root[max(a, b)] = min(a, b)
    rooted = np.array([_root(root, at) for at in root.tolist()], dtype=np.int64)
    order = np.argsort(rooted, kind="stable")
    starts = np.nonzero(np.diff(rooted[order], prepend=-1))[0]
    found: dict[frozenset[int], list[int]] = {}
    for family in np.split(order, starts[1:]) if len(order) else []:
        if len(family) > 1:
            groups, at = np.unique(fences.group[family], return_index=True)
            if len(groups) > 1:
                found.setdefault(frozenset(groups.tolist()), family[np.sort(at)].tolist())
    return list(found.values())


def _root(root: Ints, at: int) -> int:
    while root[at] != at:
        root[at] = root[root[at]]
        at = int(root[at])
    return at
