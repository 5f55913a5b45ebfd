"""What a place is.

A circle on the WGS84 ellipsoid, or an area bounded by straight lines in longitude and latitude.
"""

from __future__ import annotations

from dataclasses import dataclass

from shapely import MultiPolygon, Polygon


@dataclass(frozen=True, slots=True)
class Circle:
    """All points whose WGS84 geodesic distance to (`lat`, `lon`) is at most `radius_m`.

    Degrees, metres.
    """

    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Area:
    """A valid shapely Polygon or MultiPolygon in (lon, lat) degrees.

    It is cut in two at the 180th meridian; its border is inside.
    """

    shape: Polygon | MultiPolygon


Region = Circle | Area


class RegionError(ValueError):
    """A region that cannot be taken.

    `code` is a stable token (`radius_too_large`), `detail` a sentence for the retailer that names
    the limit and the value, `pointer` a JSON pointer to the offending member within the region
    object.
    """

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer
