"""One file during its import: how its columns are read, and what holds for all of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from geofence.importing import cells
from geofence.importing.columns import MOST_COLUMNS, Plan, make_plan
from geofence.importing.report import Report
from geofence.model.place import Ring
from regions.readers.item import Item
from regions.readers.values import Mark

MOST_PLANS = 1_000
LEAST_ROWS = 3  # to tell a column that never changes from one that is short
_PLACED = frozenset({"lat", "lon"})
_ROUND = _PLACED | {"radius", "radius_units"}


def _none_known(_: Sequence[str]) -> Mapping[str, Any]:
    return {}


@dataclass(slots=True)
class Sheet:
    """One file during its import.

    Args:
        given: Field -> column, as the caller says.
        rings: Rings of every store whose row names none. Without them only new stores get one,
            `NEAR`.
    """

    report: Report
    today: date
    rings: tuple[Ring, ...] | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None
    """The decimal mark of the file, where it is known."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Values that hold in every row, by the column that `given` names for them."""
    has_positions: bool = True
    """Whether rows can say where their place is; without it they only update known places."""
    known: Callable[[Sequence[str]], Mapping[str, Any]] = _none_known
    """The stores or geofences in the database that have these ids."""
    existing: Mapping[str, Any] = field(default_factory=dict)
    """The places that the next rows update, in a file without positions."""
    has_lengths: bool = False
    """Whether the report holds a note on how lengths were read."""
    made_ids: int = 0
    mended_ids: int = 0
    smoothed: Counter[str] = field(default_factory=Counter)
    """Areas with a cosmetic repair, by kind: reported once for the file."""
    counted_ids: bool = False
    """Whether the ids of the features only number them."""
    _no_id: str | None = None
    _plans: dict[tuple[tuple[str, ...], frozenset[str]], Plan] = field(default_factory=dict)

    def look(self, head: Sequence[Item], *, counted: bool) -> None:
        """Look at the first rows.

        A column with the same value in each of them is not their id, and neither is a number that
        only counts them (`counted`).
        """
        column = self.plan(head[0]).column.get("external_id") if head else None
        self.counted_ids = counted
        if counted and column is None:
            detail = (
                "the ids of the features are only their places in the file, "
                "so they were not read as ids"
            )
            self.report.warn(None, "external_id", "id_says_nothing", detail)
        if len(head) >= LEAST_ROWS:
            self._look_at_column(column, head)

    def own_id(self, item: Item) -> str | None:
        """The id that the format gives the feature, unless it only numbers it."""
        return None if self.counted_ids else item.id

    def with_constants(self, item: Item) -> Item:
        """The item with the values that hold in every row among its properties."""
        return item._replace(properties={**self.constants, **item.properties})

    def look_up(self, items: Sequence[Item]) -> None:
        """Read the places that these rows of a file without positions update."""
        names = {cells.text(self.id_cell(item)) or "" for item in items}
        self.existing = self.known(sorted(name.replace("/", ":") for name in names if name))

    def id_cell(self, item: Item) -> Any:
        """The cell of an item's id; None without such a column."""
        column = self.plan(item).column.get("external_id")
        return None if column is None else item.properties.get(column)

    def plan(self, item: Item) -> Plan:
        """How the columns of this item are read.

        Rows with the same columns and the same kind of geometry share one plan.
        """
        names, said = tuple(item.properties), self._said(item)
        plan = self._plans.get((names, said))
        if plan is None:
            plan = make_plan(names, self.report.kind, self.given, self._no_id, said)
            self._report_columns(plan)
            if len(self._plans) < MOST_PLANS:
                self._plans[names, said] = plan
        return plan

    def _look_at_column(self, column: str | None, head: Sequence[Item]) -> None:
        if column is None or "external_id" in self.given:
            return
        said = {cells.text(item.properties.get(column)) for item in head}
        if len(said) == 1 and None not in said:
            self._no_id = column
            self._plans.clear()
            self.report.columns.clear()
            detail = (
                f"the column {column[:100]!a} says the same in every row, so it was not read as "
                "the id; map=external_id:NAME chooses"
            )
            self.report.warn(None, "external_id", "id_says_nothing", detail)

    def _report_columns(self, plan: Plan) -> None:
        columns = self.report.columns
        for column, what in plan.report().items():
            is_fresh = column in columns or len(columns) < MOST_COLUMNS
            if columns.get(column, "metadata") == "metadata" and is_fresh:
                columns[column] = what

    def _said(self, item: Item) -> frozenset[str]:
        """The fields that the geometry of a row holds itself.

        A Point in Vienna with a property `breite` has a breadth, not a second latitude; only
        columns that the caller names count beside a geometry. In CSV, columns beside the area of a
        store say where the store is.
        """
        kind = None if item.geometry is None else item.geometry["type"]
        if kind is None:
            return frozenset() if item.error is None else _PLACED
        if kind not in ("Point", "circle"):
            if self.report.kind == "geofences":
                return _ROUND
            return frozenset() if self.report.format == "csv" else _PLACED
        named = {name for name in self.given if self.given[name] in item.properties}
        said = frozenset() if named & _PLACED else _PLACED
        return said | (_ROUND - _PLACED) if kind == "circle" and "radius" not in named else said
