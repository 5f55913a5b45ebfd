"""What a region must be, with reasons in words, and what can be repaired without guessing.

Everything is counted before it is computed: no body, however built, costs more than 2 s or 200 MB.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from regions.geometry.boundary import area_m2, parts
from regions.geometry.ellipsoid import Floats
from regions.region import Area, Circle, Region, RegionError
from regions.validation.antimeridian import cut, settle, unroll
from regions.validation.defects import Defect, Ring, defects
from regions.validation.self_intersections import (
    CROSSINGS,
    TOUCHES,
    SelfIntersections,
    self_intersections,
)

RADIUS_MIN_M = 10.0
RADIUS_MAX_M = 100_000.0
VERTICES = 10_000
RINGS = 1_000
AREA_MAX_KM2 = 1_000_000.0
REPORTED = 20  # repairs listed one by one
FLAT = 1e-9  # degrees, a tenth of a millimetre: no wider is no area
_REPEATED = re.compile(r"ring \d+ repeated \d+ points?; dropped")
LON_UNROLLED = 540.0  # degrees to which a ring may run on past 180


@dataclass(frozen=True, slots=True)
class Checked:
    """A region that is valid and within the limits, and what had to be repaired, in words."""

    region: Region
    repairs: tuple[str, ...] = ()


def number(value: object, pointer: str, name: str) -> float:
    """A finite float; refuses booleans, strings, null, infinities and integers too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RegionError("invalid_position", f"{name} must be a number", pointer)
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise RegionError("invalid_position", f"{name} must be a finite number", pointer)
    return found


def check_circle(
    lat: object,
    lon: object,
    radius_m: object,
    pointers: tuple[str, str, str] = ("/lat", "/lon", "/radius_m"),
) -> Circle:
    """A circle within the limits; `pointers` name where the three values came from."""
    at_lat, at_lon = number(lat, pointers[0], "latitude"), number(lon, pointers[1], "longitude")
    if abs(at_lat) > 90.0:
        hint = "; latitude comes first" if abs(at_lat) <= 180.0 and abs(at_lon) <= 90.0 else ""
        raise RegionError("invalid_position", f"latitude must be from -90 to 90{hint}", pointers[0])
    if abs(at_lon) > 180.0:
        raise RegionError("invalid_position", "longitude must be from -180 to 180", pointers[1])
    radius = number(radius_m, pointers[2], "radius")
    if radius < RADIUS_MIN_M:
        raise RegionError(
            "radius_too_small",
            f"the radius is {radius:g} m; the limit is at least {RADIUS_MIN_M:g} m",
            pointers[2],
        )
    if radius > RADIUS_MAX_M:
        raise RegionError(
            "radius_too_large",
            f"the radius is {radius:,.0f} m; the limit is {RADIUS_MAX_M:,.0f} m",
            pointers[2],
        )
    return Circle(at_lat, at_lon, radius)


def is_cosmetic(repair: str) -> str | None:
    """`wound` or `repeated` for a repair that changes nothing of the area.

    Most tools write such rings. None for a repair that the retailer should look at.
    """
    if repair.endswith("wound the wrong way; turned"):
        return "wound"
    return "repeated" if _REPEATED.fullmatch(repair) else None


def check_counts(vertices: int, rings: int, pointer: str) -> None:
    """Refuse more vertices or rings than the limits; closing points do not count."""
    if rings > RINGS:
        raise RegionError(
            "too_many_rings", f"the area has {rings:,} rings; the limit is {RINGS:,}", pointer
        )
    if vertices > VERTICES:
        raise RegionError(
            "too_many_vertices",
            f"the area has {vertices:,} vertices; the limit is {VERTICES:,}",
            pointer,
        )


def check_area(
    polygons: list[list[Floats]], pointer: str = "/coordinates", *, parted: bool = False
) -> Checked:
    """An area from polygons, each a list of (n, 2) lon/lat rings, the outer one first.

    Counts must be checked already.

    `pointer` names the polygons when they are `parted` as those of a MultiPolygon, else the rings
    of the only one. Repairs name rings, numbered from 1 through the whole area, and the place on
    the retailer's own map; refusals name no place.
    """
    repairs: list[str] = []
    rings = _numbered(polygons, repairs, pointer, parted)
    shape = _shape(rings)
    meetings = _counted(rings, pointer)
    found: list[Defect] = []
    bad: set[int] = set()
    if not shape.is_valid:
        _check_meetings(meetings, pointer)
        found, bad = defects(rings, meetings)
    repairs += [defect.sentence() for defect in found]
    if not shape.is_valid:
        shape = _repaired(shape, len(rings), found, repairs, pointer)
    repairs += _turned([number for number in _misturned(rings) if number not in bad])
    return Checked(Area(_size_checked(_cut(shape, pointer), pointer)), _limited(repairs))


