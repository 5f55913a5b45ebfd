"""One import: detect the format, read the rows, write them, lint what changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from geofence.importing.lint_report import Touched
from geofence.importing.loader import Loader
from geofence.importing.mapping import check_columns, constant_columns
from geofence.importing.report import Kind, Report
from geofence.importing.sheet import Sheet
from geofence.importing.sink import dry_run, into_database, known_places
from geofence.model.place import Ring
from geofence.ports.queries import Queries
from geofence.street.writer import Writer
from regions.readers import Format, csv_file, format_of

READ_BYTES = 1 << 20
POSITION = frozenset({"lat", "lon", "region"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file.

    Args:
        kind: What the rows are.
        dry_run: Report everything, write nothing.
        name: A format, media type or file name, where the content leaves a choice.
        rings: Rings of every store whose row names none. None gives new stores one of 150 m.
        columns: Field -> column, for columns whose names do not tell.
        constants: Field -> value that holds in every row.
    """

    kind: Kind
    dry_run: bool = False
    name: str = ""
    rings: tuple[Ring, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


def import_file(
    street: Writer,
    project_id: str,
    path: Path,
    options: ImportOptions,
    progress: Callable[[int, int | None], None],
) -> Report:
    """Write what a file holds. A large file takes minutes.

    Args:
        progress: Receives the rows done, and about how many there are (None where the format has
            no lines to count).

    Raises:
        FileError: Nothing of the file can be read.
        Busy, RecordError: Nothing could be written.
    """
    form = format_of(path, options.name or "none")
    check_columns(form, path, options.columns)
    look = csv_file.look(path) if form.NAME == "csv" else None
    queries = street.database.queries
    sheet = _sheet(street, project_id, form, options, look)
    put = (
        dry_run(queries, project_id, options.kind)
        if options.dry_run
        else into_database(street, project_id, options.kind)
    )
    total = _lines(path) if form.COUNTED == "line" else None
    touched = Touched()
    loader = Loader(sheet, put, touched.add, lambda rows: progress(rows, total))
    loader.load(form.read(path))
    sheet.report.columns = _placed(look, sheet) | sheet.report.columns
    _finish(sheet.report, loader, touched, queries, project_id)
    return sheet.report


def _sheet(
    street: Writer,
    project_id: str,
    form: Format,
    options: ImportOptions,
    look: csv_file.Look | None,
) -> Sheet:
    constants = constant_columns(options.constants)
    return Sheet(
        Report(options.kind, form.NAME, form.COUNTED, options.dry_run),
        datetime.fromtimestamp(street.clock.now_ms() / 1000, UTC).date(),
        options.rings,
        {**options.columns, **constants},
        None if look is None else look.mark,
        constants={column: options.constants[field] for field, column in constants.items()},
        has_positions=look is None or not POSITION.isdisjoint(look.placed.values()),
        known=partial(known_places, street.database.queries, options.kind, project_id),
    )


def _placed(look: csv_file.Look | None, sheet: Sheet) -> dict[str, str]:
    """The columns of a CSV that became the position, without those that `map` or `set` replace."""
    placed = {} if look is None else look.placed
    return {
        column: field
        for column, field in placed.items()
        if sheet.given.get(field, column) == column
    }


def _finish(
    report: Report, loader: Loader, touched: Touched, queries: Queries, project_id: str
) -> None:
    """Lint the map. The rows are written by now, so a failure becomes a warning."""
    if loader.spent:
        detail = "the file took too long: GET /v1/lint looks at the map"
        report.warn(None, None, "not_looked_at", detail)
        return
    try:
        touched.lint_into(report, queries, project_id)
    except Exception as error:  # noqa: BLE001 - the report must say that the rows are written
        log.error("lint_failed", error=type(error).__name__)
        detail = "something went wrong in looking at the map afterwards: GET /v1/lint looks at it"
        report.warn(None, None, "not_looked_at", detail)


def _lines(path: Path) -> int:
    lines = 0
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            lines += chunk.count(b"\n")
    return lines
