"""Opens the database that the settings name.

Apart from `bootstrap`, so that commands which only read or write a row start quickly.
"""

from __future__ import annotations

from pathlib import Path

from api.settings import Settings
from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.errors import RecordError


def reach_database(settings: Settings, *, writer: bool) -> SqlDatabase:
    """The database the settings name.

    Without `writer` it may be open elsewhere at the same time, and must be there. Raises
    `RecordError`.
    """
    path = record_file(settings)
    if path is not None and writer:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif path is not None and not path.exists():
        raise RecordError("There is no record yet: run `geofence serve` once.")
    return open_database(settings.database_url, writer=writer)


def record_file(settings: Settings) -> Path | None:
    """The file of an SQLite database; None for a database server."""
    url = settings.database_url
    if not url.startswith("sqlite:///"):
        return None
    return Path(url.removeprefix("sqlite:///").partition("?")[0])
