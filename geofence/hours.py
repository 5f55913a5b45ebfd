"""Opening hours in OSM syntax (https://wiki.openstreetmap.org/wiki/Key:opening_hours)."""

from __future__ import annotations

import opening_hours

from geofence.errors import InputError


def check_hours(text: str) -> None:
    """Raises `InputError` when nobody could tell from this text when the store is open."""
    if not opening_hours.validate(text):
        detail = "must be opening hours in OSM syntax, like Mo-Fr 09:00-18:00; Sa 10:00-14:00"
        raise InputError("The opening hours cannot be read.", code="invalid_hours", errors=(("/opening_hours", detail),))
