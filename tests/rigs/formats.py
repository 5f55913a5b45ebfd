"""Every format of places, its sample, and when two places are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely

from regions.geojson import read_region
from regions.readers import Format, formats
from regions.region import Circle

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
FORMATS = formats()
IN_THIS_PROCESS = tuple(
    f for f in FORMATS if f.NAME in {"csv", "geojson", "geojsonl", "kml", "kmz"}
)

SQUARE = [[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]
HOLE = [[16.33, 48.13], [16.33, 48.16], [16.36, 48.16], [16.36, 48.13], [16.33, 48.13]]
WEST = [[[179.9, -17.1], [180.0, -17.1], [180.0, -17.0], [179.9, -17.0], [179.9, -17.1]]]
EAST = [[[-180.0, -17.1], [-179.9, -17.1], [-179.9, -17.0], [-180.0, -17.0], [-180.0, -17.1]]]
PLACES: dict[str, dict[str, Any]] = {
    "A1": {"type": "circle", "lat": 48.2082, "lon": 16.3738, "radius_m": 120.5},
    "A2": {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
    "A3": {"type": "MultiPolygon", "coordinates": [WEST, EAST]},
    "A4": {"type": "Point", "coordinates": [151.25, -33.5]},
}
NAMES = {
    "A1": 'Käse & Söhne, "Zum Hof"',
    "A2": "Einkaufs-Zentrum",
    "A3": "東京 南",
    "A4": "Two\nlines",
}


def each(chosen: tuple[Format, ...] = FORMATS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("form", chosen, ids=lambda form: form.NAME)


def sample(form: Format) -> Path:
    return SAMPLES / f"places{form.SUFFIXES[0]}"


def same_place(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Equal as places: rings may start and turn elsewhere, and a whole of one part is that part."""
    if one is None or other is None or "Point" in (one["type"], other["type"]):
        return one == other
    first, second = read_region(one).region, read_region(other).region
    if isinstance(first, Circle) or isinstance(second, Circle):
        return first == second
    return bool(shapely.equals_exact(first.shape.normalize(), second.shape.normalize(), 1e-12))
