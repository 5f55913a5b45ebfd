"""GeoJSON polygons, and what the reader of regions makes of an object."""

from __future__ import annotations

from typing import Any

from regions.geojson import read_region
from regions.region import Area, Circle, RegionError

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]


def polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def region_or_error(obj: object) -> Circle | Area | RegionError:
    try:
        return read_region(obj).region
    except RegionError as error:
        return error


def refused(obj: object) -> RegionError:
    found = region_or_error(obj)
    assert isinstance(found, RegionError)
    return found
