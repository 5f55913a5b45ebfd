"""Regions as JSON: our own form, RFC 7946, and the peers' ways to write a circle.

The only file that knows [lon, lat].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from shapely import Polygon

from regions.geometry.boundary import parts
from regions.geometry.ellipsoid import Floats
from regions.region import Circle, Region, RegionError
from regions.validation.validate import (
    LON_UNROLLED,
    Checked,
    check_area,
    check_circle,
    check_counts,
    number,
)

__all__ = ["Checked", "canonical", "read_region", "write_feature", "write_region"]

_DEPTH = 4  # Feature in FeatureCollection in ...
_METRES = {
    "m": 1.0,
    "meters": 1.0,
    "metres": 1.0,
    "km": 1000.0,
    "kilometers": 1000.0,
    "mi": 1609.344,
    "miles": 1609.344,
    "ft": 0.3048,
}
_LAT = ("lat", "latitude")
_LON = ("lon", "lng", "longitude")
_RADIUS = ("radius_m", "radius")
_OURS = ("type", "lat", "lon", "radius_m")


def read_region(obj: object) -> Checked:
    """The region that a JSON value means.

    Takes `{"type": "circle", "lat", "lon", "radius_m"}`; a GeoJSON Polygon or MultiPolygon; a
    Feature, or a collection of exactly one, of them; and the circles of Radar, Tile38, Azure Maps,
    TomTom, Amazon Location, Klaviyo and their like. Longitudes of rings may run past 180. Raises
    `RegionError`, and nothing else, whatever it is given.
    """
    return _read(obj, "", _DEPTH)


def canonical(obj: object) -> dict[str, Any]:
    """The form we store and answer with. Raises `RegionError`."""
    return write_region(read_region(obj).region)


def write_region(region: Region) -> dict[str, Any]:
    """Our circle, or an RFC 7946 geometry.

    Closed rings, outer ones counter-clockwise, cut at the 180th meridian.
    """
    if isinstance(region, Circle):
        return {"type": "circle", "lat": region.lat, "lon": region.lon, "radius_m": region.radius_m}
    polygons = [_rings_out(part) for part in parts(region.shape)]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def write_feature(
    region: Region,
    properties: Mapping[str, Any] | None = None,
    id: str | None = None,  # noqa: A002 - GeoJSON's name
) -> dict[str, Any]:
    """A GeoJSON Feature.

    A circle becomes a Point with `subType: "Circle"` and `radius` in metres, as Azure Maps writes
    it.
    """
    own = dict(properties or {})
    geometry: dict[str, Any] = write_region(region)
    if isinstance(region, Circle):
        geometry = {"type": "Point", "coordinates": [region.lon, region.lat]}
        own |= {"subType": "Circle", "radius": region.radius_m}
    feature = {"type": "Feature", "geometry": geometry, "properties": own}
    return feature if id is None else {**feature, "id": id}


def _rings_out(polygon: Polygon) -> list[list[list[float]]]:
    return [[[x, y] for x, y in ring.coords] for ring in (polygon.exterior, *polygon.interiors)]


def _read(obj: object, at: str, depth: int) -> Checked:
    if not isinstance(obj, Mapping):
        raise RegionError(
            "not_a_region", "a region is a JSON object: a circle or a GeoJSON geometry", at
        )
    if depth == 0:
        raise RegionError("not_a_region", f"the region is wrapped more than {_DEPTH} deep", at)
    kind = obj.get("type")
    if kind == "Feature":
        return _feature(obj, at, depth)
    if kind in ("FeatureCollection", "GeometryCollection"):
        return _only_one(
            obj, "features" if kind == "FeatureCollection" else "geometries", at, depth
        )
    if kind in ("Polygon", "MultiPolygon"):
        return _area(obj.get("coordinates"), kind == "MultiPolygon", at + "/coordinates")
    if "geometryCenter" in obj and _is_area(obj.get("geometry"), obj):
        return _read(obj["geometry"], f"{at}/geometry", depth - 1)
    found = _circle(obj, at) or _amazon(obj, at, depth)
    if found:
        return found
    raise RegionError(
        "not_a_region",
        "the type must be circle, Polygon, MultiPolygon or a Feature of one",
        at + "/type",
    )


def _only_one(obj: Mapping[Any, object], member: str, at: str, depth: int) -> Checked:
    items = obj.get(member)
    if not isinstance(items, list):
        raise RegionError("not_a_region", f"{member} must be an array", f"{at}/{member}")
    if len(items) != 1:
        raise RegionError(
            "not_a_region",
            f"the collection holds {len(items):,} {member}; a region is exactly one",
            f"{at}/{member}",
        )
    return _read(items[0], f"{at}/{member}/0", depth - 1)


def _feature(obj: Mapping[Any, object], at: str, depth: int) -> Checked:
    geometry, properties = obj.get("geometry"), obj.get("properties")
    if isinstance(geometry, Mapping) and geometry.get("type") == "Point":
        named = properties if isinstance(properties, Mapping) else {}
        for source, where in ((named, f"{at}/properties"), (geometry, f"{at}/geometry")):
            if (
                "Circle" in (source.get("type"), source.get("subType"), source.get("shapeType"))
                or "radius" in source
            ):
                return Checked(
                    _point_circle(
                        geometry.get("coordinates"), source, f"{at}/geometry/coordinates", where
                    )
                )
        raise RegionError(
            "not_a_region",
            "a Point needs a radius in its properties to be a region",
            f"{at}/properties",
        )
    return _read(geometry, f"{at}/geometry", depth - 1)


def _point_circle(
    position: object, source: Mapping[Any, object], position_at: str, at: str
) -> Circle:
    lon, lat = _pair(position, position_at)
    name = next(
        (name for name in ("radius", "radius_m", "geometryRadius", "Radius") if name in source),
        "radius",
    )
    value = source.get(name)
    units = source.get("radius_units", "m")
    scale = _METRES.get(units.lower()) if isinstance(units, str) else None
    if scale is None:
        raise RegionError(
            "not_a_region", "radius_units must be m, km, mi or ft", f"{at}/radius_units"
        )
    pointers = (f"{position_at}/1", f"{position_at}/0", f"{at}/{name}")
    return check_circle(
        lat, lon, value if scale == 1.0 else number(value, pointers[2], "radius") * scale, pointers
    )


def _pair(position: object, at: str) -> tuple[object, object]:
    if not isinstance(position, list | tuple) or len(position) < 2:
        raise RegionError("invalid_position", "a position is [longitude, latitude]", at)
    return position[0], position[1]


def _circle(obj: Mapping[Any, object], at: str) -> Checked | None:
    """Our circle, Radar's (sent or answered), a bare Point with a radius, or lat/lng/radius."""
    centre = obj.get("geometryCenter")
    if isinstance(centre, Mapping) and "geometryRadius" in obj:
        return Checked(
            _point_circle(centre.get("coordinates"), obj, f"{at}/geometryCenter/coordinates", at)
        )
    kind = obj.get("type")
    if "coordinates" in obj and (
        kind in ("circle", "Circle") or (kind == "Point" and "radius" in obj)
    ):
        return Checked(_point_circle(obj["coordinates"], obj, f"{at}/coordinates", at))
    if kind in ("circle", "Circle"):
        return _ours(obj, at)
    if kind is not None:
        return None
    names = [
        next((name for name in given if name in obj), given[0]) for given in (_LAT, _LON, _RADIUS)
    ]
    return _named(obj, at, names) if all(name in obj for name in names) else None


