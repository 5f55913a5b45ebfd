"""Lists whose noun is a test's parameter."""

from __future__ import annotations

from typing import Any

from geofence.backends.sql.database import SqlDatabase
from geofence.ports import listing
from geofence.ports.listing import Listing
from geofence.ports.queries import Queries

NOUNS = sorted(Queries.__annotations__)
# what a noun's filters must say, as values that let everything through
_REQUIRED = {"traffic": {"since_ms": 0, "shorter_ms": 0, "at_least": 1}}


def list_of(database: SqlDatabase, noun: str) -> Listing[Any, Any]:
    """The list of a noun."""
    found: Listing[Any, Any] = getattr(database.queries, noun)
    return found


def filters_of(noun: str, **filters: Any) -> Any:
    """A noun's typed filters."""
    chosen = _REQUIRED.get(noun, {}) | filters
    return getattr(listing, f"{noun.removesuffix('s').capitalize()}Filter")(**chosen)
