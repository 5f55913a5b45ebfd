"""Each rule is shown a tree that breaks it, and one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.rules import container, imports, names, shape, tables, tests_themselves, words
from tests.rules.test_the_tree import RULES, Rule

LATER = "# TO" + "DO: finish"
SWALLOW = "try:\n    x = 1\nexcept ValueError:" + " pa" + "ss\n"
HOST = "https://py" + "pi.org/simple"
HERE = "open('/wo" + "rk/main/x')"
BARE_NOQA = "import os  # no" + "qa: F401\n"
BARE_IGNORE = "x: int = ''  # type" + ": ignore[assignment]\n"

REFERENCE = "docs/reference/tables.md"
SETTINGS = 'class Settings:\n    port: int = _setting(8000, "the port")\n'
DEEP = (
    "def f(a):\n    if a:\n        for b in a:\n            if b:\n"
    "                while b:\n                    b = 0\n"
)
DENSE = "def f():\n    return [" + ", ".join("(a, b)" for _ in range(60)) + "]\n"
ROOTED = (
    "FROM python:3.13-slim\nRUN pip install --no-cache-dir --require-hashes -r x\nEXPOSE 1\n"
    'VOLUME /data\nHEALTHCHECK CMD true\nCMD ["x"]\nUSER root\n'
)

COMPOSE = """\
services:
  db:
    image: db:18
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    healthcheck: {test: [CMD, look]}
    restart: unless-stopped
    deploy: {resources: {limits: {cpus: "1", memory: 1g, pids: 100}}}
