"""A real server on 127.0.0.1 over a real record, and a tenant of its own for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.shop import Running, Shop, open_shop, run


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Running]:
    """The server that most journeys share; each of them is walked once on each backend."""
    if request.param == "postgresql":
        one = run(request.getfixturevalue("postgres").fresh())
    else:
        path = tmp_path_factory.mktemp("journeys") / "record.db"
        shutil.copyfile(sqlite_template, path)
        one = run(f"sqlite:///{path}")
    yield one
    one.stop()


@pytest.fixture
def shop(running: Running) -> Iterator[Shop]:
    """A fresh tenant."""
    one = open_shop(running)
    yield one
    one.client.close()
