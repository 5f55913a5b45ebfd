"""How wide fences are, for many at once."""

from __future__ import annotations

import numpy as np
import shapely

from regions.border import Border, inradius_m, rejoined
from regions.ellipsoid import Floats, metres_per_degree
from regions.neighbours import Fences

_MEASURED = 20_000  # areas measured exactly; a map with more thin ones gets an estimate for the rest
_TOLERANCE_M = 0.5


def inradii_m(fences: Fences, enough_m: float) -> Floats:
    """(n,) radius of the largest circle that fits inside each fence; a lower bound where that is at least `enough_m` already."""
    found = fences.reach_m.copy()
    areas = np.nonzero(~fences.round)[0]
    if not len(areas):
        return found
    per_lat, per_lon = metres_per_degree(np.clip(fences.lat, -89.9, 89.9))
    owner = fences.corner_of
    flat = (fences.corners - np.stack([fences.lon[owner], fences.lat[owner]], axis=1)) * np.stack([per_lon[owner], per_lat[owner]], axis=1)
    shapes = shapely.set_coordinates(fences.shape[areas].copy(), flat)
    # Every point of an area lies within its inradius of the border, so the area is at most border times inradius.
    found[areas] = shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9)
    thin = np.nonzero(found[areas] < enough_m)[0]
    exact = thin[:_MEASURED]
    found[areas[exact]] = shapely.length(shapely.maximum_inscribed_circle(shapes[exact], tolerance=_TOLERANCE_M))
    for nth in areas[exact].tolist():
        if rejoined(fences.shape[nth]) is not fences.shape[nth]:
            found[nth] = inradius_m(fences.shape[nth], Border(fences.shape[nth]))
    found[areas[thin[_MEASURED:]]] *= 1.4
    return found
