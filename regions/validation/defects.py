"""What is wrong with the rings of an invalid area.

Which ring, where, and what a repair makes of it, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon

from regions.geometry.ellipsoid import Floats
from regions.validation.self_intersections import Crossing, SelfIntersections

_NEAR = 1e-9  # degrees: on the ring
_STRAIGHT = 1e-9  # sine of the angle
_REASON = re.compile(r"(?P<kind>[^\[]+)\[(?P<x>\S+) (?P<y>\S+)\]")
_REPORTED = 40  # at most; the caller reports fewer


@dataclass(frozen=True, slots=True)
class Ring:
    """A tidy, closed ring (n, 2) lon/lat.

    `number` counts the rings of the whole area from 1; `outer` is the number of its outer ring.
    """

    number: int
    outer: int
    line: Floats

    @property
    def hole(self) -> bool:
        """Whether it is cut out of its outer ring."""
        return self.number != self.outer


@dataclass(frozen=True, slots=True)
class Defect:
    """`what` is wrong, without a position.

    `at` is its (lat, lon) where one is known; `cure` is what the repair made of it.
    """

    what: str
    cure: str
    at: tuple[float, float] | None = None
    more: int = 0

    def sentence(self) -> str:
        """The whole sentence."""
        near = ""
        if self.at is not None:
            lat, lon = self.at
            near = f" near {lat:.4f}, {(lon + 180.0) % 360.0 - 180.0:.4f}"
        places = (
            f" and at {self.more:,} more {'place' if self.more == 1 else 'places'}"
            if self.more
            else ""
        )
        return f"{self.what}{near}{places}; {self.cure}"


def defects(
    polygons: list[list[Ring]], meetings: SelfIntersections
) -> tuple[list[Defect], set[int]]:
    """What is wrong, ring by ring, then among the rings of a part, then among parts.

    The second value has the numbers of the rings that are wrong by themselves.
    """
    rings = [ring for polygon in polygons for ring in polygon]
    crossed = list(_crossed(rings, meetings))
    twisted = set[int]().union(*(numbers for numbers, _ in crossed if len(numbers) == 1))
    own, same = list(_own(rings, twisted)), list(_same(rings))
    reported = [*crossed, *own, *same]
    involved = set[int]().union(*(numbers for numbers, _ in reported))
    found = [defect for _, defect in reported] + _among(polygons, involved)
    return found, twisted.union(*(numbers for numbers, _ in own))


def _crossed(rings: list[Ring], meetings: SelfIntersections) -> Iterator[tuple[set[int], Defect]]:
    """Rings that cross each other or themselves, by number."""
    for (nth, other), where in meetings.crossed.items():
        one, two = rings[nth], rings[other]
        yield {one.number, two.number}, _crossing(one, two, where)


def _crossing(one: Ring, other: Ring, crossing: Crossing) -> Defect:
    where, more = (crossing.lat, crossing.lon), crossing.times - 1
    if one.number == other.number:
        return Defect(
            f"ring {one.number} crosses itself", "repaired by splitting it there", where, more
        )
    return Defect(*_pair(one, other, "cross"), where, more)


def _pair(one: Ring, other: Ring, verb: str) -> tuple[str, str]:
    if one.outer == other.outer and one.hole != other.hole:
        hole, shell = (one, other) if one.hole else (other, one)
        third = {"cross": "crosses", "share an edge": "shares an edge with"}[verb]
        return (
            f"ring {hole.number}, a hole, {third} ring {shell.number}",
            f"repaired by cutting it out of ring {shell.number}",
        )
    holes = ", both holes," if one.hole and other.hole and one.outer == other.outer else ""
    return f"rings {one.number} and {other.number}{holes} {verb}", "repaired by joining them"


def _own(rings: list[Ring], twisted: set[int]) -> Iterator[tuple[set[int], Defect]]:
    """Spikes, and rings that touch themselves, each with its number."""
    alone = shapely.polygons([shapely.linearrings(ring.line) for ring in rings])
    for nth in np.nonzero(~shapely.is_valid(alone))[0].tolist():
        ring = rings[nth]
        spikes = _spikes(ring.line)
        if len(spikes):
            lon, lat = ring.line[spikes[0]].tolist()
            yield (
                {ring.number},
                Defect(
                    f"ring {ring.number} has a spike",
                    "repaired by cutting it off",
                    (lat, lon),
                    len(spikes) - 1,
                ),
            )
        elif ring.number not in twisted:
            _, where = _reason(alone[nth])
            yield (
                {ring.number},
                Defect(f"ring {ring.number} touches itself", "repaired by parting it there", where),
            )


def _spikes(line: Floats) -> list[int]:
    """Points at which a ring turns back on itself."""
    into, out = np.roll(np.diff(line, axis=0), 1, axis=0), np.diff(line, axis=0)
    turn = into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]
    ahead = (into * out).sum(axis=1)
    found: list[int] = np.nonzero((ahead < 0) & (np.abs(turn) <= _STRAIGHT * np.abs(ahead)))[
        0
    ].tolist()
    return found


def _same(rings: list[Ring]) -> Iterator[tuple[set[int], Defect]]:
    """Rings with the same points as an earlier one."""
    seen: dict[bytes, Ring] = {}
    written = shapely.to_wkb(
        shapely.normalize(shapely.polygons([shapely.linearrings(ring.line) for ring in rings]))
    )
    for ring, line in zip(rings, written.tolist(), strict=True):
        first = seen.setdefault(line, ring)
        if first is not ring:
            lon, lat = ring.line[0].tolist()
            hole = ", a hole," if ring.hole else ""
            what = f"ring {ring.number}{hole} is the same as ring {first.number}"
            cure = (
                "it leaves nothing of that ring" if ring.hole and not first.hole else "counted once"
            )
            yield {first.number, ring.number}, Defect(what, cure, (lat, lon))


def _among(polygons: list[list[Ring]], involved: set[int]) -> list[Defect]:
    """Defects among rings that are sound by themselves and do not cross.

    Of one part first, then of all parts. `involved` rings are reported already.
    """
    found: list[Defect] = []
    sound: list[tuple[list[Ring], Polygon]] = []
    for rings in polygons:
        shape = Polygon(rings[0].line, [ring.line for ring in rings[1:]])
        if shape.is_valid:
            sound.append((rings, shape))
        elif not involved & {ring.number for ring in rings} and len(found) < _REPORTED:
            found.append(_in_part(rings, shape))
    others = [
        (rings, shape) for rings, shape in sound if not involved & {ring.number for ring in rings}
    ]
    whole = MultiPolygon([shape for _, shape in others])
    if not whole.is_valid:
        found.append(_between_parts([ring for rings, _ in others for ring in rings], whole))
    return found


def _in_part(rings: list[Ring], shape: Polygon) -> Defect:
    kind, where = _reason(shape)
    near = _near(rings, where)
    outer = rings[0].number
    hole = next((ring for ring in near if ring.hole), rings[-1])
    if kind == "Hole lies outside shell":
        if not shapely.Polygon(hole.line).intersects(Polygon(rings[0].line)):
            return Defect(
                f"ring {hole.number} lies outside ring {outer}, whose hole it should be",
                "taken as a part of its own",
                where,
            )
        return Defect(
            f"ring {hole.number}, a hole, lies around ring {outer}",
            "it leaves nothing of that ring",
            where,
        )
    if kind == "Holes are nested":
        return Defect(f"ring {hole.number}, a hole, lies inside another hole", "dropped", where)
    if kind == "Interior is disconnected":
        return Defect(
            f"the holes of ring {outer} cut it in two", "repaired by parting it there", where
        )
    if len(near) > 1:
        return Defect(*_pair(near[0], near[1], "share an edge"), where)
    return Defect(f"the rings from ring {outer} on do not bound an area", "repaired", where)


def _between_parts(rings: list[Ring], whole: MultiPolygon) -> Defect:
    kind, where = _reason(whole)
    near = _near(rings, where)
    if kind == "Nested shells" and near:
        return Defect(
            f"ring {near[0].number} lies inside another outer ring", "joined with it", where
        )
    other = next((ring for ring in near if ring.outer != near[0].outer), None)
    if other is not None:
        return Defect(*_pair(near[0], other, "share an edge"), where)
    return Defect("parts of the area lie over each other", "repaired by joining them", where)


def _near(rings: list[Ring], where: tuple[float, float] | None) -> list[Ring]:
    """The rings that run through a place."""
    if where is None:
        return []
    lines = [shapely.LinearRing(ring.line) for ring in rings]
    gaps = shapely.distance(np.array(lines), Point(where[1], where[0]))
    return [ring for ring, gap in zip(rings, gaps.tolist(), strict=True) if gap <= _NEAR]


def _reason(shape: Polygon | MultiPolygon) -> tuple[str, tuple[float, float] | None]:
    """The first defect of a shape as GEOS names it, and its (lat, lon)."""
    reason = str(shapely.is_valid_reason(shape))
    match = _REASON.fullmatch(reason)
    return (match["kind"], (float(match["y"]), float(match["x"]))) if match else (reason, None)
