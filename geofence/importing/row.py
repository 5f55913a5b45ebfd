"""One row of a file: its cells by field, its id, position, radius and metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geofence import ids
from geofence.importing import cells
from geofence.importing.columns import Plan, unit_of
from geofence.importing.report import RowError
from geofence.importing.sheet import Sheet
from geofence.limits import MAX_METADATA_BYTES, MAX_NAME, document_fault, is_storable
from regions.readers.item import Item
from regions.readers.values import METRES, length_notes

PLACE = "position"
"""In `fields_present` where the row says where its place is."""
_NO_PLACE = {
    "LineString": "a line",
    "MultiLineString": "a line of several parts",
    "MultiPoint": "several points",
    "GeometryCollection": "a collection of different geometries",
}


@dataclass(slots=True)
class Row:
    """One item with its plan, and the report that its notes go to."""

    sheet: Sheet
    item: Item
    plan: Plan

    def cell(self, name: str) -> Any:
        """The value of the column of a field; None where there is none."""
        column = self.plan.column.get(name)
        return None if column is None else self.item.properties.get(column)

    def warn(self, name: str | None, code: str, detail: str) -> None:
        """Report that something of this row was left out."""
        self.sheet.report.warn(self.item.number, name, code, detail)

    def repair(self, name: str | None, code: str, detail: str) -> None:
        """Report that something of this row was corrected."""
        self.sheet.report.repair(self.item.number, name, code, detail)

    def optional(self, read: Any, name: str, otherwise: Any = None) -> Any:
        """`read(cell, name)`; a cell that cannot be used is left out with a warning."""
        try:
            return read(self.cell(name), name)
        except RowError as error:
            self.warn(error.field, error.code, f"{error.detail}; left out")
            return otherwise

    def fields_present(self) -> frozenset[str]:
        """The fields of a store or geofence that this row sets; the others stay as they are.

        `rings` is among them where the row, or the caller, names all rings; `radius` where the row
        holds a radius. An empty cell is neither: visits would be lost with a ring. `position` is
        missing where the file has no column for it.
        """
        present = self.plan.fields_present - {"rings", "radius"}
        if not self.is_update():
            present |= {PLACE}
        if self.says("rings"):
            return present | {"rings"}
        if self.says("radius") or self._is_circle():
            return present | {"radius"}
        return present if self.sheet.rings is None else present | {"rings"}

    def says(self, name: str) -> bool:
        """Whether the cell of a field is there and not empty."""
        return cells.text(self.cell(name)) is not None

    def is_update(self) -> bool:
        """Whether the row can only change a known place: its file has no positions.

        Every column must be a known field: any other one may be the position, or half of it.
        """
        return (
            not self.sheet.has_positions
            and "external_id" in self.plan.column
            and not self.plan.rest
            and self.plan.column.keys().isdisjoint(("lat", "lon"))
        )

    def no_position(self, field: str, what: str) -> RowError:
        """The error of a row that says nowhere where its place is."""
        detail = f"there is no {what}: no columns for latitude and longitude, and no geometry"
        if not self.sheet.has_positions and self.plan.rest:
            detail += (
                f"; a list without them updates known {self.sheet.report.kind} where every column "
                f"is a field, and {self.plan.rest[0][:100]!a} is none"
            )
        return RowError(field, "no_position", detail)

    def known(self) -> Any:
        """The place that a row without a position updates.

        Raises:
            RowError: `no_position` for a row without an id, `unknown_id` for an unknown one.
        """
        name, kind = self.external_id(), self.sheet.report.kind.removesuffix("s")
        if name is None:
            detail = "the row has neither an id nor a position"
            raise RowError("external_id", "no_position", detail)
        found = self.sheet.existing.get(name)
        if found is None:
            raise unknown_id(name, kind)
        return found

    def has_area(self) -> bool:
        """Whether the geometry of the row is more than a point or a circle."""
        return self.item.geometry is not None and self.item.geometry["type"] not in (
            "Point",
            "circle",
        )

    def has_ended(self) -> bool:
        """Whether the place is closed for good; an end that cannot be read warns and is none."""
        try:
            return "end_date" in self.plan.column and cells.has_ended(
                self.cell("end_date"), self.sheet.today
            )
        except RowError as error:
            self.warn(error.field, error.code, f"{error.detail}; the place was taken as open")
            return False

    def external_id(self) -> str | None:
        """The id in the file; None without one.

        Slashes become colons: a slash belongs to rings. Raises `RowError`.
        """
        found = cells.name(self.cell("external_id"), "external_id") or cells.name(
            self.sheet.own_id(self.item), "external_id"
        )
        if found is None or "/" not in found:
            return found
        self.sheet.mended_ids += 1
        return found.replace("/", ":")

    def label(self) -> str | None:
        """The name of the row, or else its id, for a note about it."""
        said = (
            cells.text(self.cell("name"))
            or cells.text(self.cell("external_id"))
            or cells.text(self.item.id)
        )
        if not said or not is_storable(said):
            return None
        return "".join(filter(str.isprintable, said))[:MAX_NAME] or None

    def made_id(self, prefix: str, *facts: object) -> str:
        """An id made from facts, the same for every import of the same place."""
        self.sheet.made_ids += 1
        return ids.of_facts(prefix, *facts)

    def radius_m(self) -> float | None:
        """The radius in the row's columns, in metres; None without one. Raises `RowError`."""
        column = self.plan.column.get("radius")
        if column is None:
            return None
        unit = (cells.text(self.cell("radius_units")) or "").lower()
        if unit and unit not in METRES:
            detail = f"{cells.quoted(unit)} is no unit: m, km, mi or ft"
            raise RowError("radius_units", "invalid_radius", detail)
        mark = self.sheet.mark
        found = cells.metres(self.cell("radius"), unit or unit_of(column), mark=mark)
        for note in () if self.sheet.has_lengths else length_notes(self.cell("radius"), mark):
            self.sheet.has_lengths = True
            self.repair("radius", "reading", note)
        return found

    def position(self) -> tuple[float, float] | None:
        """(lat, lon) from their columns, or from a Point; None where the row has none.

        Raises `RowError`.
        """
        code = "invalid_position"
        lat = cells.number(self.cell("lat"), "lat", code)
        lon = cells.number(self.cell("lon"), "lon", code)
        geometry = self.item.geometry
        if lat is None and lon is None and geometry is not None:
            lat, lon = _point_of(geometry)
        if lat is None and lon is None:
            return None
        if lat is None or lon is None:
            raise RowError("lat" if lat is None else "lon", code, "is missing")
        _check_position(lat, lon)
        return lat, lon

    def metadata(self) -> dict[str, Any]:
        """The cell of that field, and every column that is no other field.

        Warns of what it leaves out: invalid values, and the largest ones beyond
        `MAX_METADATA_BYTES`.
        """
        found: dict[str, Any] = self.optional(
            lambda cell, _: dict(cells.metadata(cell)), "metadata", {}
        )
        properties = self.item.properties
        for column in self.plan.rest:
            value = properties.get(column)
            if value is None or value == "":
                continue
            fault = document_fault(value) or document_fault(column)
            if fault:
                self.warn("metadata", "invalid_metadata", f"{column[:100]!a}: {fault}; left out")
            else:
                found[column] = value
        self._shrink(found)
        return found

    def _shrink(self, metadata: dict[str, Any]) -> None:
        while metadata and not cells.fits(metadata):
            largest = max(metadata, key=lambda name: cells.size({name: metadata[name]}))
            del metadata[largest]
            detail = (
                f"{largest[:100]!a} was left out: metadata must not be larger than "
                f"{MAX_METADATA_BYTES:,} bytes"
            )
            self.warn("metadata", "metadata_too_large", detail)

    def _is_circle(self) -> bool:
        return self.item.geometry is not None and self.item.geometry["type"] == "circle"


