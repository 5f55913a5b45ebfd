"""CSV with a header, of any delimiter and encoding.

The position's columns are found by their names, or by being well-known text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from regions.readers.geometry import circle, from_wkt, point, tidy
from regions.readers.item import ROW_SWALLOWED, FileError, Item, bounded, not_found
from regions.readers.text.column_names import is_text
from regions.readers.text.csv_columns import (
    DELIMITERS,
    SAMPLE,
    Columns,
    columns_of,
    dialect,
    is_fraction,
)
from regions.readers.text.csv_writer import FORMULA, write_csv
from regions.readers.text.encoding import encoding_note, encoding_of, encoding_of_head, lines_of
from regions.readers.values import (
    Mark,
    clean,
    from_cell,
    length_notes,
    nested_in,
    number_in,
    radius_in,
)
from regions.region import RegionError

NAME = "csv"
SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
MEDIA = ("text/csv", "text/tab-separated-values")
COUNTED: Literal["line"] = "line"

_WIDTH = 10_000  # columns
_FIELD = 8 * 1024 * 1024  # characters of one cell: an area of 10,000 vertices needs half of one
_BREAK = re.compile("\r\n|\r|\n")
csv.field_size_limit(max(csv.field_size_limit(), _FIELD))


class Look(NamedTuple):
    """What a file says at a glance.

    Its columns, which of them became the position or the area, and its decimal mark.
    """

    names: tuple[str, ...]
    placed: dict[str, str]
    mark: Mark | None


def sniff(head: bytes, suffix: str) -> bool:
    """Text whose first line has a delimiter, or that is called CSV.

    Never JSON, XML or a binary file.
    """
    encoding = encoding_of_head(head)
    if b"\0" in head and encoding is None:
        return False
    text = head.decode(encoding or "latin-1", errors="replace").lstrip("\ufeff \r\n\t")
    if text[:1] in ("{", "[", "<", "\x1e") or text.startswith(("%PDF", "PK\x03\x04")):
        return False
    if sum(text.count(chr(code)) for code in (*range(1, 9), *range(14, 32))) > len(text) // 100:
        return False
    return suffix in SUFFIXES or any(
        delimiter in text.partition("\n")[0] for delimiter in DELIMITERS
    )


def read(path: Path) -> Iterator[Item]:
    """The rows of a file, one by one.

    A row that cannot be read has its error and its line; the others go on.
    """
    try:
        encoding = encoding_of(path)
        with path.open(encoding=encoding, newline="") as file:
            yield from bounded(_rows(file, encoding_note(encoding)))
    except csv.Error as error:
        raise FileError(
            "broken", "a cell never ends: a quotation mark is opened that nothing closes"
        ) from error
    except OSError as error:
        raise not_found() from error


def look(path: Path) -> Look:
    """What `read` makes of the file, without reading it all. Raises `FileError`."""
    try:
        with path.open(encoding=encoding_of(path), newline="") as file:
            columns, _, _, _ = _begun(file)
    except csv.Error as error:
        raise FileError(
            "broken", "a cell never ends: a quotation mark is opened that nothing closes"
        ) from error
    except OSError as error:
        raise not_found() from error
    where = (
        ("lat", columns.lat),
        ("lon", columns.lon),
        ("radius", columns.radius),
        ("region", columns.area),
    )
    return Look(
        columns.names,
        {columns.names[nth]: what for what, nth in where if nth is not None},
        columns.mark,
    )


def _begun(
    file: TextIO,
) -> tuple[Columns, tuple[str, ...], list[tuple[int, list[str]]], Iterator[tuple[int, list[str]]]]:
    """The columns with notes on them, the first records and the others.

    Raises `FileError`.
    """
    delimiter, blanks, skip = dialect(file)
    records = _records(file, delimiter, blanks, skip)
    first = next(records, None)
    if first is None:
        raise FileError("empty", "the file has no header line")
    if len(first[1]) > _WIDTH:
        raise FileError(
            "too_large", f"the header has {len(first[1]):,} columns; the limit is {_WIDTH:,}"
        )
    peeked = list(islice(records, SAMPLE))
    columns, renamed = columns_of(first[1], [row for _, row in peeked], delimiter)
    if (
        None in (columns.lat, columns.lon)
        and columns.area is None
        and sum(map(is_fraction, first[1])) >= 2
    ):
        raise FileError(
            "no_header",
            "the first line holds data; above it belongs a line with the names of the columns: "
            "id,name,lat,lon",
        )
    return columns, renamed, peeked, records


def _rows(file: TextIO, notes: tuple[str, ...]) -> Iterator[Item]:
    columns, renamed, peeked, records = _begun(file)
    notes = (*notes, *renamed)
    for line, row in (*peeked,):
        yield _item(line, row, columns, notes)
        notes = ()
    for line, row in records:
        yield _item(line, row, columns, ())


def _records(
    file: TextIO, delimiter: str, blanks: bool, skip: int
) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, cells) of each record that is not blank."""
    ended = False

    def lines() -> Iterator[str]:
        nonlocal ended
        yield from lines_of(file)
        ended = True

    rows = csv.reader(lines(), delimiter=delimiter, skipinitialspace=blanks)
    before = 0
    for row in rows:
        # the reader asked for one more line to finish this record: what it holds is the rest of the
        # file
        if ended:
            raise FileError(
                "broken",
                f"a quotation mark in the record on line {before + 1:,} is opened, "
                "and nothing closes it",
            )
        if any(row) and before >= skip:
            yield before + 1, row
        before = rows.line_num


