"""The types that request fields are made of. What they refuse, no database or index ever sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from geofence.limits import (
    MAX_METADATA_BYTES,
    MAX_NAME,
    MAX_TAGS,
    MAX_TEXT,
    document_fault,
    is_storable,
)

# the branches of a choice: part of pydantic's place of a fault, but no part of the body
BY_NAME, IN_FULL = "<by name>", "<in full>"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Body(BaseModel):
    """A request body: exact types, no unknown fields, finite numbers only."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body that the OpenAPI document shows with an example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def shape_of(name: str) -> str:
    """The fields of the `Body` of that class name, in words."""
    kind = next((kind for kind in Body.__subclasses__() if kind.__name__ == name), Body)
    fields = [
        f"{field} (required)" if facts.is_required() else field
        for field, facts in kind.model_fields.items()
    ]
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


def _firm(text: str) -> str:
    if text != text.strip():
        raise ValueError(
            "must not begin or end with a blank: files lose it, and another name would come back"
        )
    return text


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _document(value: dict[str, Any]) -> dict[str, Any]:
    fault = document_fault(value)
    if fault:
        raise ValueError(fault)
    return value


def _moment(text: str) -> str:
    moment_ms(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, like Europe/Berlin") from None
    return name


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
    at = datetime.fromtimestamp(seconds, UTC)
    # %Y does not fill up the years before 1000
    return f"{at.year:04d}-{at:%m-%dT%H:%M:%S}.{rest:03d}Z"


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_storable)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_named)]
PlainName = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_plain_name)]
FIRM = AfterValidator(_firm)  # of what others refer to
STRIPPED = BeforeValidator(_stripped)  # of what is only shown
Tags = Annotated[list[Annotated[Name, FIRM]], Field(max_length=MAX_TAGS)]
Document = Annotated[
    dict[str, Any],
    AfterValidator(_document),
    AfterValidator(_small),
    WithJsonSchema({"type": "object"}),
]
Moment = Annotated[
    str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Locale = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z0-9_-]+$")]
Zone = Annotated[Name, AfterValidator(_zone)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
