"""CSV with a header, of any delimiter and encoding.

The position's columns are found by their names, or by being well-known text.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, TextIO

from regions.readers.binary.spool import Spool, spooled
from regions.readers.geometry import circle, from_wkt, looks_like_wkt, point, tidy, to_wkt
from regions.readers.item import ROW_SWALLOWED, FileError, Item, bounded, not_found
from regions.readers.text.column_names import (
    AREA,
    LAT,
    LON,
    RADIUS,
    is_text,
    place_of,
    plain_name,
    radius_of,
)
from regions.readers.text.encoding import encoding_of, encoding_of_head, lines_of, told
from regions.readers.values import (
    Mark,
    clean,
    from_cell,
    is_thousands,
    length_told,
    marks_in,
    nested_in,
    number_in,
    radius_in,
    to_json,
)
from regions.region import RegionError

NAME = "csv"
SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
MEDIA = ("text/csv", "text/tab-separated-values")
COUNTED: Literal["line"] = "line"

DELIMITERS = ",;\t|"
_SAMPLE = 64  # records looked at to find the delimiter
_SAMPLE_CHARACTERS = 1024 * 1024
_WIDTH = 10_000  # columns
_FIELD = 8 * 1024 * 1024  # characters of one cell: an area of 10,000 vertices needs half of one
# What spreadsheets run (https://owasp.org/www-community/attacks/CSV_Injection), behind the
# apostrophes that stop them.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_BREAK = re.compile("\r\n|\r|\n")
_SIGNED = re.compile(r"[+-][0-9]+([.,][0-9]+)?")
csv.field_size_limit(max(csv.field_size_limit(), _FIELD))


class _Columns(NamedTuple):
    """Where the geometry stands in a row, and what the other cells are called."""

    lat: int | None
    lon: int | None
    radius: int | None
    area: int | None
    rest: tuple[tuple[int, str], ...]
    beside: tuple[tuple[int, str], ...]
    """`lat`, `lon` and `radius` with their names."""
    names: tuple[str, ...]
    delimiter: str
    mark: Mark | None
    """What parts decimals in this file, where its positions or other numbers tell."""


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
            yield from bounded(_rows(file, told(encoding)))
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
) -> tuple[_Columns, tuple[str, ...], list[tuple[int, list[str]]], Iterator[tuple[int, list[str]]]]:
    """The columns with what is to be told of them, the first records and the others.

    Raises `FileError`.
    """
    delimiter, blanks, skip = _dialect(file)
    records = _records(file, delimiter, blanks, skip)
    first = next(records, None)
    if first is None:
        raise FileError("empty", "the file has no header line")
    if len(first[1]) > _WIDTH:
        raise FileError(
            "too_large", f"the header has {len(first[1]):,} columns; the limit is {_WIDTH:,}"
        )
    peeked = list(islice(records, _SAMPLE))
    columns, renamed = _columns(first[1], [row for _, row in peeked], delimiter)
    if (
        None in (columns.lat, columns.lon)
        and columns.area is None
        and sum(map(_is_fraction, first[1])) >= 2
    ):
        raise FileError(
            "no_header",
            "the first line holds data; above it belongs a line with the names of the columns: id,name,lat,lon",
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
                f"a quotation mark in the record on line {before + 1:,} is opened, and nothing closes it",
            )
        if any(row) and before >= skip:
            yield before + 1, row
        before = rows.line_num


def _dialect(file: TextIO) -> tuple[str, bool, int]:
    """The delimiter by which the first records fall into most columns of equal number.

    Whether a blank follows it before
    quotation marks; lines to skip before the header.
    """
    lines = list(_sample(lines_of(file)))
    file.seek(0)
    first = lines[0].lstrip("\ufeff").strip().lower() if lines else ""
    if first in {f"sep={each}" for each in DELIMITERS}:
        return first[4:], False, 1  # Excel's own line
    found = max(DELIMITERS, key=lambda each: _evenness(lines, each))
    return found, any(f'{found} "' in line for line in lines), 0


def _sample(lines: Iterator[str]) -> Iterator[str]:
    left = _SAMPLE_CHARACTERS
    for line in islice(lines, _SAMPLE):
        yield line[:left]
        left -= len(line)
        if left <= 0:
            return


def _evenness(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(row)]
    except csv.Error:
        return 0.0, 0
    width = len(rows[0]) if rows else 1
    known = sum(plain_name(name) in (*LAT, *LON, *AREA) for name in rows[0]) if rows else 0
    even = sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0.0
    return even + known, width


def _columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str
) -> tuple[_Columns, tuple[str, ...]]:
    names, notes = _named([clean(name.strip().lstrip("\ufeff")) for name in header])
    plain_names = [plain_name(name) for name in names]
    lat, lon, radius = (
        place_of(plain_names, LAT),
        place_of(plain_names, LON),
        radius_of(plain_names),
    )
    if lat is None or lon is None:
        lat = lon = radius = None
    area = _area(plain_names, rows)
    taken = {lat, lon, radius, area}
    rest = tuple((nth, name) for nth, name in enumerate(names) if nth not in taken)
    beside = tuple((nth, names[nth]) for nth in (lat, lon, radius) if nth not in (None, area))
    marks = marks_in(
        row[nth] for row in rows for nth in (lat, lon) if nth is not None and nth < len(row)
    )
    marks = marks or marks_in(cell for row in rows for cell in row if not is_thousands(cell))
    return _Columns(
        lat,
        lon,
        radius,
        area,
        rest,
        beside,
        tuple(names),
        delimiter,
        marks.pop() if len(marks) == 1 else None,
    ), notes


def _named(header: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Every column with a name of its own.

    The second `name` is `name_2`, one without a name is `column_4`.
    """
    names: dict[str, None] = {}
    counts: dict[str, int] = {}
    notes = []
    for nth, name in enumerate(header):
        fresh = name or f"column_{nth + 1}"
        while fresh in names:
            counts[name] = counts.get(name, 1) + 1
            fresh = f"{name}_{counts[name]}"
        if name and fresh != name:
            notes.append(
                f"the column {name} is there more than once; the one in place {nth + 1} is called {fresh}"
            )
        names[fresh] = None
    return list(names), tuple(notes)


