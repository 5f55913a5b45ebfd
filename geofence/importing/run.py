"""A file, brought in.

Its format found, its rows understood and put, the map looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from geofence.importing.lint_report import Touched
from geofence.importing.loader import Loader
from geofence.importing.mapping import check_given
from geofence.importing.report import Kind, Report
from geofence.importing.sheet import Sheet
from geofence.importing.sink import known_places, nowhere, onto_the_street
from geofence.model.place import Ring
from geofence.street.writer import Writer
from regions.readers import csv_file, format_of

COUNTED = 1 << 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be brought in.

    `name` is a format, media type or file name; `rings` None gives new stores one of 150 m.
    """

    kind: Kind
    dry_run: bool = False
    name: str = ""
    rings: tuple[Ring, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def import_file(
    street: Writer, project_id: str, path: Path, wish: Wish, tell: Callable[[int, int | None], None]
) -> Report:
    """Put what a file holds; may take minutes.

    `tell` hears of rows done, and of how many about, where lines can be counted.

    Raises `FileError` when nothing of it can be read, `Busy` or `RecordError` when nothing could be
    put.
    """
    form = format_of(path, wish.name or "none")
    check_given(form, path, wish.columns)
    report = Report(wish.kind, form.NAME, form.COUNTED, wish.dry_run)
    today = datetime.fromtimestamp(street.clock.now_ms() / 1000, UTC).date()
    queries = street.database.queries
    put = (
        nowhere(queries, project_id, wish.kind)
        if wish.dry_run
        else onto_the_street(street, project_id, wish.kind)
    )
    of = _lines(path) if form.COUNTED == "line" else None
    touched = Touched()
    look = csv_file.look(path) if form.NAME == "csv" else csv_file.Look((), {}, None)
    known = partial(known_places, queries, wish.kind, project_id)
    loader = Loader(
        Sheet(report, today, wish.rings, wish.columns, look.mark, known=known),
        put,
        touched.saw,
        lambda rows: tell(rows, of),
    )
    loader.load(form.read(path))
    try:
        read = {
            column: field
            for column, field in look.placed.items()
            if wish.columns.get(field, column) == column
        }
        report.columns = read | report.columns
        if loader.spent:
            report.warn(
                None, None, "not_looked_at", "the file took too long: GET /v1/lint looks at the map"
            )
        else:
            touched.look(queries, project_id, report)
    except Exception as error:  # noqa: BLE001 - the rows are in by now, and that is what must be told
        log.error("looking_broke", error=type(error).__name__)
        report.warn(
            None,
            None,
            "not_looked_at",
            "something went wrong in looking at the map afterwards: GET /v1/lint looks at it",
        )
    return report


def _lines(path: Path) -> int:
    lines = 0
    with path.open("rb") as file:
        while chunk := file.read(COUNTED):
            lines += chunk.count(b"\n")
    return lines
