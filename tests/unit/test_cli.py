"""The command line loads what a command needs, and no more."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from api.cli.main import LATE, app

HEAVY = (
    "sqlalchemy",
    "alembic",
    "fastapi",
    "numpy",
    "shapely",
    "pyproj",
    "uvicorn",
    "geopandas",
    "pyarrow",
)


@pytest.mark.parametrize("name", sorted(LATE))
def test_the_list_of_commands_says_of_each_what_its_own_help_begins_with(name: str) -> None:
    own = inspect.cleandoc(LATE[name].load(name).help or "")
    assert LATE[name].line == " ".join(own.partition("\n\n")[0].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["settings"],
        ["keys", "--help"],
        ["health", "--help"],
        ["worker", "--help"],
    ],
)
def test_small_commands_load_neither_database_nor_web_framework(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom api.cli.main import app\n"
        f"try: app({arguments!r})\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"print('loaded:', *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.splitlines()[-1].strip() == "loaded:", ran.stderr


def test_a_command_that_is_none_is_refused_and_one_that_is_there_is_found_by_its_name() -> None:
    assert CliRunner().invoke(app, ["imports"]).exit_code == 2
    answer = CliRunner().invoke(app, ["import", "--help"])
    assert answer.exit_code == 0
    assert "geofence import" in answer.stdout


@pytest.mark.parametrize("name", ["sandbox", "demo"])
@pytest.mark.parametrize("library", ["aiosmtpd", "cryptography"])
def test_a_command_whose_extra_is_not_installed_names_it(name: str, library: str) -> None:
    code = (
        f"import sys\nsys.modules[{library!r}] = None\nfrom api.cli.main import app\n"
        f"app([{name!r}, '--help'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 2
    assert "pip install 'geofence[sandbox]'" in ran.stderr
    assert "Traceback" not in ran.stderr
