"""The database that holds the record."""

from __future__ import annotations

from typing import Protocol

from geofence.ports.queries import Queries
from geofence.ports.unit import Unit


class Database(Protocol):
    """The record: a database that outlives the process."""

    queries: Queries

    def begin(self, *, remember: bool = False) -> Unit:
        """Open a unit. On SQLite only the writer thread may, one at a time.

        Args:
            remember: Use the device tables that the street's writer keeps between units; one
                thread alone may.
        """

    def sequence(self) -> int:
        """Give `stream_seq` to committed events that have none; how many.

        Does nothing where commits are in order.
        """

    def migrate(self) -> None:
        """Bring the schema to this version's.

        Raises:
            RecordError: The schema is newer than the code.
        """

    def close(self) -> None:
        """Release connections and locks."""
