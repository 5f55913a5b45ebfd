"""The report of an import, for a person: what is the same is said once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console

SHOWN = 20
_SAMPLES = 3
_LISTS = (
    ("errors", "red", "failed"),
    ("repairs", "yellow", "repaired"),
    ("warnings", "yellow", "warned"),
)


def show(console: Console, report: dict[str, Any]) -> None:
    """Print a report: columns, rows, errors, repairs, warnings, and findings about the map."""
    _show_columns(console, report)
    _show_counts(console, report)
    for title, style, total in _LISTS:
        _notes(console, title, report, report[total], style)
    for one in report["lint"][:SHOWN]:
        _say(console, f"map: {_finding(one)}", "cyan")
    if len(report["lint"]) > SHOWN:
        _say(console, "... more about the map: GET /v1/lint lists every finding", "cyan")
    if not report["complete"]:
        _say(console, "the import ended early; what is counted above is stored", "red")


def _show_columns(console: Console, report: dict[str, Any]) -> None:
    fields: dict[str, list[str]] = {}
    for column, what in report["columns"].items():
        fields.setdefault(what, []).append(column)
    for what, names in fields.items():
        console.print(f"{what:>14}  {', '.join(names)}", markup=False, highlight=False)


def _show_counts(console: Console, report: dict[str, Any]) -> None:
    counts = ", ".join(
        f"{report[name]:,} {name}"
        for name in ("created", "updated", "unchanged", "skipped", "failed")
    )
    tried = " (a dry run: nothing was written)" if report["dry_run"] else ""
    _say(console, f"{many(report['rows'], 'row')} of {report['format']}: {counts}{tried}")


def many(count: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _notes(console: Console, title: str, report: dict[str, Any], total: int, style: str) -> None:
    same: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for note in report[title]:
        alone = str(note["number"]) if note["number"] is None else ""
        same.setdefault((note["field"] or "", note["code"], note["detail"], alone), []).append(note)
    for (field, code, detail, _), notes in list(same.items())[:SHOWN]:
        where = _where(notes, report["counted"])
        _say(console, f"{where}{f', {field}' if field else ''}: {detail} ({code})", style)
    if len(same) > SHOWN or total > len(report[title]):
        _say(console, f"... {total:,} {title} in all; --json tells the first 1,000", style)


def _where(notes: list[dict[str, Any]], counted: str) -> str:
    """The rows that a word is about: the only one, with its name, or how many and some of them."""
    first = notes[0]
    if first["number"] is None:
        return "the file"
    if len(notes) == 1:
        called = first.get("name")
        return f"{counted} {first['number']:,}" + (f' ("{called}")' if called else "")
    numbers = [note["number"] for note in notes[:_SAMPLES]]
    return many(len(notes), counted) + _such_as(f"{number:,}" for number in numbers)


def _finding(found: dict[str, Any]) -> str:
    """A finding with the names of its geofences, where the sentence does not tell them itself."""
    names, detail = found["geofences"], found["detail"]
    if not names or f'"{names[0]}"' in detail or "…" in detail:
        return str(detail)
    if len(names) == 1:
        return f'"{names[0]}": {detail}'  # a finding about one geofence does not say its name
    return str(detail) + _such_as(f'"{name}"' for name in names[:_SAMPLES])


def _such_as(some: Iterable[str]) -> str:
    return f", such as {', '.join(some)}"


def _say(console: Console, words: str, style: str = "") -> None:
    console.print(words, style=style or None, markup=False, highlight=not style, soft_wrap=True)
