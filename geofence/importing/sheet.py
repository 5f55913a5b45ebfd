"""What stores and geofences have in common when they come out of a file.

The file as it is understood, ids, metadata.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from geofence import ids
from geofence.importing import cells
from geofence.importing.columns import MOST_COLUMNS, Plan, make_plan, unit_of
from geofence.importing.report import Report, RowError
from geofence.limits import MAX_METADATA_BYTES, MAX_NAME, document_fault, is_storable
from geofence.model.place import Ring
from regions.readers.item import Item
from regions.readers.values import METRES, Mark, length_notes

MOST_PLANS = 1_000
LEAST_ROWS = 3  # to tell a column that never changes from one that is short
_NO_PLACE = {
    "LineString": "a line",
    "MultiLineString": "a line of several parts",
    "MultiPoint": "several points",
    "GeometryCollection": "a collection of different geometries",
}
NEAR = Ring("near", 150.0)
_PLACED = frozenset({"lat", "lon"})
_ROUND = _PLACED | {"radius", "radius_units"}


def _unknown(_: Sequence[str]) -> Collection[str]:
    return ()


@dataclass(slots=True)
class Sheet:
    """A file on its way in.

    `given` is what the caller said of columns: field -> column; `rings` go to every store
    whose row names none; without them only new stores get one, `NEAR`.
    """

    report: Report
    today: date
    rings: tuple[Ring, ...] | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None
    """What parts decimals in the file, where that is known."""
    has_lengths: bool = False  # that need a word, which was said
    made_ids: int = 0
    mended_ids: int = 0
    smoothed: Counter[str] = field(default_factory=Counter)
    """Areas with a repair that takes nothing from them, by kind: told once for the file."""
    known: Callable[[Sequence[str]], Collection[str]] = _unknown
    """Which of these ids the record has."""
    counted_ids: bool = False
    """Whether the features' own ids are only their places in the file."""
    _no_id: str | None = None
    _plans: dict[tuple[tuple[str, ...], frozenset[str]], Plan] = field(default_factory=dict)

    def look(self, head: Sequence[Item], *, counted: bool) -> None:
        """Look at the first rows.

        What says the same in each of them is not their id, and neither is what only counts them.
        """
        column = self.plan(head[0]).column.get("external_id") if head else None
        self.counted_ids = counted
        if counted and column is None:
            detail = "the ids of the features are only their places in the file, so they were not read as ids"
            self.report.warn(None, "external_id", "id_says_nothing", detail)
        if len(head) >= LEAST_ROWS:
            self._look_at_column(column, head)

    def own_id(self, item: Item) -> str | None:
        """The id that the format gives the feature, unless it says nothing."""
        return None if self.counted_ids else item.id

    def _look_at_column(self, column: str | None, head: Sequence[Item]) -> None:
        if column is None or "external_id" in self.given:
            return
        said = {cells.text(item.properties.get(column)) for item in head}
        if len(said) == 1 and None not in said:
            self._no_id = column
            self._plans.clear()
            self.report.columns.clear()
            detail = f"the column {column[:100]!a} says the same in every row, so it was not read as the id; map=external_id:NAME chooses"
            self.report.warn(None, "external_id", "id_says_nothing", detail)

    def plan(self, item: Item) -> Plan:
        """How the columns of this item are read.

        Rows with the same columns and a like geometry share one.
        """
        names, said = tuple(item.properties), self._said(item)
        plan = self._plans.get((names, said))
        if plan is None:
            plan = make_plan(names, self.report.kind, self.given, self._no_id, said)
            self._tell_columns(plan)
            if len(self._plans) < MOST_PLANS:
                self._plans[names, said] = plan
        return plan

    def _tell_columns(self, plan: Plan) -> None:
        told = self.report.columns
        for column, what in plan.report().items():
            if told.get(column, "metadata") == "metadata" and (
                column in told or len(told) < MOST_COLUMNS
            ):
                told[column] = what

    def _said(self, item: Item) -> frozenset[str]:
        """The fields that the geometry of a row says itself.

        A Point that stands in Vienna with a property `breite` has a breadth; only what the caller
        names counts all the same. Beside the area of a store, columns of CSV say where it stands.
        """
        kind = None if item.geometry is None else item.geometry["type"]
        if kind is None:
            return frozenset() if item.error is None else _PLACED
        if kind not in ("Point", "circle"):
            return (
                _ROUND
                if self.report.kind == "geofences"
                else _PLACED
                if self.report.format != "csv"
                else frozenset()
            )
        named = {name for name in self.given if self.given[name] in item.properties}
        said = frozenset() if named & _PLACED else _PLACED
        return said | (_ROUND - _PLACED) if kind == "circle" and "radius" not in named else said


