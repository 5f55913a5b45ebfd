"""The binary formats are an extra: without its libraries they are refused in words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.transfer import FORMATS
from regions.readers import formats
from regions.subprocesses import environment

LIBRARIES = ("geopandas", "pyarrow", "pyogrio")
TEXT = {"csv", "geojson", "geojsonl", "kml", "kmz"}
WITHOUT = """
import json, sys
from pathlib import Path
sys.modules[sys.argv[1]] = None  # Python's own way to say that there is no such module
from regions.readers import FileError, Item, formats
item = Item(1, {"name": "a"}, {"type": "Point", "coordinates": [13.4, 52.5]})
said = {}
for member in formats():
    path = Path(sys.argv[2]) / member.NAME
    try:
        member.write([item], path)
        said[member.NAME] = [each.properties["name"] for each in member.read(path)]
    except FileError as error:
        said[member.NAME] = [error.code, error.detail]
        path.write_bytes(b"PAR1")
        try:
            list(member.read(path))
        except FileError as error:
            said[member.NAME].append(error.code)
print(json.dumps(said))
"""


def _python(script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("library", LIBRARIES)
def test_only_the_binary_formats_need_the_extra(library: str, tmp_path: Path) -> None:
    said = json.loads(_python(WITHOUT, library, str(tmp_path)))
    assert said.keys() == {member.NAME for member in formats()}
    assert {name for name, answer in said.items() if answer == ["a"]} == TEXT
    for name in said.keys() - TEXT:
        assert said[name][0] == "format_not_installed"
        assert "pip install 'geofence[formats]'" in said[name][1]
    assert said["geoparquet"][2] == "format_not_installed"


def test_neither_the_index_nor_the_readers_import_the_libraries_of_the_extra() -> None:
    script = (
        "import sys, regions.index.index, regions.geojson, regions.lint.lint, regions.readers;"
        "regions.readers.formats();"
        f"print(sorted({{*sys.modules}} & {{*{LIBRARIES!r}, 'pandas'}}))"
    )
    assert _python(script) == "[]"


def test_the_command_line_names_every_format() -> None:
    assert ", ".join(member.NAME for member in formats()) == FORMATS
