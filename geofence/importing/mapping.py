"""Check the columns and constants that the caller names, so that none is silently ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from regions.readers import Format, csv_file
from regions.readers.item import FileError, Item
from regions.readers.text.column_names import LAT, LON, RADIUS, plain_name
from regions.readers.values import number_in

HEAD = 100  # rows that tell the columns of most files
MAX_NAMES = 30  # columns that one error lists
# Fields that differ from row to row: a constant would make all rows the same place.
NOT_CONSTANT = frozenset({"external_id", "lat", "lon"})
_MAX_NAME = 60  # characters of a name in an error
# A column with one of these names may be gone from the properties: readers make the geometry of it.
_PLACED = {
    **dict.fromkeys(LAT, "lat"),
    **dict.fromkeys(LON, "lon"),
    **dict.fromkeys(RADIUS, "radius"),
}
_TABLES = frozenset({"geoparquet", "geopackage"})  # formats that may hold positions as columns


def check_columns(form: Format, path: Path, given: Mapping[str, str]) -> None:
    """Check that every column of `given` (field -> column) is there and can be read as its field.

    Raises:
        FileError: `no_column` where no row of the file has the column, `column_in_use` where the
            reader makes another part of the geometry of it.
    """
    if not given:
        return
    if form.NAME == "csv":
        look = csv_file.look(path)
        _check_in_use(given, look.placed)
        _refuse([name for name in given.values() if name not in look.names], look.names)
        return
    head: list[Item] = []
    rows = form.read(path)
    try:
        head.extend(islice(rows, HEAD))
    except FileError:
        if not any(item.properties for item in head):
            raise  # nothing of the file can be read, which is the better error
        rows = iter(())
    columns = dict.fromkeys(name for item in head for name in item.properties)
    missing = _missing(given, columns, _used(form, head))
    with suppress(FileError):  # the import reports where the file breaks off
        missing = _still_missing(missing, rows)
    _refuse(missing, columns)


def constant_columns(constants: Mapping[str, str]) -> dict[str, str]:
    """Field -> name of a column that is in no file, for fields with a constant value."""
    return {field: f"set={field}" for field in constants}


def _missing(given: Mapping[str, str], columns: Collection[str], used: set[str]) -> list[str]:
    """Columns that the first rows do not have.

    A column that readers take out of the properties counts as present, for its own field only.
    """
    lost = {field: name for field, name in given.items() if name not in columns}
    placed = {name: _PLACED.get(plain_name(name), "") for name in lost.values()}
    placed = {name: field for name, field in placed.items() if field in used}
    _check_in_use(lost, placed)
    return [name for name in lost.values() if name not in placed]


def _used(form: Format, head: list[Item]) -> set[str]:
    """Fields that the reader takes from columns of this file, as far as its first rows show."""
    kinds = {item.geometry["type"] for item in head if item.geometry is not None}
    return ({"radius"} if "circle" in kinds else set()) | (
        {"lat", "lon"} if form.NAME in _TABLES and kinds & {"Point", "circle"} else set()
    )


def _check_in_use(given: Mapping[str, str], placed: Mapping[str, str]) -> None:
    for field, name in given.items():
        if placed.get(name, field) != field:
            raise FileError(
                "column_in_use",
                f"the column {_short(name)} is read as {placed[name]}, so it cannot be {field}, "
                "too; rename it in the file",
            )


def _still_missing(missing: list[str], rows: Iterator[Item]) -> list[str]:
    """Those of the missing columns that no later row has: in GeoJSON a property may come late."""
    for item in rows if missing else ():
        missing = [name for name in missing if name not in item.properties]
        if not missing:
            break
    return missing


def _refuse(missing: list[str], columns: Collection[str]) -> None:
    if missing and columns:
        detail = f"there is no column {_short(missing[0])}; the columns are {_listed(columns)}"
        raise FileError("no_column", detail)


def _listed(columns: Collection[str]) -> str:
    """The first names.

    A name that is a number is left out: it is a value in a file without a header, and may be a
    position.
    """
    names = [_short(name) for name in columns if number_in(name) is None]
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return (", ".join(names[:MAX_NAMES]) + more) or "without names"


def _short(name: str) -> str:
    return repr(name if len(name) <= _MAX_NAME else name[: _MAX_NAME - 1] + "…")
