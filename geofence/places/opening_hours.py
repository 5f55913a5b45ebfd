"""Opening hours in OSM syntax (https://wiki.openstreetmap.org/wiki/Key:opening_hours)."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import opening_hours

from geofence.errors import InputError


def check_hours(text: str) -> None:
    """Raise `InputError` when the text is no valid OSM syntax."""
    if not _is_valid(text):
        detail = "must be opening hours in OSM syntax, like Mo-Fr 09:00-18:00; Sa 10:00-14:00"
        raise InputError(
            "The opening hours cannot be read.",
            code="invalid_hours",
            errors=(("/opening_hours", detail),),
        )


def is_open(text: str, local: datetime) -> bool | None:
    """Whether a store with these hours is open at a naive local time; None where unknown."""
    hours = _parsed(text)
    return None if hours is None or hours.is_unknown(local) else bool(hours.is_open(local))


@lru_cache(maxsize=4096)
def _is_valid(text: str) -> bool:
    return bool(opening_hours.validate(text))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> opening_hours.OpeningHours | None:
    return opening_hours.OpeningHours(text) if _is_valid(text) else None