@dataclass(slots=True)
class Row:
    """One item with its plan, and where a word about it goes."""

    sheet: Sheet
    item: Item
    plan: Plan

    def cell(self, name: str) -> Any:
        """The value of the column of a field; None where there is none."""
        column = self.plan.column.get(name)
        return None if column is None else self.item.properties.get(column)

    def warn(self, name: str | None, code: str, detail: str) -> None:
        """Something of this row was left out."""
        self.sheet.report.warn(self.item.number, name, code, detail)

    def repair(self, name: str | None, code: str, detail: str) -> None:
        """Something of this row was put right."""
        self.sheet.report.repair(self.item.number, name, code, detail)

    def optional(self, read: Any, name: str, otherwise: Any = None) -> Any:
        """`read(cell, name)`; a cell that cannot be used is told and left out."""
        try:
            return read(self.cell(name), name)
        except RowError as error:
            self.warn(error.field, error.code, f"{error.detail}; left out")
            return otherwise

    def fields_present(self) -> frozenset[str]:
        """The fields of a store or geofence that this row speaks of; others stay as they are.

        `rings` is among them where the row, or the caller, says which they all are; `radius` where
        it says one. An empty cell says neither: what would go with a ring are the visits there.
        """
        told = self.plan.fields_present - {"rings", "radius"}
        if self.says("rings"):
            return told | {"rings"}
        if self.says("radius") or (
            self.item.geometry is not None and self.item.geometry["type"] == "circle"
        ):
            return told | {"radius"}
        return told if self.sheet.rings is None else told | {"rings"}

    def says(self, name: str) -> bool:
        """Whether the cell of a field is there and not empty."""
        return cells.text(self.cell(name)) is not None

    def has_area(self) -> bool:
        """Whether the geometry of the row is more than a point or a circle."""
        return self.item.geometry is not None and self.item.geometry["type"] not in (
            "Point",
            "circle",
        )

    def has_ended(self) -> bool:
        """Whether the place is closed for good.

        Where nobody can tell, it is not, and that is told.
        """
        try:
            return "end_date" in self.plan.column and cells.has_ended(
                self.cell("end_date"), self.sheet.today
            )
        except RowError as error:
            self.warn(error.field, error.code, f"{error.detail}; the place was taken as open")
            return False

    def external_id(self) -> str | None:
        """The id in the file, its slashes made colons (a slash belongs to rings); None without one.

        Raises `RowError`.
        """
        found = cells.name(self.cell("external_id"), "external_id") or cells.name(
            self.sheet.own_id(self.item), "external_id"
        )
        if found is None or "/" not in found:
            return found
        self.sheet.mended_ids += 1
        return found.replace("/", ":")

    def called(self) -> str | None:
        """What the row calls itself, by name or else by id, for a word about it."""
        said = (
            cells.text(self.cell("name"))
            or cells.text(self.cell("external_id"))
            or cells.text(self.item.id)
        )
        return (
            "".join(filter(str.isprintable, said))[:MAX_NAME] or None
            if said and is_storable(said)
            else None
        )

    def made_id(self, prefix: str, *facts: object) -> str:
        """An id made from facts, the same whenever the same place comes again."""
        self.sheet.made_ids += 1
        return ids.of_facts(prefix, *facts)

    def radius_m(self) -> float | None:
        """What the row says of a radius, in metres. Raises `RowError`."""
        column = self.plan.column.get("radius")
        if column is None:
            return None
        said = (cells.text(self.cell("radius_units")) or "").lower()
        if said and said not in METRES:
            raise RowError(
                "radius_units",
                "invalid_radius",
                f"{cells.quoted(said)} is no unit: m, km, mi or ft",
            )
        mark = self.sheet.mark
        found = cells.metres(self.cell("radius"), said or unit_of(column), mark=mark)
        for told in () if self.sheet.has_lengths else length_notes(self.cell("radius"), mark):
            self.sheet.has_lengths = True
            self.repair("radius", "reading", told)
        return found

    def position(self) -> tuple[float, float] | None:
        """(lat, lon) of the columns that hold them, or of a Point; None where the row tells none.

        Raises `RowError`.
        """
        code = "invalid_position"
        lat, lon = (
            cells.number(self.cell("lat"), "lat", code),
            cells.number(self.cell("lon"), "lon", code),
        )
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
        """The column of that name, and every column that is nothing else.

        Bounded, and told what was left out.
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
        while len(found) and not cells.fits(found):
            largest = max(found, key=lambda name: cells.size({name: found[name]}))
            del found[largest]
            detail = f"{largest[:100]!a} was left out: metadata must not be larger than {MAX_METADATA_BYTES:,} bytes"
            self.warn("metadata", "metadata_too_large", detail)
        return found


def _point_of(geometry: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if geometry["type"] == "circle":
        return geometry["lat"], geometry["lon"]
    if geometry["type"] == "Point":
        return geometry["coordinates"][1], geometry["coordinates"][0]
    return None, None


def check_kind(geometry: Mapping[str, Any] | None, field: str | None) -> None:
    """Raise `RowError` for a geometry that is no place, saying what it is."""
    what = _NO_PLACE.get(geometry["type"]) if geometry is not None else None
    if what is not None:
        raise RowError(field, "not_a_region", f"is {what}; only points and areas are read")


def spot(lat: float, lon: float, digits: int) -> tuple[str, str]:
    """A position as facts for `made_id`.

    The two sides of the 180th meridian are one, and so are 0 and -0.
    """
    lon = 180.0 if round(lon, digits) == -180.0 else lon
    rounded_lat, rounded_lon = round(lat, digits) + 0.0, round(lon, digits) + 0.0
    return f"{rounded_lat:.{digits}f}", f"{rounded_lon:.{digits}f}"


def _check_position(lat: float, lon: float) -> None:
    if not (math.isfinite(lat) and math.isfinite(lon)):
        raise RowError("lat", "invalid_position", "the position must be finite numbers")
    if abs(lat) > 90.0:
        swapped = (
            "; latitude and longitude look swapped"
            if abs(lat) <= 180.0 and abs(lon) <= 90.0
            else ""
        )
        raise RowError("lat", "invalid_position", f"latitude must be from -90 to 90{swapped}")
    if abs(lon) > 180.0:
        raise RowError("lon", "invalid_position", "longitude must be from -180 to 180")
    if lat == 0.0 and lon == 0.0:
        raise RowError(
            "lat",
            "null_island",
            "latitude and longitude are both 0, which is what empty cells become",
        )
