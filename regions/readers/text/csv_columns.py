"""The columns of a CSV file: its delimiter, the names of its header, and where the position is."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TextIO

from regions.readers.geometry import looks_like_wkt
from regions.readers.text.column_names import AREA, LAT, LON, place_of, plain_name, radius_of
from regions.readers.text.encoding import lines_of
from regions.readers.values import Mark, clean, is_thousands, marks_in, nested_in, number_in

DELIMITERS = ",;\t|"
SAMPLE = 64  # records looked at to find the delimiter
_SAMPLE_CHARACTERS = 1024 * 1024


class Columns(NamedTuple):
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


def dialect(file: TextIO) -> tuple[str, bool, int]:
    """The delimiter by which the first records fall into most columns of equal number.

    Also whether a blank follows it before quotation marks, and how many lines precede the header.
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
    for line in islice(lines, SAMPLE):
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


def columns_of(
    header: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str
) -> tuple[Columns, tuple[str, ...]]:
    """The columns of a header, by its names and the first rows, with notes on renamed ones."""
    names, notes = _named([clean(name.strip().lstrip("\ufeff")) for name in header])
    plain_names = [plain_name(name) for name in names]
    lat, lon, radius = _position(plain_names)
    area = _area(plain_names, rows)
    place = {lat, lon, radius, area}
    rest = tuple((nth, name) for nth, name in enumerate(names) if nth not in place)
    beside = tuple((nth, names[nth]) for nth in (lat, lon, radius) if nth not in (None, area))
    mark = _mark_of(rows, [nth for nth in (lat, lon) if nth is not None])
    columns = Columns(lat, lon, radius, area, rest, beside, tuple(names), delimiter, mark)
    return columns, notes


def _position(names: Sequence[str]) -> tuple[int | None, int | None, int | None]:
    """Which columns are latitude, longitude and radius; all None without a position."""
    lat, lon = place_of(names, LAT), place_of(names, LON)
    if lat is None or lon is None:
        return None, None, None
    return lat, lon, radius_of(names)


def _mark_of(rows: Sequence[Sequence[str]], position: list[int]) -> Mark | None:
    """The decimal mark of the positions, else of the other numbers; None where they differ."""
    marks = marks_in(row[nth] for row in rows for nth in position if nth < len(row))
    marks = marks or marks_in(cell for row in rows for cell in row if not is_thousands(cell))
    return marks.pop() if len(marks) == 1 else None


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
                f"the column {name} is there more than once; "
                f"the one in place {nth + 1} is called {fresh}"
            )
        names[fresh] = None
    return list(names), tuple(notes)


def is_fraction(cell: str) -> bool:
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