def _is_area(geometry: object, obj: Mapping[Any, object]) -> bool:
    """Radar answers an area with a centre and a radius beside its rings.

    Only what it calls a circle is one.
    """
    return (
        obj.get("type") != "circle"
        and isinstance(geometry, Mapping)
        and geometry.get("type") in ("Polygon", "MultiPolygon")
    )


def _ours(obj: Mapping[Any, object], at: str) -> Checked:
    """Our circle holds its own fields and no other.

    A misspelt or second radius would mean another place than it says.
    """
    strange = next((str(name) for name in obj if name not in _OURS), None)
    if strange is not None:
        named = strange[:128].replace("~", "~0").replace("/", "~1") if strange.isprintable() else ""
        raise RegionError(
            "not_a_region",
            "a circle has the fields type, lat, lon and radius_m, and no other",
            f"{at}/{named}",
        )
    missing = next((name for name in _OURS if name not in obj), None)
    if missing:
        raise RegionError("not_a_region", f"the circle has no {missing}", f"{at}/{missing}")
    return _named(obj, at, _OURS[1:])


def _named(obj: Mapping[Any, object], at: str, names: Sequence[str]) -> Checked:
    lat, lon, radius = (obj[name] for name in names)
    return Checked(
        check_circle(lat, lon, radius, (f"{at}/{names[0]}", f"{at}/{names[1]}", f"{at}/{names[2]}"))
    )


