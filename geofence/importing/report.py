"""The report of an import: counts of rows, and notes on rows that need attention."""

from __future__ import annotations

from typing import Literal

import msgspec

from regions.lint.lint import Finding

MAX_NOTES = 1_000  # of each list; the rest is only counted

Kind = Literal["stores", "geofences"]


class Note(msgspec.Struct, frozen=True):
    """A note on a row, or on the whole file where `number` is null.

    `number` counts lines or features, as the report's `counted` says; `field` is one of this API;
    `code` is stable; `name` is the name or id of an erroneous row. A note never holds a position.
    """

    number: int | None
    field: str | None
    code: str
    detail: str
    name: str | None = None


class Found(msgspec.Struct, frozen=True):
    """A finding of the linter: a stable code, its geofences, and a sentence without a position."""

    code: str
    severity: Literal["warning", "note"]
    geofences: tuple[str, ...]
    detail: str
    value: float | None
    limit: float | None

    @classmethod
    def of(cls, finding: Finding) -> Found:
        """The finding as clients see it."""
        return cls(
            finding.code,
            finding.severity,
            finding.names,
            finding.detail,
            finding.value,
            finding.limit,
        )


class RowError(ValueError):
    """A row that is refused; the other rows go on."""

    def __init__(self, field: str | None, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.code, self.detail = field, code, detail


class Report(msgspec.Struct):
    """The outcome of an import.

    `rows` = `created` + `updated` + `unchanged` + `skipped` + `failed`.

    `complete` is false when the import ended early: the file breaks off or costs too much, or the
    service is busy or at fault. The counted rows are in, and the first of `errors` without a number
    says why. `columns` says which column was read as which field. `errors`, `repairs` and
    `warnings` hold the first 1,000 each; `failed`, `repaired` and `warned` count all of them.
    """

    kind: Kind
    format: str
    counted: Literal["line", "feature"]
    dry_run: bool
    complete: bool = True
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    repaired: int = 0
    warned: int = 0
    columns: dict[str, str] = {}
    errors: list[Note] = []
    repairs: list[Note] = []
    warnings: list[Note] = []
    lint: list[Found] = []

    def fail(self, number: int, error: RowError, name: str | None = None) -> None:
        """Count a refused row; `name` is its name or id."""
        self.failed += 1
        _add(self.errors, Note(number, error.field, error.code, error.detail, name))

    def end(self, error: RowError) -> None:
        """Mark the import as ended early."""
        self.complete = False
        self.errors.insert(0, Note(None, error.field, error.code, error.detail))

    @property
    def put(self) -> int:
        """Rows that are written, or would be."""
        return self.created + self.updated + self.unchanged

    def repair(self, number: int | None, field: str | None, code: str, detail: str) -> None:
        """Note that something was corrected."""
        self.repaired += 1
        _add(self.repairs, Note(number, field, code, detail))

    def warn(self, number: int | None, field: str | None, code: str, detail: str) -> None:
        """Note that something was left out, or needs a look."""
        self.warned += 1
        _add(self.warnings, Note(number, field, code, detail))


def _add(notes: list[Note], note: Note) -> None:
    if len(notes) < MAX_NOTES:
        notes.append(note)
