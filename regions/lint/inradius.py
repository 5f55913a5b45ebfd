"""How wide fences are, for many at once."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from regions.geometry.boundary import Border, inradius_m, rejoined
from regions.geometry.ellipsoid import Floats, metres_per_degree
from regions.lint.proximity import Fences

_MEASURED = (
    20_000  # areas measured exactly; a map with more thin ones gets an estimate for the rest
)
_TOLERANCE_M = 0.5
# of one area; beyond it the search for the circle can take seconds, and shrinking the area is
# cheaper
_CORNERS = 500
_CORNERS_SHRUNK = 100_000  # of all areas that are shrunk
_HALVINGS = 3


def inradii_m(fences: Fences, enough_m: float) -> Floats:
    """(n,) radius of the largest circle that fits inside each fence.

    A lower bound where that is at least `enough_m` already.
    """
    found = fences.reach_m.copy()
    areas = np.nonzero(~fences.round)[0]
    if not len(areas):
        return found
    per_lat, per_lon = metres_per_degree(np.clip(fences.lat, -89.9, 89.9))
    owner = fences.corner_of
    flat = (fences.corners - np.stack([fences.lon[owner], fences.lat[owner]], axis=1)) * np.stack(
        [per_lon[owner], per_lat[owner]], axis=1
    )
    shapes = shapely.set_coordinates(fences.shape[areas].copy(), flat)
    # Every point of an area lies within its inradius of the border, so the area is at most border
    # times inradius.
    found[areas] = shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9)
    thin = np.nonzero(found[areas] < enough_m)[0]
    corners = shapely.get_num_coordinates(shapes[thin])
    for nth in thin[(corners > _CORNERS) & (np.cumsum(corners) <= _CORNERS_SHRUNK)].tolist():
        found[areas[nth]] = _shrunk_m(shapes[nth], float(found[areas[nth]]), enough_m)
    few = thin[corners <= _CORNERS]
    exact = few[:_MEASURED]
    found[areas[exact]] = shapely.length(
        shapely.maximum_inscribed_circle(shapes[exact], tolerance=_TOLERANCE_M)
    )
    for nth in areas[exact].tolist():
        if rejoined(fences.shape[nth]) is not fences.shape[nth]:
            found[nth] = inradius_m(fences.shape[nth], Border(fences.shape[nth]))
    found[areas[few[_MEASURED:]]] *= 1.4
    return found


def _shrunk_m(shape: Polygon | MultiPolygon, low_m: float, high_m: float) -> float:
    """How far an area on the plane can shrink before nothing is left.

    Within an eighth of what is between the bounds.
    """
    if not shapely.is_empty(shapely.buffer(shape, -high_m, quad_segs=2)):
        return high_m
    for _ in range(_HALVINGS):
        middle = (low_m + high_m) / 2
        if shapely.is_empty(shapely.buffer(shape, -middle, quad_segs=2)):
            high_m = middle
        else:
            low_m = middle
    return (low_m + high_m) / 2
