"""What a retailer should know about a map before phones meet it.

Nothing here is refused; everything is told in words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from regions.geometry.ellipsoid import metres_per_degree
from regions.lint.inradius import inradii_m
from regions.lint.misplaced import Stray, at_sea, strays
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
TOLD = 1_000  # findings told one by one, per code
CODES = (
    "too_small", "low_precision", "null_island", "in_the_sea", "swapped", "flipped", "duplicate", "overlap", "crowded",
)  # fmt: skip
_NAMED = 20

Severity = Literal["warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing.

    A stable `code`, the fences it is about, and a sentence without any position.

    `value` and `limit` are what `detail` tells: metres, a share of 1, or a number of fences. A
    finding without names is about the map, or stands for `more` findings of its code that are not
    told one by one.
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
    told: int = TOLD,
    about: Callable[[str], bool] | None = None,
) -> list[Finding]:
    """Everything questionable about named regions, by code (one of `CODES`), at most `told` of each code and then how many more.

    A name `<store>/<ring>` makes the ring a part of its store: parts of one store are not told against each other. With
    `about` only what names a region for which it is true, each looked at among all of them.
    100,000 circles take about 2 s; a very dense map is compared as far as that allows, and the finding says so.
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
        _strays(fences, strays(fences, nowhere)),
        _duplicates(fences, compared),
        _overlaps(fences, compared),
        _crowded(fences, reach_m, watch),
    ):
        found += bounded(findings if about is None else _about(findings, about), told)
    return found


def _about(findings: Iterator[Finding], wanted: Callable[[str], bool]) -> Iterator[Finding]:
    return (finding for finding in findings if not finding.names or any(map(wanted, finding.names)))


def bounded(findings: Iterable[Finding], told: int = TOLD) -> list[Finding]:
    """The first `told` of each code; what follows is counted, in one finding for each code."""
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    worst: dict[str, Severity] = {}
    for finding in findings:
        if not finding.names:
            kept.append(finding)
            continue
        counts[finding.code] = counts.get(finding.code, 0) + 1
        if counts[finding.code] <= told:
            kept.append(finding)
        elif worst.get(finding.code) != "warning":
            worst[finding.code] = finding.severity
    for code, severity in worst.items():
        more = counts[code] - told
        detail = f"and {more:,} more like these; {told:,} are told one by one"
        kept.append(Finding(code, severity, (), detail, float(more), float(told), more))
    return kept


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
            detail = f"{what} {size}; phones in towns are 20 to 50 m off, so entries are missed below {LOST_M:.0f} m"
            yield Finding("too_small", "warning", (fences.names[nth],), detail, value, LOST_M)
        else:
            detail = f"{what} {size}; phones tell entries reliably from {ADVISED_M:.0f} m on, better 150 m"
            yield Finding("too_small", "note", (fences.names[nth],), detail, value, ADVISED_M)


def _low_precision(fences: Fences) -> Iterator[Finding]:
    """Half a unit of the last decimal, both ways, is as far as the true middle may be."""
    scale = 10.0**DECIMALS
    exact = np.ones(len(fences.names), dtype=bool)
    for degrees in (fences.lat, fences.lon):
        exact &= np.abs(degrees * scale - np.rint(degrees * scale)) < 1e-7
    per_lat, per_lon = metres_per_degree(fences.lat)
    off = np.hypot(per_lat, per_lon) * 0.5 / scale
    home = (np.abs(fences.lat) < 0.01) & (np.abs(fences.lon) < 0.01)
    for nth, names in _by_group(
        fences, np.nonzero(exact & fences.round & ~home & (fences.reach_m < off))[0]
    ):
        radius, wrong = float(fences.reach_m[nth]), float(off[nth])
        detail = f"the middle has {DECIMALS} decimals or fewer, so the true one may be {wrong:,.0f} m away; the radius is only {radius:,.0f} m"
        yield Finding("low_precision", "warning", names, detail, wrong, radius)


def _by_group(fences: Fences, which: Ints) -> Iterator[tuple[int, tuple[str, ...]]]:
    """For each group among the fences its smallest one, and the names of all of them.

    A store's position is told once.
    """
    if not len(which):
        return
    order = which[np.argsort(fences.reach_m[which], kind="stable")]
    order = order[np.argsort(fences.group[order], kind="stable")]
    starts = np.nonzero(np.diff(fences.group[order], prepend=-1))[0]
    for same in np.split(order, starts[1:]):
        yield int(same[0]), tuple(fences.names[nth] for nth in same[:_NAMED].tolist())


def _null_island(fences: Fences, which: Ints) -> Iterator[Finding]:
    detail = "the fence lies where latitude and longitude are both 0, in the Gulf of Guinea; the position was probably missing"
    for _, names in _by_group(fences, which):
        yield Finding("null_island", "warning", names, detail)


def _in_the_sea(fences: Fences, which: Ints) -> Iterator[Finding]:
    detail = "the fence lies in the open sea, beyond every country's waters; no shopper comes there"
    for _, names in _by_group(fences, which):
        yield Finding("in_the_sea", "warning", names, detail)


