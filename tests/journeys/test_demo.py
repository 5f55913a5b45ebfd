"""`geofence demo` shows a town in which shoppers get offers, and the commands it suggests work."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from api.client.pings import PingClient, Posted
from api.demo.seed import CAMPAIGNS, settle
from geofence.simulate.city import build_city
from geofence.simulate.shoppers import shoppers
from geofence.simulate.walk import people, walk
from tests.rigs.running import KEY, Service

GEOFENCE = str(Path(sys.executable).with_name("geofence"))
ARRIVED = re.compile(r"^\d\d:\d\d:\d\d (push |email) (\S+)  (.*)$")
COUNTS = re.compile(
    r"So far: (?P<pings>[\d,]+) pings, (?P<events>[\d,]+) events .*; "
    r"(?P<decisions>[\d,]+) decisions: (?P<sent>[\d,]+) sent, "
    r"(?P<held>[\d,]+) held out, (?P<silent>[\d,]+) silent.*; "
    r"(?P<pushes>[\d,]+) pushes and (?P<mails>[\d,]+) mails arrived, 0 refused"
)


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [GEOFENCE, "demo", "--port", "0", *more]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def read_until(demo: subprocess.Popen[str], *words: str, lines: int = 1_000) -> list[str]:
    """Its lines until each of the words was seen; ends with the demo."""
    assert demo.stdout is not None
    seen: list[str] = []
    missing = set(words)
    for line in demo.stdout:
        seen.append(line)
        missing -= {word for word in missing if re.search(word, line)}
        if not missing or len(seen) >= lines:
            break
    return seen


def curls(seen: list[str]) -> list[str]:
    return [line[line.index("curl") :].strip() for line in seen if "curl" in line]


def pasted(curl: str) -> dict[str, object]:
    ran = subprocess.run(
        ["bash", "-euc", curl], capture_output=True, text=True, timeout=30, check=True
    )
    answer: dict[str, object] = json.loads(ran.stdout)
    return answer


def test_the_demo_shows_events_pushes_and_mails_and_every_curl_it_prints_works(
    tmp_path: Path,
) -> None:
    demo = start(tmp_path)
    try:
        seen = read_until(demo, " entered ", r"\d push ", r"\d email ", "  redeem ")
        assert any(
            re.search(r"\d\d:\d\d:\d\d entered (walker|driver)-\d{3}  \S.* \((near|wide)\)", line)
            for line in seen
        )
        assert {found[1].strip() for line in seen if (found := ARRIVED.match(line.strip()))} == {
            "push",
            "email",
        }
        *lists, redeem = curls(seen)
        assert len(lists) == 2
        assert all(pasted(curl)["data"] for curl in lists)
        assert pasted(redeem)["coupon"]["status"] == "redeemed"  # type: ignore[index]  # it is an object
        assert pasted(redeem)["code"] == "coupon_redeemed"
        inbox = next(line.split()[1] for line in seen if line.strip().startswith("inbox"))
        assert "Pushes and mails" in httpx.get(inbox, trust_env=False).text
    finally:
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert COUNTS.search(rest)
    assert "Traceback" not in rest


def test_the_demos_counts_are_those_of_the_service(tmp_path: Path) -> None:
    demo = start(tmp_path, "--seconds", "8")
    seen, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, seen
    counts = {
        name: int(text.replace(",", "")) for name, text in COUNTS.search(seen).groupdict().items()
    }  # type: ignore[union-attr]  # asserted by it
    shown = [
        found[1].strip() for line in seen.splitlines() if (found := ARRIVED.match(line.strip()))
    ]
    assert counts["decisions"] == counts["sent"] + counts["held"] + counts["silent"]
    assert counts["events"] >= counts["decisions"]
    assert counts["pushes"] + counts["mails"] <= counts["sent"]
    assert counts["pushes"] >= shown.count("push")
    assert counts["mails"] >= shown.count("email")


@pytest.mark.parametrize(
    ("moment", "lamp_week"),
    [
        ("2026-11-25T12:00:00+01:00", {"send", "consent_missing"}),
        ("2026-11-25T03:00:00+01:00", {"store_closed"}),
    ],
)
def test_at_any_hour_somebody_hears_of_the_second_cup_and_of_lamps_only_while_the_store_is_open(
    tmp_path: Path, moment: str, lamp_week: set[str]
) -> None:
    city, start_ms = build_city(), int(datetime.fromisoformat(moment).timestamp() * 1000)
    soon = itertools.takewhile(lambda ping: ping.ts < start_ms + 20_000, walk(city, start_ms))
    pings = [
        Posted(ping.device_id, ping.ts, ping.lat, ping.lon, ping.accuracy_m, ping.speed_mps)
        for ping in soon
    ]
    with (
        Service(f"sqlite:///{tmp_path}/record.sqlite", tmp_path / "log", CLOCK="pings") as service,
        PingClient(service.url, KEY) as poster,
    ):
        settle(poster, city.stores, shoppers(people(), start_ms))
        poster.post(pings)
        with service.client() as client:
            decisions = client.get("/v1/decisions?limit=1000").json()["data"]
    reasons = {
        name: Counter(
            one["reason"].partition("=")[0] for one in decisions if one["campaign_id"] == name
        )
        for name in CAMPAIGNS
    }
    assert reasons["second-cup"]["send"] >= 5
    assert lamp_week <= reasons["lamp-week"].keys()
    assert ("send" in reasons["lamp-week"]) is ("send" in lamp_week)


def test_a_second_demo_in_the_same_folder_leaves_the_first_ones_record_alone(
    tmp_path: Path,
) -> None:
    first = start(tmp_path)
    try:
        assert "Marrowfield" in read_until(first, "Marrowfield")[-1]
        second = subprocess.run(
            [GEOFENCE, "demo", "--port", "0"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
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
        assert "So far: " in seen
        assert "Traceback" not in seen


def test_the_demo_sends_to_nobody_whatever_the_environment_says(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        elsewhere = {
            "GEOFENCE_SMTP_URL": "smtp://mail.example.org:25",
            "GEOFENCE_FCM_ENDPOINT": "https://fcm.example.org",
            "PATH": "/usr/bin:/bin",
        }
        command = [GEOFENCE, "demo", "--port", "0", "--seconds", "8"]
        done = subprocess.run(
            command, cwd=tmp_path, env=elsewhere, stdout=out, stderr=out, timeout=120, check=False
        )
        seen = (tmp_path / "out").read_text()
    assert done.returncode == 0, seen
    assert int(COUNTS.search(seen)["pushes"]) > 0  # type: ignore[index]  # it ends with its counts
