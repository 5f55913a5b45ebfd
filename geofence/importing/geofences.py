"""A row as a geofence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from geofence.importing import cells
from geofence.importing.report import RowError
from geofence.importing.row import PLACE, Row, check_kind, spot
from geofence.model.place import Geofence
from regions.geojson import read_region, write_region
from regions.geometry.interior_point import interior_point
from regions.region import RegionError
from regions.validation.validate import is_cosmetic

KEPT = ("name", "tags", "metadata", "profile", "enabled")
PAIRED = {
    "store": "store_id",
    "ring": "ring",
    "active_from": "active_from_ms",
    "active_until": "active_until_ms",
}


def geofence_of(row: Row) -> Geofence:
    """The geofence that a row describes, its region in canonical form. Raises `RowError`."""
    name = cells.long_text(row.cell("name"), "name")
    if row.is_update():
        old = row.known()
        external_id, region = old.external_id, _resized(row, old.region)
    else:
        region, centre = _region(row)
        external_id = row.external_id() or row.made_id(
            "gf", name or "", *spot(*centre, 3), _shape(name, region)
        )
    store, ring = _store_and_ring(row)
    since_ms, until_ms = _active(row)
    enabled = cells.flag(row.cell("enabled"), "enabled")
    return Geofence(
        uid="",
        external_id=external_id,
        region=region,
        store_id=store,
        ring=ring,
        name=name,
        tags=row.optional(lambda cell, _: cells.tags(cell), "tags", ()),
        metadata=row.metadata(),
        profile=cells.profile(row.cell("profile")),
        active_from_ms=since_ms,
        active_until_ms=until_ms,
        enabled=enabled is not False,
    )


def kept_geofence(old: Geofence, new: Geofence, present: frozenset[str]) -> Geofence:
    """The new geofence, with every field that the file has no column for from the old one."""
    more = {name: getattr(old, name) for name in KEPT if name not in present}
    more |= {name: getattr(old, name) for field, name in PAIRED.items() if field not in present}
    if PLACE not in present:
        more["region"] = old.region
        if "radius" in present and old.region["type"] == "circle":
            more["region"] = {**old.region, "radius_m": new.region["radius_m"]}
    return replace(new, **more)


def _store_and_ring(row: Row) -> tuple[str | None, str | None]:
    store, ring = (cells.name(row.cell(one), one) for one in ("store", "ring"))
    for field, value in (("store", store), ("ring", ring)):
        if value is not None and "/" in value:
            raise RowError(field, "invalid_text", "must not hold a slash")
    if ring is not None and store is None:
        raise RowError("ring", "invalid", "a ring needs its store")
    return store, ring


def _active(row: Row) -> tuple[int | None, int | None]:
    since_ms, until_ms = (
        cells.moment_ms(row.cell(one), one) for one in ("active_from", "active_until")
    )
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise RowError("active_until", "invalid_time", "active_until must come after active_from")
    return since_ms, until_ms


def _resized(row: Row, region: dict[str, Any]) -> dict[str, Any]:
    """The region of a known geofence, with the radius that the row gives its circle, if any."""
    radius_m = row.radius_m()
    if radius_m is None:
        return region
    if region["type"] != "circle":
        detail = "the geofence is an area, and a radius is for circles only"
        raise RowError("radius", "not_a_circle", detail)
    return _canonical(row, {**region, "radius_m": radius_m})[0]


def _region(row: Row) -> tuple[dict[str, Any], tuple[float, float]]:
    """The region in canonical form, and a point (lat, lon) inside it."""
    geometry = row.item.geometry
    check_kind(geometry, "region")
    if (
        geometry is None
        or geometry["type"] == "Point"
        or (geometry["type"] == "circle" and row.plan.column.keys() & {"lat", "lon", "radius"})
    ):
        geometry = _circle(row, geometry)
    return _canonical(row, geometry)


def _canonical(row: Row, geometry: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[float, float]]:
    try:
        checked = read_region(geometry)
    except RegionError as error:
        raise RowError("region", error.code, error.detail) from None
    kinds = [(repair, is_cosmetic(repair)) for repair in checked.repairs]
    for repair, kind in kinds:
        if kind is None:
            row.repair("region", "repaired", repair)
    row.sheet.smoothed.update({kind for _, kind in kinds if kind is not None})
    return write_region(checked.region), interior_point(checked.region)


def _circle(row: Row, geometry: Mapping[str, Any] | None) -> dict[str, Any]:
    position, radius_m = row.position(), row.radius_m()
    if radius_m is None and geometry is not None:
        radius_m = geometry.get("radius_m")
    if position is None:
        raise row.no_position("region", "region")
    if radius_m is None:
        detail = "a point needs a radius to be a geofence: a column radius_m"
        raise RowError("region", "no_radius", detail)
    return {"type": "circle", "lat": position[0], "lon": position[1], "radius_m": radius_m}


def _shape(name: str | None, region: dict[str, Any]) -> str:
    """What distinguishes regions without a name."""
    return "" if name else msgspec.json.encode(region).decode()
