"""What a retailer should know about a map before phones use it. Nothing here is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats, metres_per_degree
from regions.lint.inradius import inradii_m
from regions.lint.misplaced import Misplaced, at_sea, misplaced
from regions.lint.overlaps import PAIRS, Overlaps, overlaps
from regions.lint.proximity import Boxes, Fences, Ints, fences_of, local_density
from regions.region import Region

LOST_M = 50.0  # GPS in towns is off by 20 to 50 m
ADVISED_M = 100.0  # Android's guide to geofencing asks for 100 to 150 m
OVERLAP_PERCENT = 50  # of the smaller fence
NESTED = 0.1  # below this share of the larger one a fence inside it is a part of it, not a rival
REACH_M = 1_000.0
WATCH = 19  # iOS watches 20 regions for an app, and one is the hint's own
DECIMALS = 2
LISTED = 1_000  # findings listed one by one, per code
CODES = (
    "too_small",
    "low_precision",
    "null_island",
    "in_the_sea",
    "swapped",
    "flipped",
    "duplicate",
    "overlap",
    "crowded",
)
_NAMED = 20

Severity = Literal["warning", "note"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Finding:
    """A stable `code`, the `names` of the fences it is about, and a sentence without any position.

    `value` and `limit` are the numbers of `detail`: metres, a share of 1, or a number of fences. A
    finding without names is about the map, or stands for `more` findings of its code that are not
    listed one by one.
    """

    code: str
    severity: Severity
    names: tuple[str, ...]
    detail: str
    value: float | None = None
    limit: float | None = None
    more: int = 0

    @property
    def stands_for(self) -> int:
        """How many findings this is."""
        return self.more or 1


def lint(
    regions: Sequence[tuple[str, Region]],
    *,
    reach_m: float = REACH_M,
    watch: int = WATCH,
    listed: int = LISTED,
    about: Callable[[str], bool] | None = None,
) -> list[Finding]:
    """Everything questionable about named regions, by code (one of `CODES`).

    At most `listed` findings of each code, then one with the number of the others. A name
    `<store>/<ring>` makes the ring a part of its store: parts of one store are not compared with
    each other. `about` limits the findings to those that name a region for which it is true; all
    regions are compared. 100,000 circles take about 2 s; a very dense map is compared as far as
    that allows, and the finding says so.
    """
    fences = fences_of(regions)
    if not len(fences.names):
        return []
    found: list[Finding] = []
    compared = overlaps(fences, OVERLAP_PERCENT / 100)
    nowhere = at_sea(fences)
    for findings in (
        _too_small(fences),
        _low_precision(fences),
        _null_island(fences, nowhere.null_island),
        _in_the_sea(fences, nowhere.sea),
        _misplaced(fences, misplaced(fences, nowhere)),
        _duplicates(fences, compared),
        _overlaps(fences, compared),
        _crowded(fences, reach_m, watch),
    ):
        found += bounded(findings if about is None else _about(findings, about), listed)
    return found


def _about(findings: Iterator[Finding], wanted: Callable[[str], bool]) -> Iterator[Finding]:
    return (finding for finding in findings if not finding.names or any(map(wanted, finding.names)))


def bounded(findings: Iterable[Finding], listed: int = LISTED) -> list[Finding]:
    """The first `listed` of each code; the others are counted, in one finding for each code."""
    first: list[Finding] = []
    counts: dict[str, int] = {}
    worst: dict[str, Severity] = {}
    for finding in findings:
        if not finding.names:
            first.append(finding)
            continue
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= listed:
            first.append(finding)
        elif worst.get(finding.code) != "warning":
            worst[finding.code] = finding.severity
    for code, severity in worst.items():
        more = counts[code] - listed
        detail = f"and {more:,} more like these; {listed:,} are listed one by one"
        first.append(Finding(code, severity, (), detail, float(more), float(listed), more))
    return first


def _too_small(fences: Fences) -> Iterator[Finding]:
    inradius = inradii_m(fences, ADVISED_M)
    for nth in np.argsort(inradius, kind="stable").tolist():
        value = float(inradius[nth])
        if value >= ADVISED_M:
            return
        what = (
            "the radius is"
            if fences.shape[nth] is None
            else "the largest circle that fits inside has a radius of"
        )
        size = f"{value:.0f} m" if value >= 1 else "less than 1 m"
        if value < LOST_M:
            detail = (
                f"{what} {size}; phones in towns are 20 to 50 m off, "
                f"so entries are missed below {LOST_M:.0f} m"
            )
            yield Finding("too_small", "warning", (fences.names[nth],), detail, value, LOST_M)
        else:
            detail = (
                f"{what} {size}; phones tell entries reliably from {ADVISED_M:.0f} m on, "
                "better 150 m"
            )
            yield Finding("too_small", "note", (fences.names[nth],), detail, value, ADVISED_M)


def _low_precision(fences: Fences) -> Iterator[Finding]:
    """The true middle may be half a unit of the last decimal away, both ways."""
    per_lat, per_lon = metres_per_degree(fences.lat)
    off = np.hypot(per_lat, per_lon) * 0.5 / 10.0**DECIMALS
    home = (np.abs(fences.lat) < 0.01) & (np.abs(fences.lon) < 0.01)
    rough = _has_few_decimals(fences.lat) & _has_few_decimals(fences.lon) & ~home
    for nth, names in _by_group(
        fences, np.nonzero(rough & fences.round & (fences.reach_m < off))[0]
    ):
        radius, wrong = float(fences.reach_m[nth]), float(off[nth])
        detail = (
            f"the middle has {DECIMALS} decimals or fewer, so the true one may be {wrong:,.0f} m "
            f"away; the radius is only {radius:,.0f} m"
        )
        yield Finding("low_precision", "warning", names, detail, wrong, radius)


def _has_few_decimals(degrees: Floats) -> Mask:
    scaled = degrees * 10.0**DECIMALS
    return np.asarray(np.abs(scaled - np.rint(scaled)) < 1e-7, dtype=np.bool_)


def _by_group(fences: Fences, which: Ints) -> Iterator[tuple[int, tuple[str, ...]]]:
    """For each group among the fences its smallest one, and the names of all of them.

    A store's position is reported once.
    """
    if not len(which):
        return
    order = which[np.argsort(fences.reach_m[which], kind="stable")]
    order = order[np.argsort(fences.group[order], kind="stable")]
    starts = np.nonzero(np.diff(fences.group[order], prepend=-1))[0]
    for same in np.split(order, starts[1:]):
        yield int(same[0]), tuple(fences.names[nth] for nth in same[:_NAMED].tolist())


def _null_island(fences: Fences, which: Ints) -> Iterator[Finding]:
    detail = (
        "the fence lies where latitude and longitude are both 0, in the Gulf of Guinea; "
        "the position was probably missing"
    )
    for _, names in _by_group(fences, which):
        yield Finding("null_island", "warning", names, detail)


def _in_the_sea(fences: Fences, which: Ints) -> Iterator[Finding]:
    detail = "the fence lies in the open sea, beyond every country's waters; no shopper comes there"
    for _, names in _by_group(fences, which):
        yield Finding("in_the_sea", "warning", names, detail)


def _misplaced(fences: Fences, found: list[Misplaced]) -> Iterator[Finding]:
    words = {
        "swapped": "with latitude and longitude swapped",
        "flipped": "with the sign of its latitude or longitude turned",
    }
    at = {one.fence: one for one in found}
    for nth, names in _by_group(fences, np.array(list(at), dtype=np.int64)):
        one = at[nth]
        detail = (
            f"the fence lies far from all the others, but {words[one.code]} it would lie among "
            f"{one.others:,} of them"
        )
        yield Finding(one.code, "warning", names, detail, float(one.others), None)


def _duplicates(fences: Fences, compared: Overlaps) -> Iterator[Finding]:
    for family in sorted(compared.same, key=lambda family: (-len(family), family)):
        names = tuple(fences.names[nth] for nth in family[:_NAMED])
        what = (
            "have the same middle within 1 m and the same radius"
            if fences.shape[family[0]] is None
            else "have the same area"
        )
        detail = (
            f"{_listed(names[:3], len(family))} {what} within 1 %; "
            f"a phone there enters {'both' if len(family) == 2 else 'all'} at once"
        )
        yield Finding("duplicate", "warning", names, detail, float(len(family)), 1.0)


def _overlaps(fences: Fences, compared: Overlaps) -> Iterator[Finding]:
    """The strongest overlap of each group, with the number of its others.

    A family of duplicates is reported already.
    """
    wanted = _of_two_families(fences, compared)
    pairs, share = compared.pairs[wanted], compared.share[wanted]
    ends = fences.group[pairs]
    count = np.bincount(ends.ravel(), minlength=1)
    _, first = np.unique(ends.ravel(), return_index=True)
    for nth in np.unique(first // 2).tolist():
        one, other = pairs[nth].tolist()
        more = int(count[ends[nth]].max()) - 1
        yield _overlap(fences, one, other, min(float(share[nth]), 1.0), more)
    if compared.left:
        detail = (
            f"{compared.left:,} fences lie so densely that not all of them were compared; "
            f"{PAIRS:,} pairs are"
        )
        yield Finding("overlap", "note", (), detail, float(compared.left), float(PAIRS))


def _of_two_families(fences: Fences, compared: Overlaps) -> Mask:
    """(n,) pairs whose groups are not of one family of duplicates."""
    family = np.full(int(fences.group.max()) + 1, -1)
    for number, same in enumerate(compared.same):
        family[fences.group[same]] = number
    one, other = family[fences.group[compared.pairs]].T
    return np.asarray((one < 0) | (one != other), dtype=np.bool_)


def _overlap(fences: Fences, one: int, other: int, share: float, more: int) -> Finding:
    small, large = sorted((one, other), key=lambda nth: float(fences.reach_m[nth]))
    part = share == 1.0 and fences.reach_m[small] < math.sqrt(NESTED) * fences.reach_m[large]
    others = (
        f"; {more:,} more {'geofence overlaps' if more == 1 else 'geofences overlap'} these two"
        if more
        else ""
    )
    detail = (
        f"{math.floor(share * 100)} % of {_quoted(fences.names[small])} lies in "
        f"{_quoted(fences.names[large])}; the limit is {OVERLAP_PERCENT} %{others}"
    )
    return Finding(
        "overlap",
        "note" if part else "warning",
        (fences.names[small], fences.names[large]),
        detail,
        share,
        OVERLAP_PERCENT / 100,
    )


def _crowded(fences: Fences, reach_m: float, watch: int) -> Iterator[Finding]:
    """The fullest places, each once: a fence close to a reported one is not reported again."""
    every = np.arange(len(fences.names))
    tree = Boxes(fences, every, reach_m)
    dense = local_density(fences, every, reach_m * 2)
    quiet = np.zeros(len(every), dtype=bool)
    order = np.argsort(-dense, kind="stable")
    while len(order):
        size = int(min(512, max(1, 400_000 // (4 * int(dense[order[0]])))))
        yield from _full(fences, tree, order[:size], (reach_m, watch), quiet)
        order = order[size:]
        order = order[~quiet[order]]


def _full(
    fences: Fences, tree: Boxes, chunk: Ints, limits: tuple[float, int], quiet: Mask
) -> Iterator[Finding]:
    """The fences of a chunk with too many others in reach, fullest first; marks `quiet` ones."""
    reach_m, watch = limits
    at, near = tree.met(shapely.points(fences.lon[chunk], fences.lat[chunk]), chunk)
    apart_m = fences.distance_m(at, near)
    in_reach = apart_m - fences.reach_m[near] <= reach_m
    for nth in _fullest(at[in_reach], watch):
        if quiet[nth]:
            continue
        mine = np.nonzero(at == nth)[0]
        quiet[near[mine[apart_m[mine] <= reach_m + fences.reach_m[nth]]]] = True
        mine = mine[in_reach[mine]]
        nearest = near[mine[np.argsort(apart_m[mine], kind="stable")]]
        yield _crowd(fences, nth, nearest.tolist(), limits)


def _fullest(at: Ints, watch: int) -> list[int]:
    """The numbers that stand more than `watch` times in `at`, the most frequent first."""
    counts = np.bincount(at, minlength=1)
    crowded = np.nonzero(counts > watch)[0]
    found: list[int] = crowded[np.argsort(-counts[crowded], kind="stable")].tolist()
    return found


def _crowd(fences: Fences, nth: int, reached: list[int], limits: tuple[float, int]) -> Finding:
    """One crowded place: a fence, and all fences in reach of its middle, nearest first."""
    reach_m, watch = limits
    detail = (
        f"a phone at {_quoted(fences.names[nth])} has {len(reached):,} fences within "
        f"{reach_m:,.0f} m; a phone watches {watch} at once, "
        "so the others are only found when the app sends its position"
    )
    others = [other for other in reached if other != nth][: _NAMED - 1]
    names = (fences.names[nth], *(fences.names[other] for other in others))
    return Finding("crowded", "note", names, detail, float(len(reached)), float(watch))


def _quoted(name: str) -> str:
    return f'"{name if len(name) <= 60 else name[:59] + "…"}"'


def _listed(names: tuple[str, ...], count: int) -> str:
    quoted = [_quoted(name) for name in names]
    if count > len(quoted):
        return f"{', '.join(quoted)} and {count - len(quoted):,} more"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"
