"""Fixtures every suite may ask for: real servers, and a record on each backend."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.backends.sql.schema import metadata
from tests.rigs.postgres import Postgres, running_postgres

BACKENDS = ("sqlite", "postgresql")

_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TABLES = ", ".join(name for name in metadata.tables if name != "counters")
_EMPTY = f"TRUNCATE {_TABLES}; UPDATE counters SET value = 0".encode()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real server, one for each test process.

    When it cannot start, the tests that need it fail; none is skipped.
    """
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres) -> str:
    """The URL of a migrated database that the tests of this process use in turn."""
    url = postgres.fresh()
    _migrated(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file to make copies of."""
    path = tmp_path_factory.mktemp("template") / "record.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A migrated file of its own."""
    path = tmp_path / "record.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """A migrated database, emptied: a tenth of the time of a new one."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(_END_OTHERS)
        connection.execute(_EMPTY)
    return postgres_database


@pytest.fixture(params=BACKENDS)
def record_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty record: the test runs once on each backend."""
    return str(
        request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    )


@pytest.fixture
def database(record_url: str) -> Iterator[SqlDatabase]:
    """That record, open for writing."""
    opened = open_database(record_url)
    yield opened
    opened.close()


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database nobody has migrated, on each backend."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'folder' / 'not yet' / 'record.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.fresh()
    yield url
    server.drop(url)


def _migrated(url: str) -> None:
    opened = open_database(url)
    opened.migrate()
    opened.close()
