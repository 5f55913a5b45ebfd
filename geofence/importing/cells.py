"""Parse cells by field. Each function takes the value that a reader gives: text or JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from geofence.importing import closing_date
from geofence.importing.report import RowError
from geofence.limits import (
    MAX_METADATA_BYTES,
    MAX_NAME,
    MAX_RINGS,
    MAX_TAGS,
    MAX_TEXT,
    document_fault,
    is_storable,
)
from geofence.model.place import Profile, ProfileName, Ring
from regions.readers.values import METRES, Mark, number_in, own_mark, radius_in
from regions.region import RegionError

QUOTED = 40  # characters of a cell in a sentence about it
_ZONE = re.compile(r"(?<![A-Za-z_])[A-Za-z_]+(?:/[A-Za-z0-9_+\-]+)+")
_WHOLE = 10**30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_Metres = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=604_800)]


class _ProfileCell(msgspec.Struct, forbid_unknown_fields=True):
    """A profile in full, with the limits of the API."""

    name: ProfileName = "balanced"
    max_accuracy_m: _Metres | None = None
    exit_margin_m: Annotated[float, msgspec.Meta(ge=0, le=100_000)] | None = None
    confirm_s: _Seconds | None = None
    cool_down_s: _Seconds | None = None
    presence_timeout_s: Annotated[int, msgspec.Meta(ge=60, le=604_800)] | None = None
    dwell_s: Annotated[
        list[Annotated[int, msgspec.Meta(ge=1, le=604_800)]], msgspec.Meta(max_length=10)
    ] = []


def text(value: Any) -> str | None:
    """A cell as stripped text; None where it is empty. Whole numbers have no decimal point."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    # larger integers are no valid number of any field, and Python limits their conversion to text
    return str(value) if abs(value) < _WHOLE else "inf"


def quoted(cell: str) -> str:
    """The beginning of a cell in quotation marks, for a note. Never use it for a position."""
    return repr(cell if len(cell) <= QUOTED else cell[: QUOTED - 1] + "…")


def long_text(value: Any, field: str) -> str | None:
    """A text within the limits of texts. Raises `RowError`."""
    found = text(value)
    if found is None:
        return None
    if len(found) > MAX_TEXT:
        raise RowError(
            field, "too_long", f"has {len(found):,} characters; the limit is {MAX_TEXT:,}"
        )
    if not is_storable(found):
        raise RowError(field, "invalid_text", "must not hold NUL or half of a surrogate pair")
    return found


def name(value: Any, field: str) -> str | None:
    """A text within the limits of names: short, without control characters. Raises `RowError`."""
    found = text(value)
    if found is None:
        return None
    if len(found) > MAX_NAME:
        raise RowError(field, "too_long", f"has {len(found):,} characters; the limit is {MAX_NAME}")
    if not found.isprintable():
        raise RowError(field, "invalid_text", "must not hold control characters")
    return found


def number(value: Any, field: str, code: str = "invalid_number") -> float | None:
    """A number, also with a decimal comma; None where the cell is empty. Raises `RowError`."""
    if isinstance(value, float):
        return value
    found = text(value)
    if found is None:
        return None
    read = number_in(found)
    if read is None:
        raise RowError(field, code, "is not a number")
    return read


def metres(value: Any, unit: str, field: str = "radius", mark: Mark | None = None) -> float | None:
    """A length in metres: `150`, `150 m`, `0,5 km`, `500ft`. Raises `RowError`.

    `unit` applies where the cell names none; `mark` is the decimal mark of the file.
    """
    if isinstance(value, float):
        return value * METRES[unit]
    found = text(value)
    if found is None:
        return None
    try:
        return radius_in(found, unit, mark)
    except RegionError as error:
        raise RowError(field, error.code, error.detail) from None


def zone(found: str) -> str | None:
    """The IANA time zone in a text such as `(GMT-08:00) America/Los_Angeles`; None without one."""
    return _zone(found) if len(found) <= MAX_NAME else None


@lru_cache(maxsize=2048)
def _zone(found: str) -> str | None:
    candidates = [found, *_ZONE.findall(found)]
    return next((one for one in candidates if _is_zone(one)), None)


def _is_zone(one: str) -> bool:
    try:
        ZoneInfo(one)
    except (ZoneInfoNotFoundError, ValueError, OSError, RecursionError):
        return False
    return one.isprintable() and ("/" in one or one == "UTC")


def tags(value: Any) -> tuple[str, ...]:
    """Tags from a list, or from a text split at `;`, else at `|`, else at `,`.

    Raises `RowError`.
    """
    listed = _listed(value)
    if listed is None:
        found = text(value) or ""
        parting = next((mark for mark in ";|," if mark in found), None)
        listed = found.split(parting) if parting else [found]
    kept = tuple(
        dict.fromkeys(one for one in (name(each, "tags") for each in listed) if one is not None)
    )
    if len(kept) > MAX_TAGS:
        raise RowError("tags", "too_many", f"there are {len(kept)}; the limit is {MAX_TAGS}")
    return kept


