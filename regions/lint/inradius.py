"""Inradii of fences: how wide they are, for many at once."""

from __future__ import annotations

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from regions.geometry.boundary import Border, inradius_m, rejoined
from regions.geometry.ellipsoid import Floats, metres_per_degree
from regions.lint.proximity import Fences, Ints, Shapes

# areas measured exactly; a map with more thin ones gets an estimate for the rest
_MEASURED = 20_000
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
    if len(areas):
        shapes = _on_plane(fences, areas)
        # Every point of an area lies within its inradius of the border, so the area is at most
        # border times inradius.
        found[areas] = shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9)
        thin = np.nonzero(found[areas] < enough_m)[0]
        found[areas[thin]] = _thin_m(shapes[thin], found[areas[thin]], enough_m)
        measured = thin[shapely.get_num_coordinates(shapes[thin]) <= _CORNERS][:_MEASURED]
        for nth in areas[measured].tolist():
            if rejoined(fences.shape[nth]) is not fences.shape[nth]:
                found[nth] = inradius_m(fences.shape[nth], Border(fences.shape[nth]))
    return found


def _on_plane(fences: Fences, areas: Ints) -> Shapes:
    """Areas in metres around their middles."""
    per_lat, per_lon = metres_per_degree(np.clip(fences.lat, -89.9, 89.9))
    owner = fences.corner_of
    middle = np.stack([fences.lon[owner], fences.lat[owner]], axis=1)
    scale = np.stack([per_lon[owner], per_lat[owner]], axis=1)
    flat = (fences.corners - middle) * scale
    return np.asarray(shapely.set_coordinates(fences.shape[areas].copy(), flat), dtype=object)


def _thin_m(shapes: Shapes, low_m: Floats, enough_m: float) -> Floats:
    """(n,) inradii of areas on the plane from lower bounds, each by the cheapest way."""
    found = low_m.copy()
    corners = shapely.get_num_coordinates(shapes)
    shrunk = (corners > _CORNERS) & (np.cumsum(corners) <= _CORNERS_SHRUNK)
    for nth in np.nonzero(shrunk)[0].tolist():
        found[nth] = _shrunk_m(shapes[nth], float(low_m[nth]), enough_m)
    few = np.nonzero(corners <= _CORNERS)[0]
    exact = few[:_MEASURED]
    circles = shapely.maximum_inscribed_circle(shapes[exact], tolerance=_TOLERANCE_M)
    found[exact] = shapely.length(circles)
    found[few[_MEASURED:]] *= 1.4
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
