"""Geometries on their way in and out: finite, flat, and circles in our own form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError

from regions.geojson import read_region, write_region
from regions.readers.item import FLAT
from regions.readers.values import METRES, radius_in
from regions.region import Circle, RegionError

_LEVELS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_WKT = re.compile(
    r"(?:SRID=4326;\s*)?(?:(?:MULTI)?(?:POINT|POLYGON|LINESTRING)|GEOMETRYCOLLECTION)\s*(?:(?:ZM|Z|M)\s*)?(?:\(|EMPTY)",
    re.IGNORECASE,
)
_WKT_HEAD = (
    200  # characters before the first number: the rest of a text of megabytes is not looked at
)
_COLLECTIONS = 4  # of GEOMETRYCOLLECTION in one text: real ones nest less, and the parser recurses
_CIRCLE_WORDS = ("type", "subType", "shapeType")
_RADIUS_WORDS = ("radius", "radius_m", "geometryRadius", "Radius", "radius_units")


def point(lat: float, lon: float) -> dict[str, Any]:
    """A Point in [lon, lat]. Raises `RegionError` for what is not finite."""
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise RegionError("invalid_position", "a coordinate is not a finite number", "/coordinates")
    return {"type": "Point", "coordinates": [lon, lat]}


def circle(lat: float, lon: float, radius_m: float) -> dict[str, Any]:
    """Our circle.

    Raises `RegionError` for what is not finite; the limits of places are checked later.
    """
    if not (math.isfinite(lat) and math.isfinite(lon) and math.isfinite(radius_m)):
        raise RegionError("invalid_position", "a coordinate or the radius is not a finite number")
    return {"type": "circle", "lat": lat, "lon": lon, "radius_m": radius_m}


def our_circle(obj: object) -> dict[str, Any] | None:
    """The circle that a JSON value of a known dialect means, in our form.

    `None` where it is an area. Raises `RegionError`.
    """
    region = read_region(obj).region
    return write_region(region) if isinstance(region, Circle) else None


def split_circle(geometry: object, properties: dict[str, Any]) -> tuple[object, dict[str, Any]]:
    """A Feature's Point that its properties make a circle, as our circle.

    The properties come back without the members that say so.
    """
    if not isinstance(geometry, Mapping) or geometry.get("type") != "Point":
        return geometry, properties
    for source in (properties, geometry):
        if "radius" in source or "Circle" in [source.get(word) for word in _CIRCLE_WORDS]:
            found = our_circle(
                {"type": "Feature", "geometry": geometry, "properties": _measured(properties)}
            )
            return found, {
                name: value for name, value in properties.items() if not _says_circle(name, value)
            }
    return geometry, properties


def _measured(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties whose radius, where it is text such as `150 m`, is a number of metres."""
    radius = properties.get("radius")
    if not isinstance(radius, str):
        return properties
    units = str(properties.get("radius_units", "m")).lower()
    metres = radius_in(radius, units if units in METRES else "m")
    return {**properties, "radius": metres, "radius_units": "m"}


def _says_circle(name: str, value: object) -> bool:
    return name in _RADIUS_WORDS or (name in _CIRCLE_WORDS and value == "Circle")


def tidy(geometry: object) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """A geometry with finite positions of two numbers each, and what was dropped for that.

    Raises `RegionError`.

    Our circles are checked as wholes, limits and all. A collection of areas becomes one
    MultiPolygon; any other stays, to be refused with its reason.
    """
    if geometry is None:
        return None, ()
    if not isinstance(geometry, Mapping):
        raise RegionError("not_a_region", "a geometry is a JSON object")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        return _collected(geometry.get("geometries"))
    if not isinstance(kind, str) or kind not in _LEVELS:
        if kind == "circle":
            return our_circle(geometry), ()
        raise RegionError("not_a_region", "the geometry is of no type that GeoJSON knows", "/type")
    levels = _LEVELS[kind]
    dropped: list[bool] = []
    found = _positions(geometry.get("coordinates"), levels, dropped)
    return {"type": kind, "coordinates": found}, (FLAT,) if dropped else ()


