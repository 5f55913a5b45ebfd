"""The shell blocks of the README and of the documents work as pasted, and answer as shown."""

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

from tests.rigs.running import Service

ROOT = Path(__file__).resolve().parents[2]
# Pages whose blocks talk to a service with the sandbox. simulate-phones.md has a test of its own:
# it needs the clock of the pings.
PAGES = (
    "README.md",
    "docs/quickstart.md",
    "docs/how-to/import-a-map.md",
    "docs/how-to/test-by-hand.md",
)
ELSEWHERE = ("docs/how-to/simulate-phones.md",)
COMMANDS = ROOT / "docs" / "reference" / "command-line.md"
BLOCK = re.compile(
    r"<!-- run -->\n```sh\n(?P<line>.*?)\n```\n"
    r"(?:\n<!-- answers -->\n```json\n(?P<shown>.*?)\n```)?",
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
    """What a line answers; a line about work in progress is repeated for a while."""
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
    """Whether an answer is the one shown; "..." stands for anything, as a key for more fields."""
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


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_works_and_answers_what_is_shown(
    page: str, service: Service, exports: dict[str, str]
) -> None:
    blocks = list(BLOCK.finditer((ROOT / page).read_text(encoding="utf-8")))
    assert len(blocks) >= 2
    for block in blocks:
        line = block["line"].replace("http://127.0.0.1:8000", service.url)
        line = line.replace("http://127.0.0.1:8090", exports["GEOFENCE_FCM_ENDPOINT"])
        shown = json.loads(block["shown"]) if block["shown"] else None
        answer = paste(line, shown, patience_s=20.0 if "/inbox" in line else 0.0)
        assert "code" not in answer, f"{line}\n{answer}"
        assert shown is None or matches(shown, answer), f"{line}\n{answer}"


def test_the_sandbox_prints_the_settings_that_the_quickstart_names(exports: dict[str, str]) -> None:
    assert set(exports) == {
        "GEOFENCE_FCM_CREDENTIALS",
        "GEOFENCE_FCM_ENDPOINT",
        "GEOFENCE_SMTP_URL",
    }
    assert Path(exports["GEOFENCE_FCM_CREDENTIALS"]).is_file()


def test_every_shell_block_of_every_page_is_run() -> None:
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        marked = len(re.findall(r"<!-- run -->\n```sh\n", text))
        assert text.count("```sh") == marked, path
        assert not marked or path.relative_to(ROOT).as_posix() in (*PAGES, *ELSEWHERE)


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not reaches(page, target)
    ]
    assert not broken, broken


def reaches(page: Path, target: str) -> bool:
    """Whether a relative link names a file, and its anchor a heading of that file."""
    name, _, anchor = target.partition("#")
    path = page.parent / name if name else page
    if not path.exists():
        return False
    headings = (
        re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    )
    return not anchor or anchor in {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings
    }


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


def test_every_command_of_the_reference_exists() -> None:
    listed = set(
        re.findall(r"^\| `geofence ([a-z]+)", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE)
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
    assert listed
    assert listed == there