def _misturned(polygons: list[list[Ring]]) -> list[int]:
    rings = [ring for polygon in polygons for ring in polygon]
    left = shapely.is_ccw(np.array([shapely.linearrings(ring.line) for ring in rings]))
    return [ring.number for ring, ccw in zip(rings, left.tolist(), strict=True) if ccw == ring.hole]


def _turned(numbers: list[int]) -> list[str]:
    """One sentence for all of them.

    Files from the world of Shapefiles wind every ring the other way.
    """
    if len(numbers) < 2:
        return [f"ring {number} was wound the wrong way; turned" for number in numbers]
    first = ", ".join(str(number) for number in numbers[:5])
    listed = (
        f"{first} and {len(numbers) - 5:,} more"
        if len(numbers) > 5
        else f"{first[: first.rindex(',')]} and {numbers[-1]}"
    )
    return [f"rings {listed} were wound the wrong way; turned"]


def _cut(shape: Polygon | MultiPolygon, pointer: str) -> Polygon | MultiPolygon:
    """Within [-180, 180], valid, outer rings counter-clockwise."""
    try:
        whole = _shaped(_solid(cut(shape)))
        if not whole.is_valid:
            whole = _made_valid(whole)
    except RegionError as error:
        error.pointer = pointer
        raise
    return cast("Polygon | MultiPolygon", shapely.orient_polygons(whole, exterior_cw=False))