def _collected(parts: object) -> tuple[dict[str, Any], tuple[str, ...]]:
    if not isinstance(parts, list | tuple):
        raise RegionError("not_a_region", "geometries must be an array", "/geometries")
    if any(map(_is_collection, parts)):
        raise RegionError(
            "not_a_region", "a collection of geometries holds another one", "/geometries"
        )
    read = [tidy(part) for part in parts]
    flat = tuple(dict.fromkeys(note for _, notes in read for note in notes))
    found = [part for part, _ in read if part is not None]
    if len(found) > 1 and all(part["type"] in ("Polygon", "MultiPolygon") for part in found):
        note = f"a collection of {len(found)} areas became one place of several parts"
        areas = [area for part in found for area in _polygons_of(part)]
        found, flat = [{"type": "MultiPolygon", "coordinates": areas}], (note, *flat)
    if len(found) == 1:
        return found[0], flat
    return {"type": "GeometryCollection", "geometries": found}, flat


def _is_collection(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "GeometryCollection"


def _polygons_of(area: dict[str, Any]) -> list[Any]:
    """The coordinates of each polygon of a Polygon or MultiPolygon."""
    coordinates: list[Any] = area["coordinates"]
    return coordinates if area["type"] == "MultiPolygon" else [coordinates]


def _positions(value: object, levels: int, dropped: list[bool]) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise RegionError(
            "invalid_position",
            "coordinates must be nested arrays of [longitude, latitude]",
            "/coordinates",
        )
    if levels:
        return [_positions(each, levels - 1, dropped) for each in value]
    if len(value) < 2:
        raise RegionError("invalid_position", "a position is [longitude, latitude]", "/coordinates")
    if len(value) > 2 and value[2]:
        dropped.append(True)
    return [_finite(value[0]), _finite(value[1])]


def _finite(value: object) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RegionError("invalid_position", "a coordinate is not a number", "/coordinates")
    if isinstance(value, int) and abs(value) <= 1_000_000:
        return value
    if abs(value) > 1e300 or not math.isfinite(value):
        raise RegionError("invalid_position", "a coordinate is not a finite number", "/coordinates")
    return float(value)


def looks_like_wkt(text: str) -> bool:
    """Whether a cell starts as a geometry in well-known text."""
    return _WKT.match(text.lstrip()[:_WKT_HEAD]) is not None


def from_wkt(text: str) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """A geometry from well-known text (OGC 06-103r4, WGS84), as `tidy` answers.

    Raises `RegionError`.
    """
    if not looks_like_wkt(text):
        raise RegionError("not_a_region", "this is not the well-known text of a point or an area")
    if text.upper().count("GEOMETRYCOLLECTION") > _COLLECTIONS:
        raise RegionError("not_a_region", "collections of geometries are nested too deep")
    try:
        with np.errstate(invalid="ignore"):  # not-a-number is found below
            shape = shapely.from_wkt(
                text.partition(";")[2] if text.lstrip()[:5].upper() == "SRID=" else text
            )
    except (ShapelyError, ValueError) as error:
        raise RegionError("not_a_region", "the well-known text is cut off or malformed") from error
    return from_shape(shape)


def from_shape(shape: Any) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """A shapely geometry, as `tidy` answers; `None` where there is none. Raises `RegionError`."""
    if shape is None:
        return None, ()
    if shape.is_empty:
        raise RegionError("empty", "the geometry is empty")
    return tidy(shape.__geo_interface__)


def to_wkt(geometry: Mapping[str, Any]) -> str:
    """Well-known text of a GeoJSON geometry, with every digit."""
    if geometry["type"] == "GeometryCollection":
        return f"GEOMETRYCOLLECTION ({', '.join(to_wkt(part) for part in geometry['geometries'])})"
    body = _wkt_body(geometry["coordinates"], _LEVELS[geometry["type"]])
    return f"{geometry['type'].upper()} {body if geometry['type'] != 'Point' else f'({body})'}"


def _wkt_body(value: Any, levels: int) -> str:
    if not levels:
        return f"{value[0]!r} {value[1]!r}"
    return f"({', '.join(_wkt_body(each, levels - 1) for each in value)})"
