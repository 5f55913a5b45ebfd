"""Engines and connections of both databases.

Where transactions begin, how durable they are, what an error may say.

SQLite: WAL, every commit synced to disk, readers on their own connections beside one writer.
PostgreSQL: psycopg 3.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import errors
from geofence.errors import RecordError

BUSY_S = 10.0
WRITES = "geofence_writes"

# a process that holds a lock and does not come back (a paused machine, a lost network) delays the
# others for a short time only
_PATIENCE = "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=30s"
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL loses acknowledged commits in a power cut
    "fullfsync = ON",  # macOS alone: there fsync does not reach the disk
    "foreign_keys = ON",
    "cache_size = -32768",
    # pages: ids are hashes, so commits touch pages all over; fewer check points write them less
    # often
    "wal_autocheckpoint = 8000",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
)


def make_engine(url: str) -> sa.Engine:
    """An engine for `sqlite:///path`, `postgresql://` or `postgres://`.

    Raises `RecordError` for any other address; its text never holds a part of the address.
    """
    address = parse(url)
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgresql(address)


def parse(url: str) -> sa.URL:
    """The address as SQLAlchemy reads it, on the drivers we use.

    `RecordError` when it is not one of ours.
    """
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise RecordError("The database address cannot be read.") from None
    if address.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return address.set(drivername="postgresql+psycopg")
    if address.drivername in ("sqlite", "sqlite+pysqlite") and _is_file(address):
        return address.set(drivername="sqlite+pysqlite")
    raise RecordError("The database address must be sqlite:///FILE or postgresql://HOST/NAME.")


def connect(engine: sa.Engine, *, writes: bool = False) -> sa.Connection:
    """A pooled connection. `writes` takes SQLite's write lock as soon as its transaction begins."""
    try:
        connection = engine.connect()
    except sa.exc.SQLAlchemyError as error:
        raise errors.named(error) from None
    return connection.execution_options(**{WRITES: True}) if writes else connection


def _is_file(address: sa.URL) -> bool:
    # In memory every pooled connection would see a database of its own.
    name = address.database or ""
    return (
        bool(name)
        and not name.startswith((":memory:", "file:"))
        and not address.host
        and not address.query
    )


def _sqlite(address: sa.URL) -> sa.Engine:
    try:
        Path(address.database or "").parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"The folder of the database file cannot be made ({error.strerror})."
        ) from None
    engine = sa.create_engine(
        address,
        pool_size=8,
        max_overflow=8,
        pool_timeout=BUSY_S,
        connect_args={
            "timeout": BUSY_S,
            "check_same_thread": False,
        },  # the pool hands a connection to one thread at a time
        **_shared_options(),
    )
    sa.event.listen(engine, "do_connect", _before_sqlite_connects)
    sa.event.listen(engine, "connect", _on_sqlite_connect)
    sa.event.listen(engine, "begin", _on_sqlite_begin)
    errors.listen(engine)
    return engine


def _before_sqlite_connects(
    _dialect: object, _record: object, arguments: Sequence[Any], _options: object
) -> None:
    """Create the file for its owner alone; SQLite gives its -wal and -shm the same rights."""
    with contextlib.suppress(OSError):  # SQLite reports what keeps it from opening the file
        os.close(os.open(arguments[0], os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _on_sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = (
        None  # else sqlite3 opens transactions by itself, deferred and around some statements only
    )
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _on_sqlite_begin(connection: sa.Connection) -> None:
    # A deferred transaction that turns to writing fails at once when another one wrote meanwhile;
    # an immediate one waits.
    connection.exec_driver_sql(
        "BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN"
    )


def _postgresql(address: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        address,
        pool_size=10,
        max_overflow=10,
        pool_timeout=BUSY_S,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "geofence",
            "options": _PATIENCE,
            "keepalives_idle": 30,
            "tcp_user_timeout": 30_000,
        },
        **_shared_options(),
    )
    errors.listen(engine)
    return engine


def _shared_options() -> dict[str, Any]:
    return {
        "hide_parameters": True,
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
