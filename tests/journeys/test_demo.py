"""`geofence demo` shows a town in which something happens, and what it tells one to try works."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

GEOFENCE = str(Path(sys.executable).with_name("geofence"))


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [GEOFENCE, "demo", "--port", "0", *more]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(demo: subprocess.Popen[str], word: str, lines: int = 200) -> list[str]:
    """Its lines up to the first with that word; ends with the demo."""
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if word in line or len(seen) >= lines:
            break
    return seen


def test_the_demo_shows_events_answers_the_curl_it_prints_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    demo = start(tmp_path)
    try:
        seen = read_until(demo, "entered")
        assert re.search(r"\d\d:\d\d:\d\d  (walker|driver)-\d{3} +entered +\S.* \((near|wide)\)", seen[-1])
        curls = [line[line.index("curl") :].strip() for line in seen if "curl" in line]
        assert len(curls) == 2
        for curl in curls:
            ran = subprocess.run(["bash", "-euc", curl], capture_output=True, text=True, timeout=30, check=True)
            assert json.loads(ran.stdout)["data"]
    finally:
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert "pings accepted, 0 rejected" in rest
    assert "Traceback" not in rest


def test_a_second_demo_in_the_same_folder_leaves_the_first_ones_record_alone(tmp_path: Path) -> None:
    first = start(tmp_path)
    try:
        assert "Marrowfield" in read_until(first, "Marrowfield")[-1]
        second = subprocess.run([GEOFENCE, "demo", "--port", "0"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert "another demo runs" in second.stdout
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert first.returncode == 0


def test_the_demo_ends_by_itself_after_the_seconds_it_was_given(tmp_path: Path) -> None:
    for seed in ("7", "7"):  # a second run starts anew on what the first left behind
        demo = start(tmp_path, "--seconds", "2", "--seed", seed, "--people", "40", "--speed", "10")
        seen, _ = demo.communicate(timeout=60)
        assert demo.returncode == 0, seen
        assert "40 people" in seen
        assert "Traceback" not in seen