def _item(line: int, row: list[str], columns: Columns, notes: tuple[str, ...]) -> Item:
    width = len(columns.names)
    notes = (*notes, *_swallowed(line, row, columns))
    if len(row) < width or any(row[width:]):
        detail = f"the row has {len(row):,} cells where the header has {width:,}"
        return Item(line, {}, None, error=RegionError("wrong_width", detail), notes=notes)
    properties = {name: _cell(name, row[nth]) for nth, name in columns.rest}
    try:
        geometry, place_notes = _geometry(row, columns)
    except RegionError as error:
        return Item(line, properties, None, error=error, notes=notes)
    if (
        columns.area is not None and row[columns.area].strip()
    ):  # the position stays a property beside the area
        properties |= {name: _cell(name, row[nth]) for nth, name in columns.beside}
    return Item(line, properties, geometry, notes=(*notes, *place_notes))


def _swallowed(line: int, row: list[str], columns: Columns) -> tuple[str, ...]:
    """A note on lines that one quoted cell may have swallowed.

    Cells that run over lines raise it where they hold as many delimiters as rows would.
    """
    long = [cell for cell in row if "\n" in cell or "\r" in cell]
    if not long:
        return ()
    lines = [_BREAK.split(cell) for cell in long]
    rows = sum(len(list(filter(str.strip, each))) - 1 for each in lines)
    if (
        not 0
        < rows * (len(columns.names) - 1)
        <= sum(cell.count(columns.delimiter) for cell in long)
    ):
        return ()
    last = line + sum(len(each) - 1 for each in lines)
    note = (
        f"{ROW_SWALLOWED}: lines {line:,} to {last:,} were read as one row, "
        "because a cell in them is quoted from one line to another"
    )
    return (note,)


def _cell(name: str, text: str) -> Any:
    if text[:1] == "'" and FORMULA.match(text):
        text = text[1:]
    if not text.isascii() or "\0" in text:
        text = clean(text)
    return from_cell(text) if text[:1] in ("[", "{") and not is_text(name) else text or None


def _geometry(row: list[str], columns: Columns) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    if columns.area is not None and (cell := row[columns.area].strip()):
        return tidy(nested_in(cell)) if cell.startswith("{") else from_wkt(cell)
    if columns.lat is None or columns.lon is None:
        return None, ()
    lat_text, lon_text = row[columns.lat].strip(), row[columns.lon].strip()
    if not lat_text and not lon_text:
        return None, ()
    lat, lon = _number(lat_text, "lat"), _number(lon_text, "lon")
    radius = row[columns.radius].strip() if columns.radius is not None else ""
    if not radius:
        return point(lat, lon), ()
    return circle(lat, lon, radius_in(radius, mark=columns.mark)), length_notes(
        radius, columns.mark
    )


def _number(text: str, what: str) -> float:
    found = number_in(text)
    if found is None:
        name = {"lat": "the latitude", "lon": "the longitude"}[what]
        raise RegionError(
            "invalid_position",
            f"{name} is not a number" if text else f"{name} is missing",
            f"/{what}",
        )
    return found


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """UTF-8 with a byte order mark, columns for the position; what was lost, in sentences."""
    return write_csv(items, path)