"""
DECIDE = 'BEFORE_ARBITRATION = ("hours", "known")\nAFTER_ARBITRATION = ()\n'
HOURS = (
    "NAME = 'hours'\n\n\ndef judge(case):\n    '''Stops with `hour`.'''\n"
    "    return stopped('hour', '', '')\n"
)
KNOWN = (
    "NAME = 'known'\n\n\ndef judge(case):\n    '''Stops with `customer_unknown`.'''\n"
    '    return passed() if case.customer else stopped("customer_unknown", "", "")\n'
)
FCM = "geofence/delivery/channels/fcm/__init__.py"
MISNAMED = KNOWN.replace('stopped("customer_unknown"', 'stopped("customer_new"')

PLANTED: tuple[tuple[Rule, str, str], ...] = (
    (imports.floors_keep_their_order, "regions/index/cover.py", "import geofence.clock\n"),
    (imports.floors_keep_their_order, "regions/index/cover.py",
     "def f():\n    from geofence import clock\n"),
    (imports.floors_keep_their_order, "geofence/detection/presence.py",
     "from api import settings\n"),
    (imports.floors_keep_their_order, "geofence/model/ping.py", "from ..clock import Clock\n"),
    (imports.floors_keep_their_order, "geofence/offers/gates/frequency_cap.py",
     "from geofence import ports\n"),
    (imports.floors_keep_their_order, "geofence/delivery/channels/push.py",
     "from geofence.backends import sql\n"),
    (imports.rooms_import_only_rooms_before_them, "geofence/model/ping.py",
     "from geofence import ports\n"),
    (imports.rooms_import_only_rooms_before_them, "geofence/places/catalogue.py",
     "import geofence.detection.presence\n"),
    (imports.rooms_import_only_rooms_before_them, "geofence/offers/cases.py",
     "def f():\n    from geofence.street import decide\n"),
    (imports.rooms_import_only_rooms_before_them, "geofence/delivery/http/egress.py",
     "from geofence.detection import stops\n"),
    (imports.rooms_import_only_rooms_before_them, "geofence/attic/trunk.py", ""),
    (imports.a_step_imports_no_other_step, "geofence/street/normalise.py",
     "from .locate import locate\n"),
    (imports.a_step_imports_no_other_step, "geofence/street/decide.py",
     "from geofence.street import pipeline\n"),
    (imports.only_bootstrap_names_a_backend, "api/cli/main.py",
     "def f():\n    import geofence.backends.sql\n"),
    (imports.libraries_stay_in_their_rooms, "geofence/street/locate.py", "import h3\n"),
    (imports.libraries_stay_in_their_rooms, "regions/index/index.py",
     "from pydantic import BaseModel\n"),
    (imports.libraries_stay_in_their_rooms, "api/routes/stores.py", "import sqlalchemy as sa\n"),
    (imports.libraries_stay_in_their_rooms, "geofence/street/deliver.py",
     "def f():\n    import pyfcm\n"),
    (shape.no_file_is_longer_than_the_ceiling, "geofence/long.py", "x = 1\n" * 401),
    (shape.no_function_is_longer_than_the_ceiling, "api/app.py", "def f():\n" + "    x = 1\n" * 50),
    (shape.no_function_nests_too_deep, "api/app.py", DEEP),
    (shape.no_function_is_too_dense, "api/app.py", DENSE),
    (shape.no_module_has_a_vague_name, "api/utils.py", ""),
    (shape.no_module_has_a_vague_name, "geofence/common/__init__.py", ""),
    (shape.no_module_has_a_vague_name, "geofence/store_manager.py", ""),
    (shape.nothing_below_the_doors_is_async, "geofence/street/pipeline.py",
     "async def f():\n    return 1\n"),
    (shape.only_the_command_line_prints, "geofence/street/pipeline.py", "print('here')\n"),
    (shape.only_the_clock_asks_the_time, "geofence/detection/presence.py",
     "import time\nnow = time.time()\n"),
    (names.measures_carry_their_unit, "geofence/detection/presence.py",
     "def f(radius: float): ...\n"),
    (names.measures_carry_their_unit, "api/app.py", "def f(*, connect_timeout: float = 1): ...\n"),
    (names.measures_carry_their_unit, "geofence/model/ping.py",
     "class Ping:\n    accuracy: float\n"),
    (names.lat_stands_before_lon, "regions/index/index.py", "def f(lon, lat): ...\n"),
    (names.lat_stands_before_lon, "geofence/street/locate.py",
     "def f(p):\n    return [p.lon, p.lat]\n"),
    (words.no_forbidden_words, "api/app.py", LATER),
    (words.no_forbidden_words, "api/app.py", SWALLOW),
    (words.no_forbidden_words, "docs/install.md", HOST),
    (words.no_forbidden_words, "bench/run.py", HERE),
    (words.locks_carry_hashes_and_no_addresses, "requirements.lock", "numpy==2.0\n"),
    (words.locks_carry_hashes_and_no_addresses, "requirements-dev.lock",
     "--index" + "-url http://localhost\n"),
    (words.every_ignore_says_why, "api/app.py", BARE_NOQA),
    (words.every_ignore_says_why, "regions/index/index.py", BARE_IGNORE),
    (words.no_retired_words_in_code, "api/app.py", "def who_was_" + "told(): ...\n"),
    (words.no_retired_words_in_code, "regions/lint/lint.py", "# the cr" + "ew at work\n"),
    (words.no_retired_words_in_documents, "docs/how-to/deliver.md",
     "Whoever leaves is not told.\n"),
    (words.no_retired_words_in_documents, "docs/how-to/deliver.md",
     "The answer is an `ErasedOut`.\n"),
    (words.no_retired_words_in_documents, ".github/ISSUE_TEMPLATE/bug.yml",
     "name: The night shift stands still\n"),
    (tests_themselves.test_names_are_sentences, "tests/unit/test_a.py",
     "def test_border():\n    assert 1\n"),
    (tests_themselves.every_test_asserts, "tests/unit/test_a.py",
     "def test_a_ping_on_the_border():\n    print(1)\n"),
    (tests_themselves.no_test_sleeps_blindly, "tests/unit/test_a.py",
     "import time\ntime.sleep(1)\n"),
    (tests_themselves.nothing_of_ours_is_mocked, "tests/unit/test_a.py",
     "from unittest import mock\n"),
    (tests_themselves.nothing_of_ours_is_mocked, "tests/unit/test_a.py",
     "def f(monkeypatch):\n    monkeypatch.setattr('a.b', 1)\n"),
    (tests_themselves.every_skip_says_why, "tests/unit/test_a.py", "pytest.mark.skipif(True)\n"),
    (tests_themselves.rigs_live_in_one_place, "tests/unit/test_a.py",
     "from tests.unit.test_b import Story\n"),
    (tests_themselves.rigs_live_in_one_place, "bench/run.py",
     "def f():\n    from tests.servers import running\n"),
    (container.the_dockerfile_is_sound, "Dockerfile", "FROM python:latest\n"),
    (container.the_dockerfile_is_sound, "Dockerfile", ROOTED),
    (tables.the_settings_table_is_true, "api/settings.py", SETTINGS.replace("port", "depth")),
    (tables.the_settings_table_is_true, "api/settings.py", SETTINGS.replace("8000", "9000")),
    (tables.the_settings_table_is_true, "api/settings.py",
     "class Settings:\n    '''None left.'''\n"),
    (tables.the_rejections_table_is_true, "geofence/street/normalise.py",
     'REJECTION_CODES = {"future": "another sentence"}\n'),
    (tables.the_pings_table_is_true, "geofence/model/ping.py",
     "class PingIn:\n    lat: float\n    mood: str\n"),
    (tables.the_events_table_is_true, "geofence/model/event.py",
     'EventKind = Literal["geofence.entered", "geofence.left"]\n'),
    (container.the_compose_file_is_sound, "compose.yaml",
     COMPOSE.replace("read_only: true", "read_only: false")),
    (container.the_compose_file_is_sound, "compose.yaml", COMPOSE.replace("db:18", "db")),
    (container.the_compose_file_is_sound, "compose.yaml",
     COMPOSE + "    ports: ['127.0.0.1:5432:5432']\n"),
    (container.the_compose_file_is_sound, "compose.yaml",
     COMPOSE + "    environment: {POSTGRES_PASSWORD: open}\n"),
    (container.the_compose_file_is_sound, "compose.yaml",
     COMPOSE + "    volumes: ['./data:/data']\n"),
    (tables.the_gates_table_is_true, "geofence/street/decide.py",
     DECIDE.replace('"hours", "known"', '"known", "hours"')),
    (tables.the_gates_table_is_true, "geofence/offers/gates/identified.py",
     KNOWN.replace("customer_unknown", "customer_new")),
    (tables.the_gates_table_is_true, "geofence/offers/gates/identified.py", MISNAMED),
    (tables.the_gates_table_is_true, "geofence/offers/gates/mood.py",
     KNOWN.replace("'known'", "'mood'")),
    (tables.the_triggers_table_is_true, "geofence/offers/triggers/entered.py",
     "NAME = 'entered'\nKIND = 'geofence.crossed'\n"),
    (tables.the_channels_table_is_true, FCM,
     "NAME = 'push'\nclass Fcm:\n    retry_s = (5, 15, 45)\n"),
    (tables.the_channels_table_is_true, "geofence/delivery/channels/pigeon.py",
     "NAME = 'pigeon'\n"),
    (tables.the_formats_table_is_true, "regions/readers/etching.py", "NAME = 'etching'\n"),
    (tables.the_metrics_table_is_true, "api/metrics.py",
     'PINGS = Counter("geofence_pings", "pings")\nGAUGE = Gauge("late", "late")\n'),
)  # fmt: skip

SOUND = {
    REFERENCE: (
        "<!-- settings -->\n| name | default |\n|---|---|\n| `GEOFENCE_PORT` | 8000 |\n\n"
        "<!-- rejections -->\n| code | why |\n|---|---|\n| `future` | too early |\n\n"
        "<!-- pings -->\n| field | unit |\n|---|---|\n| `lat` | degrees |\n\n"
        "<!-- events -->\n| kind | when |\n|---|---|\n| `geofence.entered` | in |\n\n"
        "<!-- metrics -->\n| name | what |\n|---|---|\n| `geofence_pings_total` | pings |\n\n"
        "<!-- triggers -->\n| name | event |\n|---|---|\n| `entered` | `geofence.entered` |\n\n"
        "<!-- gates -->\n| name | why |\n|---|---|\n| `hours` | `hour` |\n"
        "| `known` | `customer_unknown` |\n"
        "| `arbitration` | `lost_to` |\n\n"
        "<!-- channels -->\n| name | then |\n|---|---|\n| `push` | 2 tries more |\n"
    ),
    "compose.yaml": COMPOSE,
    "geofence/street/decide.py": DECIDE,
    "geofence/offers/gates/schedule.py": HOURS,
    "geofence/offers/gates/identified.py": KNOWN,
    "geofence/offers/triggers/entered.py": "NAME = 'entered'\nKIND = 'geofence.entered'\n",
    FCM: "NAME = 'push'\nclass Fcm:\n    retry_s = (5, 15)\n",
    "api/settings.py": SETTINGS,
    "api/metrics.py": 'PINGS = Counter("geofence_pings", "pings")\n',
    "geofence/street/normalise.py": 'REJECTION_CODES = {"future": "too early"}\n',
    "geofence/model/ping.py": "class PingIn:\n    lat: float\n",
    "geofence/model/event.py": 'EventKind = Literal["geofence.entered"]\n',
    "geofence/street/locate.py": (
        "from regions.index import Index\n\n\ndef f(lat, lon, radius_m): ...\n"
    ),
    "regions/index/index.py": (
        "import h3\n\nx = h3.cell  # type: ignore[misc]  # h3 has no annotations\n"
    ),
    "api/bootstrap.py": "def f():\n    import geofence.backends.sql\n",
    "tests/unit/test_a.py": "import time\n\n\n"
    "def test_a_ping_on_the_border_is_inside():\n"
    "    while not 1:\n        time.sleep(1)\n    assert 1\n",
    "requirements.lock": "numpy==2.0 \\\n    --hash=sha256:00\n",
    "Dockerfile": ROOTED.replace("USER root", "USER 10001"),
}


def build(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("rule", "path", "content"), PLANTED, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_planted_breach_is_caught_where_it_stands(
    rule: Rule, path: str, content: str, tmp_path: Path
) -> None:
    found = list(rule(build(tmp_path, {**SOUND, path: content})))
    assert found
    assert {breach.path for breach in found} <= {path, REFERENCE, "docs/README.md"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_tree_breaks_no_rule(rule: Rule, tmp_path: Path) -> None:
    assert list(rule(build(tmp_path, SOUND))) == []


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)


def test_a_file_of_four_hundred_lines_is_still_allowed(tmp_path: Path) -> None:
    assert not list(
        shape.no_file_is_longer_than_the_ceiling(build(tmp_path, {"api/app.py": "x = 1\n" * 400}))
    )


def test_retired_words_are_allowed_in_code_data_and_links(tmp_path: Path) -> None:
    text = "The store stands in front of `addr:door`; see [the page](house.md).\n"
    assert not list(
        words.no_retired_words_in_documents(
            build(tmp_path, {"docs/page.md": text, "notes.md": "told\n"})
        )
    )


def test_an_elif_does_not_nest_deeper_than_its_if(tmp_path: Path) -> None:
    chain = "def f(a):\n    if a:\n        a = 1\n" + "".join(
        f"    elif a == {n}:\n        a = 1\n" for n in range(5)
    )
    assert not list(shape.no_function_nests_too_deep(build(tmp_path, {"api/app.py": chain})))


def test_a_channel_may_hide_a_loop_of_its_own(tmp_path: Path) -> None:
    hidden = "async def f():\n    return 1\n"
    assert not list(
        shape.nothing_below_the_doors_is_async(
            build(tmp_path, {"geofence/delivery/channels/push.py": hidden})
        )
    )
