"""What the README tells one to paste works as pasted, and answers what it shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geofence.model.ping import PingIn
from tests.rigs.running import Service

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(
    r"<!-- run -->\n```sh\n(?P<line>.*?)\n```\n(?:\n<!-- answers -->\n```json\n(?P<shown>.*?)\n```)?",
    re.DOTALL,
)
REST = "..."
GEOFENCE = str(Path(sys.executable).with_name("geofence"))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`geofence sandbox` as a process of its own, and the settings it prints."""
    folder = tmp_path_factory.mktemp("sandbox")
    command = [
        GEOFENCE,
        "sandbox",
        "--fcm-port",
        "0",
        "--smtp-port",
        "0",
        "--directory",
        str(folder),
    ]
    sandbox = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert sandbox.stdout is not None
        yield dict(
            re.findall(
                r"^export (\w+)=(\S+)$", "".join(iter(sandbox.stdout.readline, "\n")), re.MULTILINE
            )
        )
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.communicate(timeout=60)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, exports: dict[str, str]) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("readme")
    settings = {name.removeprefix("GEOFENCE_"): value for name, value in exports.items()}
    with Service(
        f"sqlite:///{folder}/record.sqlite", folder / "log", DEV_KEY="sk_try_me", **settings
    ) as running:
        yield running


def paste(line: str, shown: Any, patience_s: float) -> Any:
    """What a line answers.

    One that tells of something that is under way is asked again for a while.
    """
    until_s = time.monotonic() + patience_s
    while True:
        ran = subprocess.run(
            ["bash", "-euc", line], capture_output=True, text=True, timeout=30, check=True
        )
        answer = json.loads(ran.stdout)
        if shown is None or matches(shown, answer) or time.monotonic() > until_s:
            return answer
        time.sleep(0.1)


def matches(shown: Any, given: Any) -> bool:
    """Whether an answer is the one shown.

    "..." stands for anything, as a key for any further fields.
    """
    if shown == REST:
        return True
    if isinstance(shown, dict) and isinstance(given, dict):
        whole = REST in shown or shown.keys() == given.keys()
        return whole and all(
            name in given and matches(shown[name], given[name]) for name in shown.keys() - {REST}
        )
    if isinstance(shown, list) and isinstance(given, list):
        return shown == [REST] or (len(shown) == len(given) and all(map(matches, shown, given)))
    return bool(shown == given)


def test_every_line_to_paste_works_and_answers_what_is_shown(
    service: Service, exports: dict[str, str]
) -> None:
    blocks = list(BLOCK.finditer(README.read_text(encoding="utf-8")))
    assert len(blocks) >= 4
    for block in blocks:
        line = (
            block["line"]
            .replace("http://127.0.0.1:8000", service.url)
            .replace("http://127.0.0.1:8090", exports["GEOFENCE_FCM_ENDPOINT"])
        )
        shown = json.loads(block["shown"]) if block["shown"] else None
        answer = paste(line, shown, patience_s=20.0 if "/inbox" in line else 0.0)
        assert "code" not in answer, f"{line}\n{answer}"
        assert shown is None or matches(shown, answer), f"{line}\n{answer}"


def test_the_sandbox_prints_the_settings_that_the_readme_speaks_of(exports: dict[str, str]) -> None:
    assert set(exports) == {
        "GEOFENCE_FCM_CREDENTIALS",
        "GEOFENCE_FCM_ENDPOINT",
        "GEOFENCE_SMTP_URL",
    }
    assert Path(exports["GEOFENCE_FCM_CREDENTIALS"]).is_file()


def test_every_shell_block_of_the_readme_is_run() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("```sh") == len(list(BLOCK.finditer(text)))


@pytest.mark.parametrize(
    ("shown", "given", "same"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, REST: REST}, {"a": 1, "b": 2}, True),
        ({"a": REST}, {"a": [1]}, True),
        ([REST], [], True),
        ([1, 2], [1], False),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1, REST: REST}, {"b": 2}, False),
    ],
)
def test_an_answer_that_differs_from_what_is_shown_is_seen(
    shown: Any, given: Any, same: bool
) -> None:
    assert matches(shown, given) is same


def test_every_field_of_a_ping_has_its_row_in_the_readme() -> None:
    table = README.read_text(encoding="utf-8").partition("<!-- pings -->")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(PingIn.__struct_fields__)


def test_every_command_of_the_readme_exists() -> None:
    told = set(
        re.findall(r"^\| `geofence ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE)
    )
    ran = subprocess.run(
        [GEOFENCE, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    there = set(re.findall(r"^│ ([a-z]+) ", ran.stdout, re.MULTILINE))
    assert told
    assert told == there
