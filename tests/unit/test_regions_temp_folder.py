"""The folder for files on their way.

Removed at the end, and where there was no end by the next process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASK = (
    "from regions.temp_folder import scratch; print(scratch(), flush=True);"
    " (scratch() / 'import-1').write_text('x')"
)


def _started(directory: Path, then: str) -> tuple[subprocess.Popen[str], Path]:
    """A process that has asked for its folder and put a file into it."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{ASK}; print('there', flush=True); {then}"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(directory)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert process.stdout.readline() == "there\n"
    return process, folder


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    process, folder = _started(tmp_path, "pass")
    assert process.wait(30) == 0
    assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_next_process_removes_what_a_killed_one_left_and_nothing_of_one_that_lives(
    tmp_path: Path,
) -> None:
    living, its = _started(tmp_path, "input()")
    killed, left = _started(tmp_path, "input()")
    killed.kill()
    killed.wait(30)
    assert left.is_dir()
    (tmp_path / "geofence-files-of-a-person").write_text("a file, no folder")
    (tmp_path / "geofence-files-away").symlink_to(ROOT)
    another, _ = _started(tmp_path, "pass")
    assert another.wait(30) == 0
    assert not left.exists()
    assert (its / "import-1").read_text() == "x"
    assert {entry.name for entry in tmp_path.iterdir()} == {
        its.name,
        "geofence-files-of-a-person",
        "geofence-files-away",
    }
    living.communicate("\n", 30)
    assert not its.exists()