def rings(value: Any, mark: Mark | None = None) -> tuple[Ring, ...]:
    """Rings from `near:150;wide:800 m`, `none`, or a JSON list of `name`, `radius_m`, `profile`.

    Raises `RowError`. Radii have a decimal point, as exports write them; in a file whose `mark` is
    the comma, `near:12.345` is ambiguous and an error.
    """
    listed = _listed(value)
    if listed is None:
        found = text(value) or ""
        parts = re.split(r"[;|]", "" if found == "none" else found)
        pairs = [part.rpartition(":")[::2] for part in parts if part.strip()]
        listed = [{"name": name.strip(), "radius_m": radius.strip()} for name, radius in pairs]
    if len(listed) > MAX_RINGS:
        raise RowError("rings", "too_many", f"there are {len(listed)}; the limit is {MAX_RINGS}")
    return tuple(_ring(one, mark) for one in listed)


def _ring(given: Any, mark: Mark | None) -> Ring:
    if not isinstance(given, dict) or not given.keys() <= {"name", "radius_m", "profile"}:
        detail = "must be like near:150;wide:800, or a list of name, radius_m and profile"
        raise RowError("rings", "invalid_rings", detail)
    said = given.get("radius_m")
    named = name(given.get("name"), "rings")
    radius_m = metres(said, "m", "rings", None if mark == "," else own_mark(said))
    if named is None or radius_m is None or "/" in named:
        detail = "each ring has a name without a slash, and a radius in metres: near:150;wide:800"
        raise RowError("rings", "invalid_rings", detail)
    return Ring(named, radius_m, profile(given.get("profile")))


def profile(value: Any) -> Profile | None:
    """A profile by name, or in full as an object. Raises `RowError`."""
    found = _nested(value)
    if found is None or found == "":
        return None
    try:
        read = msgspec.convert(found if isinstance(found, dict) else {"name": found}, _ProfileCell)
    except msgspec.ValidationError as error:
        raise RowError("profile", "invalid_profile", str(error)) from None
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair
        detail = "must not hold half of a surrogate pair"
        raise RowError("profile", "invalid_profile", detail) from None
    return Profile(**{**msgspec.structs.asdict(read), "dwell_s": tuple(sorted(set(read.dwell_s)))})


def metadata(value: Any) -> dict[str, Any]:
    """A JSON object. Raises `RowError`."""
    found = _nested(value)
    if found is None or found == "":
        return {}
    if not isinstance(found, dict):
        raise RowError("metadata", "invalid_metadata", "must be a JSON object")
    fault = document_fault(found)
    if fault:
        raise RowError("metadata", "invalid_metadata", fault)
    return found


def size(document: dict[str, Any]) -> int:
    """Bytes of a document's JSON; the limit is `MAX_METADATA_BYTES`."""
    return len(msgspec.json.encode(document))


def fits(document: dict[str, Any]) -> bool:
    """Whether a document is small enough."""
    return size(document) <= MAX_METADATA_BYTES


def moment_ms(value: Any, field: str) -> int | None:
    """An RFC 3339 time with an offset as epoch ms; a bare date begins at midnight UTC.

    Raises `RowError`.
    """
    found = text(value)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found + "T00:00:00Z" if _DAY.match(found) else found)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        detail = f"{quoted(found)} is no time with an offset, like 2026-11-22T09:30:00Z"
        raise RowError(field, "invalid_time", detail)
    return round((moment - _EPOCH) / timedelta(milliseconds=1))


def flag(value: Any, field: str) -> bool | None:
    """True or false. Raises `RowError`."""
    found = (text(value) or "").lower()
    if not found:
        return None
    if found not in ("true", "false", "1", "0", "yes", "no"):
        raise RowError(field, "invalid_flag", f"{quoted(found)} is neither true nor false")
    return found in ("true", "1", "yes")


def has_ended(value: Any, today: date) -> bool:
    """Whether an `end_date` (a day, a month, a year, or `yes`) means closed by `today`.

    Raises `RowError`.
    """
    found = text(value) or ""
    ended = closing_date.has_ended(found, today)
    if ended is None:
        detail = f"{quoted(found)} does not say whether the end has come"
        raise RowError("end_date", "invalid_time", detail)
    return ended


def _listed(value: Any) -> list[Any] | None:
    found = _nested(value)
    return found if isinstance(found, list) else None


def _nested(value: Any) -> Any:
    """The list or object that a cell holds as JSON text, else the cell."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
