"""One JSON object of a list of places, in the dialects of several services.

GeoJSON, Radar, Amazon Location, Tile38, Azure Maps, or plain lat/lng.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from regions.readers.geometry import our_circle, point, split_circle, tidy
from regions.readers.item import Item
from regions.readers.text.crs_member import crs_notes
from regions.readers.values import clean, number_in, plain, radius_in
from regions.region import RegionError

_GEOMETRIES = (
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
)
_FEATURE = ("type", "id", "geometry", "properties", "bbox", "crs")
_LAT = ("lat", "latitude")
_LON = ("lon", "lng", "long", "longitude")
_RADIUS = ("radius_m", "radius")
# what the services answer with every geofence that is like all others, and what the geometry says
# anyway
_SAYS_NOTHING = (
    ("Status", "ACTIVE"),
    ("live", True),
    ("type", "circle"),
    ("type", "polygon"),
    ("type", "isochrone"),
)

Parts = tuple[Callable[[], object], dict[str, Any], object]
"""What makes a geometry in GeoJSON or our circle, or raises; properties; id."""


def item_of(number: int, obj: object, fields: object = None) -> Item:
    """The item that an object means.

    `fields` are the names that Tile38 gives once for all objects. Raises nothing.
    """
    properties: dict[str, Any] = {}
    own_id: object = None
    try:
        if not isinstance(obj, Mapping):
            raise RegionError("not_a_region", "an item is a JSON object")
        system = _system(obj)
        make, properties, own_id = _parts(obj, fields)
        properties = plain(properties)
        given, properties = split_circle(make(), properties)
        geometry, notes = tidy(given)
        return Item(number, properties, geometry, _id(own_id), notes=(*system, *notes))
    except RegionError as error:
        return Item(
            number,
            properties if error.code != "nested_too_deep" else {},
            None,
            _id(own_id),
            error=error,
        )


def _system(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Notes on the system that a Feature or its geometry names; PostGIS writes it into each."""
    notes: tuple[str, ...] = ()
    for holder in (obj, obj.get("geometry")):
        if (
            isinstance(holder, Mapping)
            and "crs" in holder
            and (holder is not obj or obj.get("type") in ("Feature", *_GEOMETRIES))
        ):
            notes, refused = crs_notes(holder["crs"])
            if refused is not None:
                raise RegionError("crs_unsupported", refused)
    return notes


def _parts(obj: Mapping[str, Any], fields: object) -> Parts:
    kind = obj.get("type")
    if kind == "Feature":
        return _feature(obj)
    if isinstance(kind, str) and kind in _GEOMETRIES:
        return (
            (partial(our_circle, obj) if kind == "Point" and "radius" in obj else lambda: obj),
            {},
            obj.get("id"),
        )
    if "geometryCenter" in obj or (
        isinstance(obj.get("geometry"), Mapping) and "properties" not in obj
    ):
        return _radar(obj)
    if isinstance(obj.get("Geometry"), Mapping):
        return _amazon(obj)
    if "object" in obj or isinstance(obj.get("point"), Mapping):
        return _tile38(obj, fields)
    if isinstance(obj.get("geometry"), Mapping) and isinstance(obj.get("properties"), Mapping):
        return _feature(obj)
    return _named(obj)


def _feature(obj: Mapping[str, Any]) -> Parts:
    """RFC 7946; members beside `properties` (TomTom's `name`) join them."""
    properties = obj.get("properties")
    if properties is not None and not isinstance(properties, Mapping):
        raise RegionError(
            "not_a_region", "the properties of a Feature must be an object", "/properties"
        )
    beside = {name: value for name, value in obj.items() if name not in _FEATURE}
    geometry = obj.get("geometry")
    if isinstance(geometry, Mapping) and geometry.get("type") == "Point" and "radius" in geometry:
        return (
            partial(our_circle, {**obj, "properties": {}}),
            {**beside, **(properties or {})},
            obj.get("id"),
        )
    return lambda: geometry, {**beside, **(properties or {})}, obj.get("id")