def _amazon(obj: Mapping[Any, object], at: str, depth: int) -> Checked | None:
    if isinstance(obj.get("Geometry"), Mapping):
        return _read(obj["Geometry"], f"{at}/Geometry", depth - 1)
    circle = obj.get("Circle")
    if isinstance(circle, Mapping):
        return Checked(
            _point_circle(
                circle.get("Center"),
                {"Radius": circle.get("Radius")},
                f"{at}/Circle/Center",
                f"{at}/Circle",
            )
        )
    for name in ("Polygon", "MultiPolygon"):
        if name in obj:
            return _area(obj[name], name == "MultiPolygon", f"{at}/{name}")
    return None


def _area(coordinates: object, multi: bool, at: str) -> Checked:
    polygons = _arrays(coordinates, at) if multi else [coordinates]
    nested = [
        _arrays(polygon, f"{at}/{nth}" if multi else at) for nth, polygon in enumerate(polygons)
    ]
    rings = [
        (ring, f"{at}/{nth}/{i}" if multi else f"{at}/{i}")
        for nth, polygon in enumerate(nested)
        for i, ring in enumerate(polygon)
    ]
    if not rings or not all(nested):
        raise RegionError("empty", "the area has no ring", at)
    sizes = [len(_arrays(ring, where)) for ring, where in rings]
    check_counts(sum(sizes) - len(rings), len(rings), at)
    read = iter(
        [
            _positions(cast("list[object]", ring), where, nth)
            for nth, (ring, where) in enumerate(rings, 1)
        ]
    )
    return check_area([[next(read) for _ in polygon] for polygon in nested], at, parted=multi)


def _arrays(value: object, at: str) -> list[object]:
    if not isinstance(value, list | tuple):
        raise RegionError(
            "invalid_position", "coordinates must be nested arrays of [longitude, latitude]", at
        )
    return cast("list[object]", value)


def _positions(ring: list[object], at: str, ring_no: int) -> Floats:
    """(n, 2) lon/lat; altitudes are dropped. Refusals tell the ring and the point, both from 1."""
    found = np.empty((len(ring), 2))
    for nth, position in enumerate(ring):
        where, named = f"{at}/{nth}", f"point {nth + 1} of ring {ring_no}"
        lon, lat = _pair(position, where)
        found[nth] = (
            number(lon, f"{where}/0", f"longitude of {named}"),
            number(lat, f"{where}/1", f"latitude of {named}"),
        )
    for axis, limit, name in ((1, 90.0, "latitude"), (0, LON_UNROLLED, "longitude")):
        bad = np.nonzero(np.abs(found[:, axis]) > limit)[0]
        if len(bad):
            named = f"{name} of point {bad[0] + 1} of ring {ring_no}"
            detail = (
                f"{named} must be within {limit:g} degrees; positions are [longitude, latitude]"
            )
            raise RegionError("invalid_position", detail, f"{at}/{bad[0]}/{axis}")
    return found
