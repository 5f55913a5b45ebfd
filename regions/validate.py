"""What a region must be, told in words; and what can be repaired without guessing.

Everything is counted before it is computed: no body, however built, costs more than 2 s or 200 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from regions.border import area_m2, parts
from regions.ellipsoid import Floats
from regions.meridian import cut, settle, unroll
from regions.region import Area, Circle, Region, RegionError
from regions.tangle import CROSSINGS, TOUCHES, Tangle, tangle

RADIUS_MIN_M = 10.0
RADIUS_MAX_M = 100_000.0
VERTICES = 10_000
RINGS = 1_000
AREA_MAX_KM2 = 1_000_000.0
TOLD = 20  # repairs told one by one
LON_UNROLLED = 540.0  # a ring may run on past 180 degrees, not for ever


@dataclass(frozen=True, slots=True)
class Checked:
    """A region that keeps every rule, and what had to be repaired, in words."""

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


def check_circle(lat: object, lon: object, radius_m: object, pointers: tuple[str, str, str] = ("/lat", "/lon", "/radius_m")) -> Circle:
    """A circle within the limits; `pointers` name where the three values came from."""
    at_lat, at_lon = number(lat, pointers[0], "latitude"), number(lon, pointers[1], "longitude")
    if abs(at_lat) > 90.0:
        hint = "; latitude comes first" if abs(at_lat) <= 180.0 and abs(at_lon) <= 90.0 else ""
        raise RegionError("invalid_position", f"latitude must be from -90 to 90{hint}", pointers[0])
    if abs(at_lon) > 180.0:
        raise RegionError("invalid_position", "longitude must be from -180 to 180", pointers[1])
    radius = number(radius_m, pointers[2], "radius")
    if radius < RADIUS_MIN_M:
        raise RegionError("radius_too_small", f"the radius is {radius:g} m; the limit is at least {RADIUS_MIN_M:g} m", pointers[2])
    if radius > RADIUS_MAX_M:
        raise RegionError("radius_too_large", f"the radius is {radius:,.0f} m; the limit is {RADIUS_MAX_M:,.0f} m", pointers[2])
    return Circle(at_lat, at_lon, radius)


def check_counts(vertices: int, rings: int, pointer: str) -> None:
    """Refuse more vertices or rings than the limits; closing points do not count."""
    if rings > RINGS:
        raise RegionError("too_many_rings", f"the area has {rings:,} rings; the limit is {RINGS:,}", pointer)
    if vertices > VERTICES:
        raise RegionError("too_many_vertices", f"the area has {vertices:,} vertices; the limit is {VERTICES:,}", pointer)


def check_area(polygons: list[list[Floats]], pointer: str = "/coordinates") -> Checked:
    """An area from polygons, each a list of (n, 2) lon/lat rings, the outer one first; counts must be checked already."""
    repairs: list[str] = []
    tidy = _numbered(polygons, repairs, pointer)
    rings = [ring for polygon in tidy for ring in polygon]
    shape = _valid(_shape(tidy), rings, repairs, pointer)
    pieces = cut(shape)
    if not pieces:
        raise RegionError("empty", "the area encloses nothing", pointer)
    whole = pieces[0] if len(pieces) == 1 else MultiPolygon(pieces)
    if not whole.is_valid:
        whole = _valid(whole, [np.asarray(r.coords) for p in pieces for r in (p.exterior, *p.interiors)], repairs, pointer)
    whole = cast("Polygon | MultiPolygon", shapely.orient_polygons(whole, exterior_cw=False))
    return Checked(Area(_size_checked(whole, pointer)), _told(repairs))


def _told(repairs: list[str]) -> tuple[str, ...]:
    if len(repairs) <= TOLD:
        return tuple(repairs)
    return (*repairs[: TOLD - 1], f"and {len(repairs) - TOLD + 1:,} more repairs")


def _numbered(polygons: list[list[Floats]], repairs: list[str], pointer: str) -> list[list[Floats]]:
    """Each ring tidied; rings are told by their number in the whole area, from 1."""
    found, ring_no = [], 0
    for polygon in polygons:
        tidied = []
        for nth, ring in enumerate(polygon):
            ring_no += 1
            tidied.append(_tidy(ring, f"ring {ring_no}", nth == 0, repairs, pointer))
        found.append(settle(tidied))
    return found


def _tidy(ring: Floats, name: str, outer: bool, repairs: list[str], pointer: str) -> Floats:
    """Closed, without repeated points, unrolled, wound the right way (told only)."""
    if len(ring) and not (ring[0] == ring[-1]).all():
        ring = np.concatenate([ring, ring[:1]])
        repairs.append(f"{name} was not closed; closed")
    fresh = np.concatenate([[True], (ring[1:] != ring[:-1]).any(axis=1)]) if len(ring) else np.zeros(0, dtype=bool)
    if not fresh.all():
        dropped = int((~fresh).sum())
        ring = ring[fresh]
        repairs.append(f"{name} repeated {dropped} {'point' if dropped == 1 else 'points'}; dropped")
    if len(ring) < 4:
        raise RegionError("empty", f"{name} has fewer than three different points", pointer)
    unrolled = unroll(ring)
    if unrolled.told:
        repairs.append(f"{name} {unrolled.told}")
    if shapely.is_ccw(shapely.linearrings(unrolled.ring)) != outer:
        repairs.append(f"{name} was wound the wrong way; turned")
    return unrolled.ring


def _shape(polygons: list[list[Floats]]) -> Polygon | MultiPolygon:
    built = [Polygon(rings[0], rings[1:]) for rings in polygons]
    return built[0] if len(built) == 1 else MultiPolygon(built)


def _valid(shape: Polygon | MultiPolygon, rings: list[Floats], repairs: list[str], pointer: str) -> Polygon | MultiPolygon:
    """The shape itself when valid, else repaired and told, else refused."""
    knots = _counted(rings, pointer)
    if shape.is_valid:
        return shape
    if knots.crossings > CROSSINGS:
        raise RegionError(
            "self_crossing", f"the border crosses itself more than {CROSSINGS:,} times, which is the limit of repair", pointer
        )
    if knots.touches > TOUCHES:
        raise RegionError("self_crossing", f"the border touches itself more than {TOUCHES:,} times, which is the limit of repair", pointer)
    fixed = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    found = [p for p in shapely.get_parts(fixed) if isinstance(p, Polygon) and p.area > 0]
    if not found:
        raise RegionError("empty", "the area encloses nothing", pointer)
    repairs.append(f"{_who(knots)}; repaired into {len(found)} {'part' if len(found) == 1 else 'parts'}")
    return found[0] if len(found) == 1 else MultiPolygon(found)


def _counted(rings: list[Floats], pointer: str) -> Tangle:
    try:
        return tangle(rings)
    except RegionError as error:
        error.pointer = pointer
        raise


def _who(knots: Tangle) -> str:
    if not knots.rings:
        return "a ring doubles back on itself"
    if len(knots.rings) == 1:
        return f"ring {knots.rings[0] + 1} {'crosses' if knots.crossings else 'touches'} itself"
    more = " and more" if len(knots.rings) > 5 else ""
    return f"rings {', '.join(str(ring + 1) for ring in knots.rings[:5])}{more} {'cross' if knots.crossings else 'touch'}"


def _size_checked(shape: Polygon | MultiPolygon, pointer: str) -> Polygon | MultiPolygon:
    size = area_m2(shape)
    if size > AREA_MAX_KM2 * 1e6:
        raise RegionError("area_too_large", f"the area is {size / 1e6:,.0f} km²; the limit is {AREA_MAX_KM2:,.0f} km²", pointer)
    if size <= 0.0 or not parts(shape):
        raise RegionError("empty", "the area encloses nothing", pointer)
    return shape
