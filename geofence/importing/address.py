"""One line of address from the columns of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geofence.importing.cells import text

# countries that write the house number before the street
_NUMBER_FIRST = {
    "us",
    "usa",
    "united states",
    "ca",
    "canada",
    "gb",
    "uk",
    "united kingdom",
    "ie",
    "ireland",
    "au",
    "australia",
    "nz",
    "fr",
    "france",
}


def address_of(row: Mapping[str, Any], column: Mapping[str, str]) -> str | None:
    """The address of a row, whole or from its parts; None without one.

    `column` maps a field to its column.
    """
    piece = {
        field: found for field, name in column.items() if (found := text(row.get(name))) is not None
    }
    line = piece.get("address") or _street(piece)
    city, postcode, state = piece.get("city"), piece.get("postcode"), piece.get("state")
    if line is not None and city is not None and "," in line and city.casefold() in line.casefold():
        return line  # the line holds the city already
    town = (
        ", ".join(filter(None, (city, " ".join(filter(None, (state, postcode))))))
        if state
        else " ".join(filter(None, (postcode, city)))
    )
    return (
        ", ".join(filter(None, (line, piece.get("address_more"), town, piece.get("country"))))
        or None
    )


def _street(piece: Mapping[str, str]) -> str | None:
    pair = (piece.get("street"), piece.get("housenumber"))
    if piece.get("country", "").casefold() in _NUMBER_FIRST or "state" in piece:
        pair = pair[::-1]
    return " ".join(filter(None, pair)) or None if pair[0] or pair[1] else None