def unknown_id(name: str, kind: str) -> RowError:
    """The error of a row without a position whose id the database does not know."""
    detail = (
        f"there is no {kind} with the id {cells.quoted(name)} to update, and a new one needs a "
        "position: columns lat and lon, or a geometry"
    )
    return RowError("external_id", "unknown_id", detail)


def check_kind(geometry: Mapping[str, Any] | None, field: str | None) -> None:
    """Raise `RowError` for a geometry that is neither a point nor an area."""
    what = _NO_PLACE.get(geometry["type"]) if geometry is not None else None
    if what is not None:
        raise RowError(field, "not_a_region", f"is {what}; only points and areas are read")


def spot(lat: float, lon: float, digits: int) -> tuple[str, str]:
    """A position in degrees as facts for `made_id`.

    The two sides of the 180th meridian are the same, and so are 0 and -0.
    """
    lon = 180.0 if round(lon, digits) == -180.0 else lon
    rounded_lat, rounded_lon = round(lat, digits) + 0.0, round(lon, digits) + 0.0
    return f"{rounded_lat:.{digits}f}", f"{rounded_lon:.{digits}f}"


def _point_of(geometry: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if geometry["type"] == "circle":
        return geometry["lat"], geometry["lon"]
    if geometry["type"] == "Point":
        return geometry["coordinates"][1], geometry["coordinates"][0]
    return None, None


def _check_position(lat: float, lon: float) -> None:
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise RowError("lat", "invalid_position", "the position must be finite numbers")
    if abs(lat) > 90.0:
        is_swapped = abs(lat) <= 180.0 and abs(lon) <= 90.0
        hint = "; latitude and longitude look swapped" if is_swapped else ""
        raise RowError("lat", "invalid_position", f"latitude must be from -90 to 90{hint}")
    if abs(lon) > 180.0:
        raise RowError("lon", "invalid_position", "longitude must be from -180 to 180")
    if lat == 0.0 and lon == 0.0:
        detail = "latitude and longitude are both 0, which is what empty cells become"
        raise RowError("lat", "null_island", detail)
