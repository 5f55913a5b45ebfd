"""What an import tells: every row counted once, and a word about each that did not go smoothly."""

from __future__ import annotations

from typing import Literal

import msgspec

from regions.lint.lint import Finding

TOLD = 1_000  # of each kind one by one; the rest is counted

Kind = Literal["stores", "geofences"]


class Note(msgspec.Struct, frozen=True):
    """A word about a row, or, where `number` is null, about the whole file.

    `field` is ours, `code` never changes its meaning.

    `number` counts what the report's `counted` says; `name` is what an erroneous row calls itself.
    Never holds a position.
    """

    number: int | None
    field: str | None
    code: str
    detail: str
    name: str | None = None


class Found(msgspec.Struct, frozen=True):
    """A finding of the linter.

    A stable code, the geofences it is about, and a sentence without any position.
    """

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
    """A row that cannot be taken; the others can."""

    def __init__(self, field: str | None, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.code, self.detail = field, code, detail


class Report(msgspec.Struct):
    """The outcome of an import.

    `rows` = `created` + `updated` + `unchanged` + `skipped` + `failed`.

    `complete` is false when it ended early, by a file that breaks off or costs too much, or a
    service too busy or at fault: what came before is in, and the first of `errors` without a number
    says why. `columns` says which column was read as what. `errors`, `repairs` and `warnings` hold
    the first 1,000 each; `failed`, `repaired` and `warned` count them all.
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
        """A row that was not taken, and what it calls itself."""
        self.failed += 1
        _add(self.errors, Note(number, error.field, error.code, error.detail, name))

    def end(self, error: RowError) -> None:
        """The import ends early."""
        self.complete = False
        self.errors.insert(0, Note(None, error.field, error.code, error.detail))

    @property
    def put(self) -> int:
        """Rows that are in the record, or would be."""
        return self.created + self.updated + self.unchanged

    def repair(self, number: int | None, field: str | None, code: str, detail: str) -> None:
        """Something of a row was put right."""
        self.repaired += 1
        _add(self.repairs, Note(number, field, code, detail))

    def warn(self, number: int | None, field: str | None, code: str, detail: str) -> None:
        """Something of a row was left out, or should be looked at."""
        self.warned += 1
        _add(self.warnings, Note(number, field, code, detail))


def _add(notes: list[Note], note: Note) -> None:
    if len(notes) < TOLD:
        notes.append(note)
