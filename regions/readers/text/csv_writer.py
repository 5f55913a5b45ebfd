"""Items written as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from regions.readers.binary.spool import Spool, spooled
from regions.readers.geometry import to_wkt
from regions.readers.item import Item
from regions.readers.text.column_names import LAT, LON, RADIUS, plain_name
from regions.readers.values import to_json

# What spreadsheets run (https://owasp.org/www-community/attacks/CSV_Injection), behind the
# apostrophes that stop them.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SIGNED = re.compile(r"[+-][0-9]+([.,][0-9]+)?")


def write_csv(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """UTF-8 with a mark, which spreadsheets need, and a comma; lines ended as RFC 4180 says.

    Points and circles are lat, lon and, where there are circles, radius_m; areas a column wkt.
    """
    with spooled(items) as spool, path.open("w", encoding="utf-8-sig", newline="") as file:
        own = _own_columns(spool)
        names = spool.names(own, [] if "lat" in own else [*LAT, *LON], folded=False)
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow([*names.values(), *own])
        for item in spool:
            cells = [_out(item.properties.get(name)) for name in names]
            out.writerow([*cells, *_place_out(item.geometry, own)])
        return (*_losses(spool), *spool.renamed(names))


def _own_columns(spool: Spool) -> list[str]:
    """The columns of the geometries."""
    own: list[str] = []
    if spool.kinds & {"Point", "circle"} or not spool.kinds:
        own = ["lat", "lon"]
        if "circle" in spool.kinds or any(map(_like_radius, spool.columns)):
            own.append("radius_m")
    return [*own, "wkt"] if spool.kinds - {"Point", "circle"} else own


def _like_radius(name: str) -> bool:
    """Whether a property would be read as the radius if there were no column for that."""
    return plain_name(name) in RADIUS


def _losses(spool: Spool) -> Iterator[str]:
    if spool.types - {"str", "null"}:
        yield (
            "CSV holds text: numbers, true and false come back as text, "
            "lists and objects as their JSON"
        )
    if spool.has_empty_text:
        yield "CSV does not tell an empty text from no value: both come back as no value"
    if spool.has_json_text:
        yield (
            "CSV does not tell a text that is written as JSON from the list or object itself: "
            "it comes back as that"
        )
    if spool.has_absent:
        yield "CSV has every column in every row: what an item did not have comes back as no value"


def _out(value: Any) -> str:
    """A cell.

    An apostrophe precedes text that a spreadsheet would run; the reader removes it.
    """
    if isinstance(value, str):
        return f"'{value}" if FORMULA.match(value) and not _SIGNED.fullmatch(value) else value
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
