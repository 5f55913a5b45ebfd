"""The process that the libraries of binary formats run in: it ends with the one that asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from regions.readers import Item, formats

ROOT = Path(__file__).resolve().parents[2]
ROWS = 20_000
ASK = (
    "import sys; from pathlib import Path; from regions.readers.binary.gdal import _run; "
    "_run('read', 'flatgeobuf', *map(Path, sys.argv[1:]))"
)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process that its parent is gone"
)
def test_the_helper_ends_when_the_one_that_asked_is_killed(tmp_path: Path) -> None:
    source, target = tmp_path / "places.fgb", tmp_path / "items.jsonl"
    writer = next(form for form in formats() if form.NAME == "flatgeobuf")
    writer.write(
        (
            Item(nth, {"name": "x" * 50}, {"type": "Point", "coordinates": [16.0, 48.0]})
            for nth in range(1, ROWS + 1)
        ),
        source,
    )
    os.mkfifo(target)  # the helper stands still once it is full
    asking = subprocess.Popen([sys.executable, "-c", ASK, source, target], cwd=ROOT)
    with target.open("rb") as out:
        first = out.read(1)
        asking.kill()
        asking.wait()
        rest = out.read()
    assert first == b"["
    assert rest.count(b"\n") < ROWS
