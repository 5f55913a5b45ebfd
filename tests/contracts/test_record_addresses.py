"""Where a record may be.

Addresses, the one serving process of a file, and passwords that nobody gets to see.
"""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from geofence.backends.sql.database import open_database
from geofence.backends.sql.engine import make_engine
from geofence.errors import RecordError, RecordLocked
from tests.rigs import some
from tests.rigs.postgres import Postgres

ROOT = Path(__file__).parents[2]
HOLD = (
    "import sys; from geofence.backends.sql.database import open_database\n"
    "record = open_database(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
)


def _text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


def test_a_file_takes_one_serving_process(sqlite_url: str):
    first = open_database(sqlite_url)
    with pytest.raises(RecordLocked):
        open_database(sqlite_url)
    first.close()
    open_database(sqlite_url).close()


def test_the_lock_holds_between_processes_and_dies_with_its_holder(sqlite_url: str):
    command = [sys.executable, "-c", HOLD, sqlite_url]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(RecordLocked):
            open_database(sqlite_url)
        holder.kill()
        holder.wait(30)
    open_database(sqlite_url).close()


def test_the_same_file_by_another_name_is_the_same_file(sqlite_url: str, tmp_path: Path):
    (tmp_path / "link.db").symlink_to(sqlite_url.removeprefix("sqlite:///"))
    first = open_database(sqlite_url)
    with pytest.raises(RecordLocked):
        open_database(f"sqlite:///{tmp_path / 'link.db'}")
    first.close()


def test_a_short_administrative_unit_runs_beside_the_serving_process(sqlite_url: str):
    serving = open_database(sqlite_url)
    some.add_project(serving)
    beside = open_database(sqlite_url, writer=False)
    with beside.begin() as unit:
        unit.accounts.put_key(some.key())
        unit.commit()
    beside.close()
    assert serving.queries.keys.page("p1", None, None, 99) == [some.key()]
    serving.close()


def test_a_postgresql_record_takes_any_number_of_processes(postgres_url: str):
    first, second = open_database(postgres_url), open_database(postgres_url)
    some.add_project(first)
    assert second.queries.projects() == [some.project()]
    assert (first.embedded, second.embedded) == (False, False)
    first.close()
    second.close()


def test_a_commit_to_a_file_reaches_the_disk(sqlite_url: str):
    database = open_database(sqlite_url)
    with database.begin() as unit:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        settings = [unit.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert settings == ["wal", 2, 1, 10_000]
    assert database.embedded
    database.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_is_understood(postgres_url: str, scheme):
    database = open_database(scheme + postgres_url.removeprefix("postgresql"))
    assert database.queries.health()["database"] == "postgresql"
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite://host/x.db",
        "mysql://u:hunter2@127.0.0.1/x",
        "postgresql+asyncpg://u:hunter2@127.0.0.1/x",
        "postgresql://u:hunter2@127.0.0.1:port/x",
        "://u:hunter2@127.0.0.1",
    ],
)
def test_an_address_that_is_not_ours_is_refused_without_being_repeated(url):
    with pytest.raises(RecordError) as caught:
        make_engine(url)
    assert "hunter2" not in _text_of(caught.value)


def test_a_password_is_in_no_error_and_no_picture_of_the_record():
    url = "postgresql://someone:hunter2@127.0.0.1:1/nowhere"
    database = open_database(url)
    for failing in (database.queries.projects, database.begin, database.sequence, database.migrate):
        with pytest.raises(RecordError) as caught:
            failing()
        assert "hunter2" not in _text_of(caught.value)
    assert "hunter2" not in repr(database) + repr(database.engine) + str(database.engine.url)
    database.close()


def test_a_database_that_does_not_exist_is_a_record_error(postgres: Postgres):
    database = open_database(postgres.url("no_such_database"))
    with pytest.raises(RecordError):
        database.begin()
    database.close()


def test_a_file_that_is_no_database_is_a_record_error_and_left_alone(tmp_path: Path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear database,\n" * 400)
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(RecordError):
        database.migrate()
    database.close()
    assert path.read_text() == "Dear database,\n" * 400


def test_a_folder_that_cannot_be_made_is_a_record_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError):
        open_database(f"sqlite:///{tmp_path / 'file' / 'folder' / 'record.db'}")