def _made_valid(shape: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
    fixed = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    return _shaped(_solid([part for part in shapely.get_parts(fixed) if isinstance(part, Polygon)]))


def _solid(polygons: list[Polygon]) -> list[Polygon]:
    """Without the slivers that rounding leaves where edges nearly meet.

    Read again, they would be rings on one line.
    """
    thick = 4 * FLAT
    solid = [
        polygon
        for polygon in polygons
        if not polygon.is_empty and not _flat(np.asarray(polygon.exterior.coords), thick)
    ]
    holes = [
        [hole for hole in polygon.interiors if not _flat(np.asarray(hole.coords), thick)]
        for polygon in solid
    ]
    return [
        p if len(thick_holes) == len(p.interiors) else Polygon(p.exterior, thick_holes)
        for p, thick_holes in zip(solid, holes, strict=True)
    ]


def _shaped(polygons: list[Polygon]) -> Polygon | MultiPolygon:
    if not polygons:
        raise RegionError("empty", "the area encloses nothing")
    return polygons[0] if len(polygons) == 1 else MultiPolygon(polygons)


def _limited(repairs: list[str]) -> tuple[str, ...]:
    if len(repairs) <= REPORTED:
        return tuple(repairs)
    return (*repairs[: REPORTED - 1], f"and {len(repairs) - REPORTED + 1:,} more repairs")


def _numbered(
    polygons: list[list[Floats]], repairs: list[str], pointer: str, parted: bool
) -> list[list[Ring]]:
    """Each ring tidied.

    A ring that encloses nothing is dropped and reported, or refused where no other is left.
    """
    found: list[list[Ring]] = []
    nothing: list[RegionError] = []
    number = 1
    for part, polygon in enumerate(polygons):
        lines = _lines(
            polygon, number, f"{pointer}/{part}" if parted else pointer, repairs, nothing
        )
        if number in lines:
            settled = settle(list(lines.values()))
            found.append([Ring(at, number, line) for at, line in zip(lines, settled, strict=True)])
        number += len(polygon)
    if not found:
        raise nothing[0]
    return found


def _lines(
    polygon: list[Floats], number: int, pointer: str, repairs: list[str], nothing: list[RegionError]
) -> dict[int, Floats]:
    """The tidy rings of a polygon whose outer ring has this number.

    Without an outer ring there are no holes either.
    """
    lines: dict[int, Floats] = {}
    for nth, line in enumerate(polygon):
        try:
            lines[number + nth] = _tidy(line, f"ring {number + nth}", repairs)
        except RegionError as error:
            error.pointer = f"{pointer}/{nth}"
            nothing.append(_only_empty(error))
            repairs.append(f"{error.detail}; dropped")
            if nth == 0:
                break
    return lines


def _only_empty(error: RegionError) -> RegionError:
    """A ring that encloses nothing can be left out; any other error is one of the whole area."""
    if error.code != "empty":
        raise error
    return error


def _tidy(ring: Floats, name: str, repairs: list[str]) -> Floats:
    """Closed, without repeated points, unrolled.

    Raises `RegionError` `empty` for a ring that encloses nothing.
    """
    notes = []
    if len(ring) and not (ring[0] == ring[-1]).all():
        ring = np.concatenate([ring, ring[:1]])
        notes.append(f"{name} was not closed; closed")
    ring, dropped = _without_repeats(ring)
    if dropped:
        notes.append(f"{name} repeated {dropped} {'point' if dropped == 1 else 'points'}; dropped")
    if len(ring) < 4:
        raise RegionError("empty", f"{name} has fewer than three different points")
    try:
        unrolled = unroll(ring)
    except RegionError as error:
        raise RegionError(error.code, f"{name} {error.detail}") from None
    if _flat(unrolled.ring):
        raise RegionError("empty", f"{name} has all its points on one line")
    repairs += [*notes, f"{name} {unrolled.note}"] if unrolled.note else notes
    return unrolled.ring


def _without_repeats(ring: Floats) -> tuple[Floats, int]:
    """The ring without points equal to the one before, and how many these were."""
    if not len(ring):
        return ring, 0
    fresh = np.concatenate([[True], (ring[1:] != ring[:-1]).any(axis=1)])
    return ring[fresh], int((~fresh).sum())


def _flat(ring: Floats, width: float = FLAT) -> bool:
    """Whether all points lie within `width` degrees of the line through two that are far apart."""
    to = ring - ring[0]
    length = np.hypot(to[:, 0], to[:, 1])
    far = to[length.argmax()]
    return bool((np.abs(to[:, 0] * far[1] - to[:, 1] * far[0]) <= width * length.max()).all())


def _shape(polygons: list[list[Ring]]) -> Polygon | MultiPolygon:
    return _shaped(
        [Polygon(rings[0].line, [ring.line for ring in rings[1:]]) for rings in polygons]
    )


def _counted(polygons: list[list[Ring]], pointer: str) -> SelfIntersections:
    try:
        return self_intersections([ring.line for rings in polygons for ring in rings])
    except RegionError as error:
        error.pointer = pointer
        raise


def _check_meetings(meetings: SelfIntersections, pointer: str) -> None:
    """Refuse what would take long to repair."""
    if meetings.crossings > CROSSINGS:
        raise RegionError(
            "self_crossing",
            f"the border crosses itself more than {CROSSINGS:,} times, "
            "which is the limit of repair",
            pointer,
        )
    if meetings.touches > TOUCHES:
        raise RegionError(
            "self_crossing",
            f"the border touches itself more than {TOUCHES:,} times, which is the limit of repair",
            pointer,
        )


def _repaired(
    shape: Polygon | MultiPolygon, count: int, found: list[Defect], repairs: list[str], pointer: str
) -> Polygon | MultiPolygon:
    """The shape made valid, with a word on how many parts it has then.

    Or refused, saying why but not where.
    """
    try:
        fixed = _made_valid(shape)
    except RegionError as error:
        why = f": {found[0].what}" if found else ""
        raise RegionError(error.code, error.detail + why, pointer) from None
    now = len(parts(fixed))
    if now != count or not found:
        repairs.append(
            f"the area was repaired and now has {now:,} {'part' if now == 1 else 'parts'}"
        )
    return fixed


def _size_checked(shape: Polygon | MultiPolygon, pointer: str) -> Polygon | MultiPolygon:
    size = area_m2(shape)
    if size > AREA_MAX_KM2 * 1e6:
        raise RegionError(
            "area_too_large",
            f"the area is {size / 1e6:,.0f} km²; the limit is {AREA_MAX_KM2:,.0f} km²",
            pointer,
        )
    if size <= 0.0 or not parts(shape):
        raise RegionError("empty", "the area encloses nothing", pointer)
    return shape
