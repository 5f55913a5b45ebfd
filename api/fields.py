"""The types that request fields are made of. What they refuse, no database or index ever sees."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

MAX_TEXT = 1_000
MAX_DEPTH = 16
MAX_METADATA_BYTES = 16_384
# the branches of a choice: part of pydantic's place of a fault, but no part of the body
BY_NAME, IN_FULL = "<by name>", "<in full>"
_WHOLE = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Body(BaseModel):
    """A request body: exact types, no unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def shape_of(name: str) -> str:
    """The fields of the `Body` of that class name, in words."""
    kind = next((kind for kind in Body.__subclasses__() if kind.__name__ == name), Body)
    fields = [f"{field} (required)" if facts.is_required() else field for field, facts in kind.model_fields.items()]
    return ", ".join(fields)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("must not hold NUL or half of a surrogate pair")
    return text


def _named(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must not hold control characters")
    return text


def _plain_name(text: str) -> str:
    if "/" in text:
        raise ValueError("must not hold a slash: such names belong to the rings of stores")
    return _named(text)


def _document(value: dict[str, Any]) -> dict[str, Any]:
    fault = document_fault(value)
    if fault:
        raise ValueError(fault)
    return value


def _moment(text: str) -> str:
    moment_ms(text)
    return text


def is_storable(text: str) -> bool:
    """Whether PostgreSQL could store it: no NUL, no lone surrogate."""
    return text.isprintable() or ("\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text))


def document_fault(value: Any, depth: int = 0) -> str | None:
    """What keeps a JSON document from being stored, in words; None when nothing does."""
    if isinstance(value, str):
        return None if is_storable(value) else "texts must not hold NUL or half of a surrogate pair"
    if isinstance(value, float) and not math.isfinite(value):
        return "numbers must be finite"
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        return "whole numbers must fit 64 bits"
    if not isinstance(value, dict | list):
        return None
    if depth >= MAX_DEPTH:
        return f"must not be nested deeper than {MAX_DEPTH}"
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return next((fault for part in parts if (fault := document_fault(part, depth + 1))), None)


def _small(value: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(value)) > MAX_METADATA_BYTES:
        raise ValueError(f"must not be larger than {MAX_METADATA_BYTES} bytes")
    return value


def moment_ms(text: str) -> int:
    """An RFC 3339 time with offset as epoch ms; raises ValueError for any other text."""
    try:
        moment: datetime = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
    except msgspec.ValidationError:
        raise ValueError("must be a time with an offset, like 2026-11-22T09:30:00Z") from None
    return round((moment - _EPOCH).total_seconds() * 1000)


def moment_text(ms: int) -> str:
    """Epoch ms as RFC 3339 in UTC, with `Z` and milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_named)]
PlainName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_plain_name)]
Tags = Annotated[list[Name], Field(max_length=100)]
Document = Annotated[dict[str, Any], AfterValidator(_document), AfterValidator(_small), WithJsonSchema({"type": "object"})]
Moment = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