def _is_fraction(cell: str) -> bool:
    """Whether a cell is a number that is not whole, as no column is called."""
    found = number_in(cell.strip())
    return found is not None and math.isfinite(found) and not found.is_integer()


def _area(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The column whose first filled cell is a geometry: well-known text or GeoJSON."""
    for word in AREA:
        if word in names:
            nth = names.index(word)
            cell = next(
                (row[nth].strip() for row in rows if nth < len(row) and row[nth].strip()), ""
            )
            if looks_like_wkt(cell) or isinstance(nested_in(cell), dict):
                return nth
    return None


def _item(line: int, row: list[str], columns: _Columns, notes: tuple[str, ...]) -> Item:
    width = len(columns.names)
    notes = (*notes, *_swallowed(line, row, columns))
    if len(row) < width or any(row[width:]):
        detail = f"the row has {len(row):,} cells where the header has {width:,}"
        return Item(line, {}, None, error=RegionError("wrong_width", detail), notes=notes)
    properties = {name: _cell(name, row[nth]) for nth, name in columns.rest}
    try:
        geometry, told_here = _geometry(row, columns)
    except RegionError as error:
        return Item(line, properties, None, error=error, notes=notes)
    if (
        columns.area is not None and row[columns.area].strip()
    ):  # what says a position, too, is kept beside the area
        properties |= {name: _cell(name, row[nth]) for nth, name in columns.beside}
    return Item(line, properties, geometry, notes=(*notes, *told_here))


def _swallowed(line: int, row: list[str], columns: _Columns) -> tuple[str, ...]:
    """A word where cells run over lines and hold as many delimiters as the rows would that these lines look like."""
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
    return (
        f"{ROW_SWALLOWED}: lines {line:,} to {last:,} were read as one row, because a cell in them is quoted from one line to another",
    )


def _cell(name: str, text: str) -> Any:
    if text[:1] == "'" and _FORMULA.match(text):
        text = text[1:]
    if not text.isascii() or "\0" in text:
        text = clean(text)
    return from_cell(text) if text[:1] in ("[", "{") and not is_text(name) else text or None


def _geometry(row: list[str], columns: _Columns) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
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
    return circle(lat, lon, radius_in(radius, mark=columns.mark)), length_told(radius, columns.mark)


def _number(text: str, what: str) -> float:
    found = number_in(text)
    if found is None:
        told = {"lat": "the latitude", "lon": "the longitude"}[what]
        raise RegionError(
            "invalid_position",
            f"{told} is not a number" if text else f"{told} is missing",
            f"/{what}",
        )
    return found


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """UTF-8 with a mark, which spreadsheets need, and a comma; lines ended as RFC 4180 says.

    Points and circles are lat, lon and, where there are circles, radius_m; areas a column wkt.
    """
    with spooled(items) as spool, path.open("w", encoding="utf-8-sig", newline="") as file:
        own = [*(["lat", "lon"] if spool.kinds & {"Point", "circle"} or not spool.kinds else [])]
        own += (
            ["radius_m"]
            if "lat" in own and ("circle" in spool.kinds or any(map(_like_radius, spool.columns)))
            else []
        )
        own += ["wkt"] if spool.kinds - {"Point", "circle"} else []
        names = spool.names(own, [] if "lat" in own else [*LAT, *LON], folded=False)
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow([*names.values(), *own])
        for item in spool:
            out.writerow(
                [
                    *(_out(item.properties.get(name)) for name in names),
                    *_place_out(item.geometry, own),
                ]
            )
        return (*_losses(spool), *spool.renamed(names))


def _like_radius(name: str) -> bool:
    """Whether a property would be read as the radius if there were no column for that."""
    return plain_name(name) in RADIUS


def _losses(spool: Spool) -> Iterator[str]:
    if spool.types - {"str", "null"}:
        yield "CSV holds text: numbers, true and false come back as text, lists and objects as their JSON"
    if spool.has_empty_text:
        yield "CSV does not tell an empty text from no value: both come back as no value"
    if spool.has_json_text:
        yield "CSV does not tell a text that is written as JSON from the list or object itself: it comes back as that"
    if spool.has_absent:
        yield "CSV has every column in every row: what an item did not have comes back as no value"


def _out(value: Any) -> str:
    """A cell.

    Before what a spreadsheet would run goes an apostrophe, which `read` takes away again.
    """
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) and not _SIGNED.fullmatch(value) else value
    return "" if value is None else to_json(value)


def _place_out(geometry: dict[str, Any] | None, own: list[str]) -> list[str]:
    if geometry is None:
        return [""] * len(own)
    kind = geometry["type"]
    if kind == "circle":
        cells = {
            "lat": repr(geometry["lat"]),
            "lon": repr(geometry["lon"]),
            "radius_m": repr(geometry["radius_m"]),
        }
    elif kind == "Point":
        cells = {"lat": repr(geometry["coordinates"][1]), "lon": repr(geometry["coordinates"][0])}
    else:
        cells = {"wkt": to_wkt(geometry)}
    return [cells.get(name, "") for name in own]
