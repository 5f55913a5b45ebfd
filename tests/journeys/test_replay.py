"""`geofence replay` posts recorded walks to a real service.

It also posts to a service that is away or busy for a while.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.running import KEY, Service

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "traces"
GEOFENCE = str(Path(sys.executable).with_name("geofence"))
FIRST = (48.22, 16.73)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("replay")
    with Service(f"sqlite:///{folder}/record.sqlite", folder / "log", CLOCK="pings") as running:
        yield running


def replay(file: Path, url: str, *more: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    command = [GEOFENCE, "replay", str(file), "--url", url, "--key", key, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def report(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    facts: dict[str, Any] = json.loads(ran.stdout)
    return facts


def walk_of(path: Path, device: str, points: int) -> Path:
    rows = [
        f"{device},{1_795_338_000 + 30 * n},{FIRST[0] + n / 1e4},{FIRST[1]}" for n in range(points)
    ]
    path.write_text("\n".join(["device,time,lat,lon", *rows]), encoding="utf-8")
    return path


def test_a_walk_posted_twice_happens_once(service: Service, tmp_path: Path) -> None:
    walk = walk_of(tmp_path / "walk.csv", "twice", 250)
    first = report(replay(walk, service.url, "--json", "--batch", "100"))
    second = report(replay(walk, service.url, "--json", "--batch", "40"))
    assert (first["accepted"], first["duplicates"], first["rejected"]) == (250, 0, {})
    assert (second["accepted"], second["duplicates"], second["rejected"]) == (0, 250, {})


@pytest.mark.parametrize("suffix", [".csv", ".gpx", ".parquet"])
def test_every_format_arrives_whole(service: Service, suffix: str, tmp_path: Path) -> None:
    copy = tmp_path / f"{suffix[1:]}{suffix}"
    copy.write_bytes((SAMPLES / f"walk{suffix}").read_bytes())
    facts = report(replay(copy, service.url, "--json"))
    assert facts["accepted"] + facts["duplicates"] == 52
    assert facts["rejected"] == {}


def test_points_that_cannot_be_are_counted_by_their_code(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(
        "device,time,lat,lon\nodd,1795338000,91,2\nodd,1795338001,48,2\nodd,1795338002,,2\n",
        encoding="utf-8",
    )
    facts = report(replay(path, service.url, "--json"))
    assert facts["accepted"] == 1
    assert facts["rejected"] == {"invalid_position": 2}


def test_a_walk_of_which_every_point_is_refused_fails(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("device,time,lat,lon\nodd,1795338000,91,2\n", encoding="utf-8")
    ran = replay(path, service.url)
    assert ran.returncode == 1
    assert "1 rejected (1 invalid_position)" in ran.stderr


def test_a_file_that_cannot_be_read_says_why_and_posts_nothing(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "walk.csv"
    path.write_text("device,time,lat,lon\na,2026-11-22T09:00:00,1,2\n", encoding="utf-8")
    ran = replay(path, service.url)
    assert ran.returncode == 2
    assert "walk.csv, line 2: the time has no offset" in ran.stderr


def test_a_wrong_key_is_reported_in_words_and_not_repeated(service: Service) -> None:
    ran = replay(SAMPLES / "walk.csv", service.url, key="sk_not_this_one")
    assert ran.returncode == 1
    assert "401" in ran.stderr
    assert "sk_not_this_one" not in ran.stderr + ran.stdout


def test_a_service_that_stays_away_ends_the_patience() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    ran = replay(SAMPLES / "walk.csv", url, "--patience-s", "0.5", "--json")
    assert ran.returncode == 1
    assert "does not answer" in json.loads(ran.stdout)["error"]


def _body(lines: BufferedReader) -> bytes:
    length = 0
    while (line := lines.readline()) not in (b"\r\n", b""):
        if found := re.match(rb"content-length: (\d+)", line, re.IGNORECASE):
            length = int(found[1])
    return lines.read(length)


class Moody:
    """A peer that answers the first requests with these raw bytes and hangs up, then 202.

    It keeps every body it got.
    """

    ANSWER = b'{"result":"ok","accepted":52,"duplicates":0,"rejected":[]}'
    WELL = (
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%b"
        % (
            len(ANSWER),
            ANSWER,
        )
    )

    def __init__(self, *moods: bytes) -> None:
        self.bodies: list[bytes] = []
        self._moods = [*moods, self.WELL]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        for mood in self._moods:
            peer, _ = self._listener.accept()
            with peer, peer.makefile("rb") as lines:
                self.bodies.append(_body(lines))
                peer.sendall(mood)
        self._listener.close()

    def done(self) -> list[bytes]:
        self._thread.join(30)
        return self.bodies


def test_a_batch_that_was_not_answered_is_sent_again_unchanged() -> None:
    busy = (
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\n"
        b"Content-Length: 0\r\nConnection: close\r\n\r\n"
    )
    moody = Moody(b"", busy, b"HTTP/1.1 202 Acc")
    facts = report(replay(SAMPLES / "walk.csv", moody.url, "--json"))
    bodies = moody.done()
    assert facts["resent_batches"] == 3
    assert facts["accepted"] == 52
    assert len(bodies) == 4
    assert len(set(bodies)) == 1


def test_at_a_given_speed_a_batch_holds_a_second_of_the_wall_clock(tmp_path: Path) -> None:
    moody = Moody(Moody.WELL)  # answers twice
    walk = walk_of(
        tmp_path / "slow.csv", "slow", 5
    )  # a point every 30 s; at 60 times the speed three of them fit a second
    report(replay(walk, moody.url, "--json", "--speed", "60"))
    assert [len(json.loads(body)) for body in moody.done()] == [3, 2]
