"""Columns that the caller names: they must be there, or what was meant is silently lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path

from regions.readers import Format, csv_file
from regions.readers.item import FileError
from regions.readers.text.column_names import LAT, LON, RADIUS, plain_name
from regions.readers.values import number_in

HEAD = 100  # rows that tell the columns of most files
TOLD = 30
_LONG = 60  # characters of a name
_EATEN = frozenset((*LAT, *LON, *RADIUS))  # what readers make the geometry of


def check_given(form: Format, path: Path, given: Mapping[str, str]) -> None:
    """Raise `FileError` `no_column` where `given` (field -> column) names a column that no row of the file has."""
    if not given:
        return
    columns: dict[str, None] = {}
    missing: list[str] = []
    places = 0
    try:
        rows = form.read(path)
        for item in islice(rows, HEAD):
            columns.update(dict.fromkeys(item.properties))
            places += item.geometry is not None
        header = csv_file.look(path).names if form.NAME == "csv" else ()
        missing = _missing(given, header or columns, eats=places > 0 and not header)
        columns = dict.fromkeys(header) or columns
        for item in rows if missing else ():  # a property may come late
            missing = [name for name in missing if name not in item.properties]
            if not missing:
                return
    except FileError:
        if not columns:
            raise  # it cannot be read at all, and that is what is told
    if missing and columns:
        raise FileError(
            "no_column",
            f"there is no column {_short(missing[0])}; the columns are {_listed(columns)}",
        )


def _missing(given: Mapping[str, str], columns: Collection[str], *, eats: bool) -> list[str]:
    lost = [name for name in given.values() if name not in columns]
    return [name for name in lost if not (eats and plain_name(name) in _EATEN)]


def _listed(columns: Collection[str]) -> str:
    """The first names.

    One that is a number is a value in a file without a header, and may be a position.
    """
    names = [_short(name) for name in columns if number_in(name) is None]
    more = f" and {len(names) - TOLD:,} more" if len(names) > TOLD else ""
    return (", ".join(names[:TOLD]) + more) or "without names"


def _short(name: str) -> str:
    return repr(name if len(name) <= _LONG else name[: _LONG - 1] + "…")
