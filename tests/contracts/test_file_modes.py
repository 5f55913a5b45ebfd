"""What the service writes beside the record is readable by its owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from geofence.backends.sql.database import open_database
from geofence.places.index_cache import FEWEST, IndexCache
from regions.index.index import Index
from regions.region import Circle
from tests.rigs import some


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_the_database_its_wal_and_its_lock_are_created_for_their_owner(tmp_path: Path):
    folder = tmp_path / "data"
    database = open_database(f"sqlite:///{folder / 'record.db'}")
    database.migrate()
    some.add_project(database)
    names = {"record.db", "record.db-wal", "record.db-shm", "record.db.lock"}
    assert _modes(folder) == dict.fromkeys(names, 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700
    database.close()


def test_a_folder_and_a_database_that_were_there_keep_their_modes(tmp_path: Path):
    path = tmp_path / "shared" / "record.db"
    path.parent.mkdir(mode=0o750)
    path.touch(mode=0o640)
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o640, 0o750)
    database.close()


def test_the_files_of_an_index_are_created_for_their_owner(tmp_path: Path):
    fences = [some.geofence(f"gf_{number}") for number in range(FEWEST)]
    index = Index.build([Circle(48.0, 11.0 + number / 100, 50.0) for number in range(FEWEST)])
    assert IndexCache(tmp_path / "record.db").save("p1", index, fences)
    assert _modes(tmp_path) == {"record.db.p1.index": 0o600, "record.db.p1.digests": 0o600}