def _strays(fences: Fences, found: list[Stray]) -> Iterator[Finding]:
    words = {
        "swapped": "with latitude and longitude swapped",
        "flipped": "with the sign of its latitude or longitude turned",
    }
    at = {stray.fence: stray for stray in found}
    for nth, names in _by_group(fences, np.array(list(at), dtype=np.int64)):
        stray = at[nth]
        detail = f"the fence lies far from all the others, but {words[stray.code]} it would lie among {stray.others:,} of them"
        yield Finding(stray.code, "warning", names, detail, float(stray.others), None)


def _duplicates(fences: Fences, compared: Overlaps) -> Iterator[Finding]:
    for family in sorted(compared.same, key=lambda family: (-len(family), family)):
        names = tuple(fences.names[nth] for nth in family[:_NAMED])
        what = (
            "have the same middle within 1 m and the same radius"
            if fences.shape[family[0]] is None
            else "have the same area"
        )
        detail = f"{_listed(names[:3], len(family))} {what} within 1 %; a phone there enters {'both' if len(family) == 2 else 'all'} at once"
        yield Finding("duplicate", "warning", names, detail, float(len(family)), 1.0)


def _overlaps(fences: Fences, compared: Overlaps) -> Iterator[Finding]:
    """The strongest overlap of each group, with how many more it has.

    A family of duplicates is told already.
    """
    family = np.full(int(fences.group.max()) + 1, -1)
    for number, same in enumerate(compared.same):
        family[fences.group[same]] = number
    ends = fences.group[compared.pairs]
    kept = (family[ends[:, 0]] < 0) | (family[ends[:, 0]] != family[ends[:, 1]])
    pairs, ends, share = compared.pairs[kept], ends[kept], compared.share[kept]
    has = np.bincount(ends.ravel(), minlength=1)
    _, first = np.unique(ends.ravel(), return_index=True)
    for nth in np.unique(first // 2).tolist():
        one, other = pairs[nth].tolist()
        yield _overlap(
            fences, one, other, min(float(share[nth]), 1.0), int(has[ends[nth]].max()) - 1
        )
    if compared.left:
        detail = f"{compared.left:,} fences lie so densely that not all of them were compared; {PAIRS:,} pairs are"
        yield Finding("overlap", "note", (), detail, float(compared.left), float(PAIRS))


def _overlap(fences: Fences, one: int, other: int, share: float, more: int) -> Finding:
    small, large = sorted((one, other), key=lambda nth: float(fences.reach_m[nth]))
    part = share == 1.0 and fences.reach_m[small] < math.sqrt(NESTED) * fences.reach_m[large]
    others = (
        f"; {more:,} more {'geofence overlaps' if more == 1 else 'geofences overlap'} these two"
        if more
        else ""
    )
    said = math.floor(share * 100)
    detail = f"{said} % of {_quoted(fences.names[small])} lies in {_quoted(fences.names[large])}; the limit is {OVERLAP_PERCENT} %{others}"
    return Finding(
        "overlap",
        "note" if part else "warning",
        (fences.names[small], fences.names[large]),
        detail,
        share,
        OVERLAP_PERCENT / 100,
    )


def _crowded(fences: Fences, reach_m: float, watch: int) -> Iterator[Finding]:
    """The fullest places, each told once: a fence close to one that was told is not told again."""
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
    fences: Fences,
    tree: Boxes,
    chunk: Ints,
    limits: tuple[float, int],
    quiet: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Iterator[Finding]:
    reach_m, watch = limits
    at, near = tree.met(shapely.points(fences.lon[chunk], fences.lat[chunk]), chunk)
    away = fences.away_m(at, near)
    in_reach = away - fences.reach_m[near] <= reach_m
    counts = np.bincount(at[in_reach], minlength=1)
    heard = np.unique(at[in_reach])
    for nth in heard[np.argsort(-counts[heard], kind="stable")].tolist():
        if counts[nth] <= watch:
            return
        if quiet[nth]:
            continue
        mine = at == nth
        quiet[near[mine & (away <= reach_m + fences.reach_m[nth])]] = True
        kept = near[mine & in_reach]
        others = [
            other
            for other in kept[np.argsort(away[mine & in_reach], kind="stable")].tolist()
            if other != nth
        ]
        detail = (
            f"a phone at {_quoted(fences.names[nth])} has {counts[nth]:,} fences within {reach_m:,.0f} m; a phone watches {watch} at once, "
            "so the others are only found when the app sends its position"
        )
        names = (fences.names[nth], *(fences.names[other] for other in others[: _NAMED - 1]))
        yield Finding("crowded", "note", names, detail, float(counts[nth]), float(watch))


def _quoted(name: str) -> str:
    return f'"{name if len(name) <= 60 else name[:59] + "…"}"'


def _listed(names: tuple[str, ...], count: int) -> str:
    told = [_quoted(name) for name in names]
    if count > len(told):
        return f"{', '.join(told)} and {count - len(told):,} more"
    return f"{', '.join(told[:-1])} and {told[-1]}"
