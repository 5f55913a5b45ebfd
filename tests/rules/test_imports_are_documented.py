"""docs/reference/imports.md has every code that may happen and every name of a column."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from geofence.errors import Busy, InputError, RecordError
from geofence.importing.columns import SYNONYMS
from regions.readers.text.column_names import AREA

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "imports.md").read_text(encoding="utf-8")
SOURCES = [*(ROOT / "geofence" / "importing").rglob("*.py"), *(ROOT / "regions").rglob("*.py")]
PLACE_OF_CODE = {"RowError": 1, "RegionError": 0, "FileError": 0, "warn": -2, "repair": -2}
FROM_BELOW = {
    Busy.code,
    RecordError.code,
    *(one.code for one in RecordError.__subclasses__()),
    InputError.code,
}
# said by a file that is not there or cannot be written, and by the index: no import comes so far
NEVER = {"not_found", "not_writable", "cover_too_large"}


def _said(path: Path) -> Iterator[str]:
    """The codes that a file names in what it raises and reports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr
            if isinstance(node.func, ast.Attribute)
            else node.func.id
            if isinstance(node.func, ast.Name)
            else ""
        )
        if name == "_say":
            yield from _constants(node.args[0])
        place = PLACE_OF_CODE.get(name)
        if place is not None and len(node.args) > max(place, 1):
            yield from _constants(node.args[place])


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def test_every_code_of_an_import_is_documented_and_no_other() -> None:
    happens = {code for path in SOURCES for code in _said(path)} | FROM_BELOW
    chapter = PAGE[PAGE.index("## Codes") : PAGE.index("## Exports")]
    rows = [line.split("|")[1] for line in chapter.splitlines() if line.startswith("| `")]
    refused = chapter[chapter.index("A file that cannot be read") :]
    documented = set(re.findall(r"`([a-z_]+)`", " ".join((*rows, refused))))
    assert happens - NEVER - documented == set()
    assert documented - happens == set()


def test_every_name_of_a_column_is_documented_in_its_order() -> None:
    chapter = PAGE[PAGE.index("### The names") : PAGE.index("## Codes")]
    listed: dict[tuple[str, str], str] = {}
    for line in chapter.splitlines():
        if line.startswith("| `"):
            field, of, names = (cell.strip(" `") for cell in line.strip("|").split("|"))
            listed |= {
                (kind, field): names
                for kind in (("stores", "geofences") if of == "both" else (of,))
            }
    assert listed == {
        (kind, field): ", ".join(words)
        for kind, fields in SYNONYMS.items()
        for field, words in fields.items()
    }
    assert ", ".join(AREA) in " ".join(chapter.split())
