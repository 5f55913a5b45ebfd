"""Values as files hold them, made plain; and plain values made to fit a cell."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, Literal, cast

from regions.readers.item import DEPTH, LENGTHS
from regions.region import RegionError

METRES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    **dict.fromkeys(("km", "kilometers", "kilometres"), 1000.0),
    **dict.fromkeys(("mi", "mile", "miles"), 1609.344),
    **dict.fromkeys(("ft", "feet"), 0.3048),
    "yd": 0.9144,
}
_LENGTH = re.compile(r"^([+-]?\d[\d.,]*(?:e[+-]?\d+)?)\s*([a-z]*)\.?$", re.IGNORECASE)
# 50,000 and 1.500.000: thousands, or a number with three decimals
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
Mark = Literal[".", ","]
_PARTED = re.compile(r"[+-]?\d+([.,])\d+")
_MARKS = {".": "point", ",": "comma"}
_JSON_CELL = 1 << 20  # characters; longer cells stay text


def plain(value: object, depth: int = DEPTH) -> Any:
    """A JSON value.

    Not-a-number and infinities become `None`, dates ISO text, numpy's numbers Python's.

    Raises `RegionError` `nested_too_deep`.
    """
    if isinstance(value, str):
        return value if value.isascii() and "\0" not in value else clean(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict | list | tuple):
        return _nested(value, depth)
    return _foreign(value, depth)


def clean(text: str) -> str:
    """Text that every database takes.

    Without zero characters and halves of characters (lone surrogates).
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _nested(value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int) -> Any:
    if depth == 0:
        raise RegionError(
            "nested_too_deep", f"the properties are nested more than {DEPTH} deep", "/properties"
        )
    if isinstance(value, dict):
        return {plain(str(key)): plain(each, depth - 1) for key, each in value.items()}
    return [plain(each, depth - 1) for each in value]


def _foreign(value: object, depth: int) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    listed = getattr(value, "tolist", None)  # numpy scalars and arrays
    return plain(listed(), depth) if listed is not None else str(value)


def number_in(text: str) -> float | None:
    """A number as people write it: 48.2, 48,2 or 1e2; `None` where it is none.

    It may be infinite or not a number.
    """
    if "_" in text:  # Python writes numbers this way; positions are not written so
        return None
    try:
        return float(text)
    except ValueError:
        pass  # a decimal comma is the second guess
    try:
        return float(text.replace(",", ".")) if text.count(",") == 1 and "." not in text else None
    except ValueError:
        return None


def radius_in(cell: object, unit: str = "m", mark: Mark | None = None) -> float:
    """Metres of `150`, `150 m`, `0,5 km` or `500ft`; `unit` where it names none.

    `mark` parts the decimals where that is known: without it, what may be thousands as well as
    decimals (`50,000`) is refused. Raises `RegionError` `invalid_radius`.
    """
    quoted = repr(cell if len(str(cell)) <= 40 else str(cell)[:39] + "…")
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if math.isfinite(cell):
            return float(cell) * METRES[unit]
    elif (
        isinstance(cell, str)
        and (match := _LENGTH.match(cell.strip()))
        and (scale := METRES.get((match[2] or unit).lower()))
    ):
        if mark is None and _is_grouped(match[1]):
            detail = (
                f"{quoted} may be thousands or a number with three decimals, "
                "and the file does not say which; write 50000 or 50.0"
            )
            raise RegionError("invalid_radius", detail, "/radius")
        found = _decimal(match[1], mark)
        if found is not None:
            return found * scale
    raise RegionError(
        "invalid_radius",
        f"{quoted} is no length such as 150, 150 m, 0.5 km, 500 ft or 0.3 mi",
        "/radius",
    )


def length_notes(cell: object, mark: Mark | None) -> tuple[str, ...]:
    """A sentence on a length that others may read otherwise.

    One with thousands, or with three decimals of which the last is 0.
    """
    match = _LENGTH.match(cell.strip()) if isinstance(cell, str) else None
    if (
        match is None
        or mark is None
        or not _is_grouped(match[1])
        or (mark in match[1] and match[1][-1] != "0")
    ):
        return ()
    what = "decimals" if mark in match[1] else "thousands"
    note = (
        f"{LENGTHS} {cell!r:.40} were read as numbers with {what}: "
        f"the file's decimal mark is the {_MARKS[mark]}"
    )
    return (note,)


def own_mark(cell: object) -> Mark | None:
    """The decimal mark of a length that we may have written, a point.

    None where the last decimal is 0, which we never write.
    """
    match = _LENGTH.match(cell.strip()) if isinstance(cell, str) else None
    return None if match is None or match[1][-1] == "0" else "."


def marks_in(cells: Iterable[str]) -> set[Mark]:
    """What parts decimals in cells of numbers."""
    return {cast("Mark", match[1]) for cell in cells if (match := _PARTED.fullmatch(cell.strip()))}


def is_thousands(cell: str) -> bool:
    """Whether a number may be one with thousands as well as one with three decimals."""
    return _is_grouped(cell.strip())


def _is_grouped(number: str) -> bool:
    return _GROUPED.fullmatch(number) is not None and not ("." in number and "," in number)


def _decimal(number: str, mark: Mark | None) -> float | None:
    """A number whose last mark parts its decimals, unless all marks are of the other kind.

    None where marks stand wrong.
    """
    if mark is not None and mark not in number and _is_grouped(number):
        return float(re.sub("[.,]", "", number))
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return float(number)
    whole, parting = number[:last], number[last]
    if parting in whole or (
        whole.lstrip("+-").isdigit() is False
        and (mark not in (None, parting) or not _is_grouped(whole))
    ):
        return None
    try:
        return float(f"{re.sub('[.,]', '', whole)}.{number[last + 1 :]}")
    except ValueError:
        return None


def from_cell(text: str) -> Any:
    """The value of a cell.

    Text, `None` where it is empty, and lists and objects where it is their JSON.
    """
    if not text:
        return None
    return nested_in(text) if text[0] in "[{" else text


def nested_in(text: str) -> Any:
    """The list or object that a text spells in JSON, else the text itself."""
    if text[:1] not in ("[", "{") or len(text) > _JSON_CELL:
        return text
    try:
        return plain(json.loads(text))
    except (ValueError, RecursionError, RegionError):
        return text


def to_json(value: object) -> str:
    """The shortest JSON text, in Unicode."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
