"""A point to stand for a region."""

from __future__ import annotations

import shapely

from regions.geometry.boundary import parts
from regions.region import Circle, Region


def interior_point(region: Region) -> tuple[float, float]:
    """(lat, lon) in degrees of a circle's centre, or of a point well inside an area's largest part.

    The same each time.
    """
    if isinstance(region, Circle):
        return region.lat, region.lon
    largest = max(parts(region.shape), key=lambda part: float(part.area))
    point = shapely.point_on_surface(largest)
    return float(point.y), float(point.x)
