"""A row as a geofence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from geofence.importing import cells
from geofence.importing.report import RowError
from geofence.importing.sheet import Row, check_kind, spot
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
    """The geofence that a row means, its region in the one form that is kept. Raises `RowError`."""
    region, centre = _region(row)
    name = cells.long_text(row.cell("name"), "name")
    external_id = row.external_id() or row.made_id(
        "gf", name or "", *spot(*centre, 3), _shape(name, region)
    )
    store, ring = (cells.name(row.cell(one), one) for one in ("store", "ring"))
    for field, value in (("store", store), ("ring", ring)):
        if value is not None and "/" in value:
            raise RowError(field, "invalid_text", "must not hold a slash")
    if ring is not None and store is None:
        raise RowError("ring", "invalid", "a ring needs its store")
    since_ms, until_ms = (
        cells.moment_ms(row.cell(one), one) for one in ("active_from", "active_until")
    )
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise RowError("active_until", "invalid_time", "active_until must come after active_from")
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


def kept_geofence(old: Geofence, new: Geofence, told: frozenset[str]) -> Geofence:
    """The new geofence, with what the file has no column for taken over from the old one."""
    more = {name: getattr(old, name) for name in KEPT if name not in told}
    more |= {name: getattr(old, name) for field, name in PAIRED.items() if field not in told}
    return replace(new, **more)


def _region(row: Row) -> tuple[dict[str, Any], tuple[float, float]]:
    geometry = row.item.geometry
    check_kind(geometry, "region")
    if (
        geometry is None
        or geometry["type"] == "Point"
        or (geometry["type"] == "circle" and row.plan.column.keys() & {"lat", "lon", "radius"})
    ):
        geometry = _circle(row, geometry)
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
        raise RowError(
            "region",
            "no_position",
            "there is no region: no geometry, and no columns for latitude and longitude",
        )
    if radius_m is None:
        raise RowError(
            "region", "no_radius", "a point needs a radius to be a geofence: a column radius_m"
        )
    return {"type": "circle", "lat": position[0], "lon": position[1], "radius_m": radius_m}


def _shape(name: str | None, region: dict[str, Any]) -> str:
    """What tells regions without a name apart."""
    return "" if name else msgspec.json.encode(region).decode()