def _radar(obj: Mapping[str, Any]) -> Parts:
    """Radar sends centre and radius with areas, too: only what is called a circle is one."""
    rest = {
        name: value
        for name, value in obj.items()
        if name not in ("geometry", "geometryCenter", "geometryRadius", "_id")
    }
    rest = {name: value for name, value in rest.items() if (name, value) not in _SAYS_NOTHING}
    geometry = obj.get("geometry")
    area = isinstance(geometry, Mapping) and geometry.get("type") in ("Polygon", "MultiPolygon")
    if "geometryRadius" in obj and (obj.get("type") == "circle" or not area):
        centre = obj.get("geometryCenter")
        return (
            partial(
                our_circle, {"geometryCenter": centre, "geometryRadius": obj["geometryRadius"]}
            ),
            rest,
            obj.get("_id"),
        )
    return lambda: geometry, rest, obj.get("_id", obj.get("id"))


def _amazon(obj: Mapping[str, Any]) -> Parts:
    geometry = obj["Geometry"]
    rest = {
        name: value
        for name, value in obj.items()
        if name not in ("Geometry", "GeofenceId", "GeofenceProperties")
    }
    rest = {name: value for name, value in rest.items() if (name, value) not in _SAYS_NOTHING}
    own = obj.get("GeofenceProperties")
    properties = {**rest, **(own if isinstance(own, Mapping) else {})}
    if "Circle" in geometry:
        return partial(our_circle, {"Geometry": geometry}), properties, obj.get("GeofenceId")
    return partial(_amazon_area, geometry), properties, obj.get("GeofenceId")


def _amazon_area(geometry: Mapping[str, Any]) -> object:
    kind = next((name for name in ("Polygon", "MultiPolygon") if name in geometry), None)
    if kind is None:
        raise RegionError(
            "not_a_region", "the Geometry holds no Circle, Polygon or MultiPolygon", "/Geometry"
        )
    return {"type": kind, "coordinates": geometry[kind]}


def _tile38(obj: Mapping[str, Any], fields: object) -> Parts:
    values = obj.get("fields")
    named: dict[str, Any] = dict(values) if isinstance(values, Mapping) else {}
    if isinstance(values, list) and isinstance(fields, list):
        named = {str(name): value for name, value in zip(fields, values, strict=False)}
    if "object" not in obj:
        geometry, more, _ = _named(obj["point"])
        return geometry, {**more, **named}, obj.get("id")
    inner = obj["object"]
    if not isinstance(inner, Mapping):
        return lambda: None, {**named, "object": inner}, obj.get("id")
    if inner.get("type") == "Feature":
        geometry, more, _ = _feature(inner)
        return geometry, {**more, **named}, obj.get("id")
    return lambda: inner, named, obj.get("id")


def _named(obj: Mapping[str, Any]) -> Parts:
    """A plain object with lat and lng, and perhaps a radius in metres."""
    lat, lon, radius = (
        next((name for name in names if name in obj), None) for names in (_LAT, _LON, _RADIUS)
    )
    own_id = obj.get("id")
    if lat is None or lon is None:
        return lambda: None, dict(obj), own_id
    used = {lat, lon, radius}
    rest = {name: value for name, value in obj.items() if name not in used}
    if rest.get("type") == "circle":
        del rest["type"]
    if obj[lat] is None and obj[lon] is None:
        return lambda: None, rest, own_id
    if radius and obj[radius] is not None:
        return partial(_circle, obj[lat], obj[lon], obj[radius]), rest, own_id
    return partial(_point, obj[lat], obj[lon]), rest, own_id


def _point(lat: object, lon: object) -> dict[str, Any]:
    return point(_number(lat, "latitude"), _number(lon, "longitude"))


def _circle(lat: object, lon: object, radius: object) -> dict[str, Any] | None:
    radius_m = radius_in(radius) if isinstance(radius, str) else radius
    return our_circle(
        {"lat": _number(lat, "latitude"), "lon": _number(lon, "longitude"), "radius": radius_m}
    )


def _number(value: object, name: str) -> float:
    if isinstance(value, str):
        value = number_in(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RegionError("invalid_position", f"{name} must be a number", f"/{name}")
    try:
        return float(value)
    except OverflowError:
        raise RegionError(
            "invalid_position", f"{name} must be a finite number", f"/{name}"
        ) from None


def _id(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value) or None
    return (
        str(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        else None
    )
