"""Rings that cross the 180th meridian or go round a pole, and the cut that RFC 7946 asks for.

The package antimeridian 0.4 was measured and not taken: it returns an invalid shape for a ring that
goes round a pole twice, takes 2.8 s for 10,000 vertices (25 ms here), ends in a RecursionError on a
zigzag of 5,000, and reports nothing of what it changed but the winding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import translate

from regions.geometry.boundary import parts
from regions.geometry.ellipsoid import Floats
from regions.region import RegionError

_NOTHING = 1e-12  # square degrees


@dataclass(frozen=True, slots=True)
class Unrolled:
    """A closed ring (n, 2) lon/lat whose longitudes run on past 180, and what was done."""

    ring: Floats
    note: str | None = None


def unroll(ring: Floats) -> Unrolled:
    """Read each step of more than 180 degrees of longitude as the shorter way round.

    Kept as written: a full turn along a pole's latitude, where all longitudes are one point; and a
    ring that would collapse to nothing, because it was meant to go round the world. A ring that
    ends a full turn from where it started goes round a pole, the nearer one, and is closed through
    it. Raises `RegionError` without the ring's name.
    """
    turns = _turns(ring)
    if not turns.any():
        passes = _passes(ring[:, 0])
        return Unrolled(ring, "runs past the 180th meridian; cut in two there" if passes else None)
    moved = ring.copy()
    moved[1:, 0] -= 360.0 * np.cumsum(turns)
    around = round((moved[-1, 0] - moved[0, 0]) / 360.0)
    if abs(around) > 1:
        raise RegionError("self_crossing", f"goes round a pole {abs(around)} times")
    note = "crosses the 180th meridian; read the shorter way round"
    if around:
        moved, note = _through_pole(moved), "goes round a pole; closed through it"
    if abs(_planar_area(moved)) <= _NOTHING < abs(_planar_area(ring)):
        return Unrolled(ring)
    return Unrolled(moved, note)


def _turns(ring: Floats) -> Floats:
    """(n - 1,) whole turns that each step takes too many; none along a pole's latitude."""
    step = np.diff(ring[:, 0])
    turns = np.where(np.abs(step) > 180.0, np.rint(step / 360.0), 0.0)
    turns[(np.abs(ring[:-1, 1]) == 90.0) & (ring[:-1, 1] == ring[1:, 1])] = 0.0
    return turns


def _passes(lon: Floats) -> bool:
    """Whether longitudes lie on both sides of 180 degrees or of -180 degrees."""
    low, high = float(lon.min()), float(lon.max())
    return any(low < seam < high for seam in (-180.0, 180.0))


def _through_pole(ring: Floats) -> Floats:
    pole = 90.0 if ring[:, 1].mean() > 0 else -90.0
    closed = np.concatenate([ring, [[ring[-1, 0], pole], [ring[0, 0], pole]], ring[:1]])
    fresh = np.concatenate([[True], (closed[1:] != closed[:-1]).any(axis=1)])
    return np.asarray(closed[fresh], dtype=np.float64)


def _planar_area(ring: Floats) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def settle(rings: list[Floats]) -> list[Floats]:
    """Move a polygon by whole turns so that its middle lies within 180 degrees.

    Each hole moves to its outer ring.
    """
    middle = [(float(ring[:, 0].min()) + float(ring[:, 0].max())) / 2 for ring in rings]
    home = math.floor((middle[0] + 180.0) / 360.0)
    settled = [_turned(rings[0], -home)]
    centre = middle[0] - 360.0 * home
    return settled + [
        _turned(ring, round((centre - at) / 360.0))
        for ring, at in zip(rings[1:], middle[1:], strict=True)
    ]


def _turned(ring: Floats, turns: int) -> Floats:
    return np.add(ring, [360.0 * turns, 0.0]) if turns else ring


def cut(shape: Polygon | MultiPolygon) -> list[Polygon]:
    """The valid shape's polygons within [-180, 180], cut at the meridian where it runs past it."""
    found: list[Polygon] = []
    for part in parts(shape):
        low, _, high, _ = part.bounds
        if low >= -180.0 and high <= 180.0:
            found.append(part)
            continue
        if high - low > 360.0:
            raise RegionError(
                "self_crossing",
                f"the area spans {high - low:g} degrees of longitude; the limit is 360",
            )
        for turn in range(math.floor((low + 180.0) / 360.0), math.ceil((high + 180.0) / 360.0)):
            piece = shapely.intersection(
                part, box(360.0 * turn - 180.0, -90.0, 360.0 * turn + 180.0, 90.0)
            )
            found += [
                _home(p, turn)
                for p in shapely.get_parts(piece)
                if isinstance(p, Polygon) and p.area > 0
            ]
    return found


def _home(piece: Polygon, turn: int) -> Polygon:
    """Moved by whole turns; the sum may not step over 180 by a rounding."""
    moved: Polygon = translate(piece, -360.0 * turn)
    low, _, high, _ = moved.bounds
    if low < -180.0 or high > 180.0:
        clipped: Polygon = shapely.transform(
            moved, lambda xy: np.clip(xy, [-180.0, -90.0], [180.0, 90.0])
        )
        return clipped
    return moved
