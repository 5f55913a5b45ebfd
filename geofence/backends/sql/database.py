"""The record: a database that outlives the process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from geofence.backends.sql import engine as engines
from geofence.backends.sql import migrate, stream_seq
from geofence.backends.sql.queries import SqlQueries
from geofence.errors import RecordError, RecordLocked
from geofence.ports.queries import Queries

if TYPE_CHECKING:
    from geofence.backends.sql.device_tables import DeviceTables
    from geofence.backends.sql.unit import SqlUnit


def open_database(url: str, *, writer: bool = True) -> SqlDatabase:
    """The record at `sqlite:///FILE` or `postgresql://HOST/NAME`.

    Call `migrate` before the first use.

    `writer` makes this process the one that serves an SQLite file. Without it, short administrative
    units wait for their turn beside the serving process. PostgreSQL takes any number of processes.

    Raises:
        RecordLocked: Another process serves the file.
    """
    return SqlDatabase(url, writer=writer)


class SqlDatabase:
    """Implements `ports.database.Database`.

    `embedded` is true on SQLite: one process, one writer thread.
    """

    queries: Queries

    def __init__(self, url: str, *, writer: bool = True) -> None:
        address = engines.parse(url)
        self.engine: sa.Engine = engines.make_engine(url)
        self.embedded: bool = self.engine.dialect.name == "sqlite"
        self._lock = _lock_file(address.database or "") if self.embedded and writer else None
        self.queries = SqlQueries(self.engine)
        self._tables: DeviceTables | None = None

    def begin(self, *, remember: bool = False) -> SqlUnit:
        """Open a unit.

        On SQLite units wait for each other; the writer thread opens one at a time, and only the one
        writer of a file may trust what it remembers. On PostgreSQL `remember` lets the unit use the
        tables of the street's writer: one thread alone may ask for that.
        """
        # imported here: a command that only reads starts without numpy
        from geofence.backends.sql.device_tables import DeviceTables
        from geofence.backends.sql.unit import SqlUnit

        alone = self._lock is not None
        if not (alone or remember):
            return SqlUnit(self.engine, DeviceTables(), alone=False)
        self._tables = self._tables or DeviceTables()
        self._tables.trim()
        return SqlUnit(self.engine, self._tables, alone=alone)

    def sequence(self) -> int:
        """Give `stream_seq` to committed events that have none; how many.

        Does nothing on SQLite, where units did.
        """
        if self.embedded:
            return 0
        with engines.connect(self.engine, writes=True) as connection, connection.begin():
            return stream_seq.number_committed(connection)

    def migrate(self) -> None:
        """Bring the schema to this version's.

        Raises:
            RecordError: The schema is newer than the code.
        """
        migrate.upgrade(self.engine)

    def revision(self) -> tuple[str, bool]:
        """The schema's revision, empty where there is none yet; whether this version knows it."""
        return migrate.revision(self.engine)

    def close(self) -> None:
        """Release connections and the lock."""
        self.engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock_file(database: str) -> int:
    """An open, locked descriptor of `FILE.lock`.

    The system releases it when the process ends, however it ends.
    """
    path = Path(os.path.realpath(database) + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RecordError(
            f"The lock file beside the database cannot be opened ({error.strerror})."
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            raise RecordLocked from None
        raise RecordError(
            f"The lock file beside the database cannot be locked ({error.strerror})."
        ) from None
    return descriptor
