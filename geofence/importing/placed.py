"""Which columns of a CSV file became the position: its reader keeps them, and who asks should not have to guess."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from pathlib import Path

from geofence.importing.headers import make_plan, normal
from geofence.importing.report import Kind
from regions.readers.text import encoding_of_head

HEAD = 64 * 1024
_DELIMITERS = ",;\t|"
_POSITION = ("lat", "lon", "radius")
_AREAS = {"wkt", "wkt_geom", "geom_wkt", "geometry", "geom", "the_geom", "geojson", "polygon", "shape", "boundary", "area"}


def placed_by(path: Path, kind: Kind, others: Collection[str]) -> dict[str, str]:
    """Column -> `lat`, `lon`, `radius` or `region`, of a file whose `others` columns are known; empty where the header is strange."""
    return _among([name for name in header_of(path, others) if name not in others], kind)


def header_of(path: Path, some: Collection[str]) -> list[str]:
    """All columns of a CSV file of which `some` are known, those that became the position among them; none where it is strange."""
    line = _first_line(path)
    for delimiter in _DELIMITERS:
        header = [name.strip() for name in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
        if len(header) > 1 and set(some) <= set(header):
            return header
    return []


def _among(names: list[str], kind: Kind) -> dict[str, str]:
    column = make_plan(names, kind, {}).column
    found = {column[field]: field for field in _POSITION if field in column}
    return found | {name: "region" for name in names if normal(name) in _AREAS}


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD)
    encoding = encoding_of_head(head)
    try:
        text = head.decode(encoding or "utf-8", "replace" if encoding else "strict")
    except UnicodeDecodeError:
        text = head.decode("cp1252", "replace")  # or the last letter was cut, which no header reaches
    return re.split(r"[\r\n]", text.lstrip("\ufeff\r\n"), maxsplit=1)[0]
