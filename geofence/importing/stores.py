"""A row as a store."""

from __future__ import annotations

from msgspec.structs import replace

from geofence.errors import InputError
from geofence.importing import cells
from geofence.importing.address import address_of
from geofence.importing.opening_hours import hours_of
from geofence.importing.report import RowError
from geofence.importing.row import PLACE, Row, check_kind, spot
from geofence.limits import MAX_RINGS, MAX_TEXT
from geofence.model.place import Ring, Store
from geofence.places import editing
from geofence.places.opening_hours import check_hours
from regions.geojson import read_region
from regions.geometry.interior_point import interior_point
from regions.region import RegionError

NEAR = Ring("near", 150.0)
KEPT = ("brand", "address", "opening_hours", "tags", "metadata", "rings")


def store_of(row: Row) -> Store:
    """The store that a row describes, ready to be written. Raises `RowError`."""
    brand = row.optional(cells.name, "brand")
    name = cells.long_text(row.cell("name"), "name") or brand
    if row.is_update():
        old = row.known()
        external_id, lat, lon = old.external_id, old.lat, old.lon
    else:
        lat, lon = _position(row)
        external_id = row.external_id() or row.made_id(
            "st", brand or "", *spot(lat, lon, 4), name or ""
        )
    store = Store(
        external_id,
        name or external_id,
        lat,
        lon,
        brand,
        _address(row),
        _zone(row),
        _hours(row),
        row.optional(lambda cell, _: cells.tags(cell), "tags", ()),
        row.metadata(),
        _rings(row),
    )
    try:
        return editing.ready_store(store)
    except InputError as error:
        detail = error.errors[0][1] if error.errors else error.detail
        raise RowError(_field(error), error.code, detail) from None


def kept_store(old: Store, new: Store, present: frozenset[str]) -> Store:
    """The new store, with every field that the file has no column for from the old one."""
    more = {name: getattr(old, name) for name in KEPT if name not in present}
    if PLACE not in present:
        more |= {"lat": old.lat, "lon": old.lon}
        new = replace(new, lat=old.lat, lon=old.lon)
    if "time_zone" not in present and (old.lat, old.lon) == (new.lat, new.lon):
        more["time_zone"] = old.time_zone
    if "name" not in present:
        more["name"] = old.name
    if "radius" in present:
        more["rings"] = _resized(old.rings, new.rings)
    return replace(new, **more)


def _resized(old: tuple[Ring, ...], new: tuple[Ring, ...]) -> tuple[Ring, ...]:
    """The old rings, with the radii of new rings of the same names, then the other new rings."""
    radius_m = {ring.name: ring.radius_m for ring in new}
    kept = tuple(replace(ring, radius_m=radius_m.get(ring.name, ring.radius_m)) for ring in old)
    names = {ring.name for ring in old}
    return (*kept, *(ring for ring in new if ring.name not in names))[:MAX_RINGS]


def _position(row: Row) -> tuple[float, float]:
    found = _stated(row) if row.has_area() else row.position()
    if found is not None:
        return found
    if row.item.geometry is None:
        raise row.no_position("lat", "position")
    check_kind(row.item.geometry, None)
    try:
        area = read_region(row.item.geometry)
    except RegionError as error:
        raise RowError(None, error.code, error.detail) from None
    detail = "the store stands at a point inside its area; bring the area in as a geofence"
    row.warn("lat", "position_from_area", detail)
    lat, lon = interior_point(area.region)
    return round(lat, 7), round(lon, 7)  # a centimetre


def _stated(row: Row) -> tuple[float, float] | None:
    """The position in the columns of a store with an area; None without one in degrees."""
    try:
        found = row.position()
    except RowError as error:
        row.warn(error.field, error.code, f"{error.detail}; left out")
        return None
    if found is not None:
        detail = (
            "the store stands where its columns say, and its area was left out: "
            "bring it in as a geofence"
        )
        row.warn("region", "area_left_out", detail)
    return found


def _address(row: Row) -> str | None:
    found = address_of(row.item.properties, row.plan.column)
    if found is not None and len(found) > MAX_TEXT:
        detail = f"has {len(found):,} characters; the limit is {MAX_TEXT:,}; left out"
        row.warn("address", "too_long", detail)
        return None
    try:
        return cells.long_text(found, "address")
    except RowError as error:
        row.warn("address", error.code, f"{error.detail}; left out")
        return None


def _zone(row: Row) -> str | None:
    said = cells.text(row.cell("time_zone"))
    found = None if said is None else cells.zone(said)
    if said is not None and found is None:
        detail = (
            f"{cells.quoted(said)} names no IANA time zone such as Europe/Berlin; "
            "taken from the position"
        )
        row.warn("time_zone", "invalid_time_zone", detail)
    return found


def _hours(row: Row) -> str | None:
    said: str | None = None
    try:
        said = cells.long_text(row.cell("opening_hours"), "opening_hours")
        if said is None and row.plan.days:
            said = hours_of(
                (column, row.item.properties.get(name)) for name, column in row.plan.days
            )
        if said is not None:
            check_hours(said)
    except (RowError, ValueError) as error:
        row.warn("opening_hours", "invalid_hours", f"{error}; left out")
        return None
    except InputError as error:
        detail = f"{error.errors[0][1]}; left out: {(said or '')[:100]}"
        row.warn("opening_hours", error.code, detail)
        return None
    return said


def _rings(row: Row) -> tuple[Ring, ...]:
    if row.says("rings"):
        return cells.rings(row.cell("rings"), row.sheet.mark)
    radius_m = row.radius_m()
    geometry = row.item.geometry
    if radius_m is None and geometry is not None and geometry["type"] == "circle":
        radius_m = float(geometry["radius_m"])
    default = (NEAR,) if row.sheet.rings is None else row.sheet.rings
    return default if radius_m is None else (Ring(NEAR.name, radius_m),)


def _field(error: InputError) -> str | None:
    return error.errors[0][0].split("/")[1] if error.errors else None
