"""Pings per second over HTTP into `geofence serve`, and into Tile38 in the same run.

One process, SQLite with full commits, matching on; phones that stay around one place; every phone
is known before the clock starts. CPU microseconds per ping are those of the server's process.

    python -m bench.ingest [--fences 23000] [--phones 20000] [--rows 1000x4,100x8,1x64]
                           [--crowds store,quiet,cabs] [--profile balanced] [--scale 1.0]
                           [--database URL] [--json FILE]

Where `tile38-server` is on PATH it gets the same pings as pipelined SETs over as many connections,
the same circles as fence channels, a subscriber, and its append-only file, as it comes.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench import loader, tile38
from bench.phones import CABS, RADIUS_M, Cabs, Crowd, Places, Round, cab_stores, stores
from bench.report import cpu_of, write
from tests.rigs.running import KEY, Service

CROWDS = {"quiet": 0.0, "store": 0.05}
ROWS = "1000x4,1000x8,100x8,100x32,10x16,1x16,1x64,1x256"
PINGS = {1000: 400_000, 100: 200_000, 10: 60_000, 1: 30_000}  # of a row, before --scale


class Row(NamedTuple):
    """Pings a request, connections."""

    batch: int
    connections: int


def rows_of(text: str) -> list[Row]:
    """`1000x4,1x64` as rows."""
    return [Row(*map(int, word.split("x"))) for word in text.split(",")]


def as_json(part: Round) -> list[bytes]:
    """Each ping as the JSON object that a phone posts."""
    ping = b'{"device_id":"p%d","ts":%d,"lat":%.6f,"lon":%.6f,"accuracy_m":10}'
    columns = (part.phones, part.ts_ms, part.where.lat, part.where.lon)
    return [ping % row for row in zip(*(column.tolist() for column in columns), strict=True)]


def as_http(pings: Sequence[bytes]) -> bytes:
    """A request as an app or a backend writes it."""
    body = pings[0] if len(pings) == 1 else b"[" + b",".join(pings) + b"]"
    head = (
        b"POST /v1/pings HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
    )
    return head % (KEY.encode(), len(body)) + body


def as_sets(part: Round) -> list[bytes]:
    """Each ping as Tile38's SET."""
    columns = (part.phones, part.where.lat, part.where.lon)
    return [
        tile38.command("SET", "fleet", f"p{phone}", "POINT", f"{lat:.6f}", f"{lon:.6f}")
        for phone, lat, lon in zip(*(column.tolist() for column in columns), strict=True)
    ]


class Lanes:
    """Requests of a crowd, dealt to connections so that a phone always uses the same one."""

    def __init__(self, row: Row, *, http: bool) -> None:
        self._row, self._http = row, http
        self._lanes: list[list[tuple[int, bytes]]] = [[] for _ in range(row.connections)]
        self._waiting: list[list[bytes]] = [[] for _ in range(row.connections)]

    def made(self, crowd: Crowd | Cabs, pings: int, start_ms: int) -> list[list[tuple[int, bytes]]]:
        """(pings, request) for each connection."""
        for part in crowd.rounds(pings, start_ms):
            written = as_json(part) if self._http else as_sets(part)
            of_lane = part.phones % self._row.connections
            for lane in range(self._row.connections):
                self._fill(lane, [written[at] for at in np.flatnonzero(of_lane == lane).tolist()])
        for lane in range(self._row.connections):
            self._flush(lane)
        return self._lanes

    def _fill(self, lane: int, pings: list[bytes]) -> None:
        self._waiting[lane] += pings
        while len(self._waiting[lane]) >= self._row.batch:
            self._flush(lane)

    def _flush(self, lane: int) -> None:
        batch = self._waiting[lane][: self._row.batch]
        self._waiting[lane] = self._waiting[lane][self._row.batch :]
        if batch:
            request = as_http(batch) if self._http else b"".join(batch)
            self._lanes[lane].append((len(batch), request))


def measured(
    port: int, pid: int, lanes: list[list[tuple[int, bytes]]], folder: Path, *, http: bool
) -> dict[str, float]:
    """Post prepared requests; pings a second, CPU of both sides, answer times."""
    before_s = cpu_of(pid)
    found = loader.run(port, lanes, folder, "http" if http else "lines")
    spent_s = cpu_of(pid) - before_s
    return {
        "pings_s": found["pings"] / found["took_s"],
        "cpu_us": 1e6 * spent_s / found["pings"],
        "cores": spent_s / found["took_s"],
        "p50_ms": found["p50_ms"],
        "p99_ms": found["p99_ms"],
        "loader_us": 1e6 * found["loader_cpu_s"] / found["pings"],
    }


@contextlib.contextmanager
def geofence_with(places: Places, profile: str, url: str, folder: Path) -> Iterator[Service]:
    """A service that knows these circles."""
    lines = ["external_id,lat,lon,radius_m,profile"]
    for nth, (lat, lon) in enumerate(zip(places.lat.tolist(), places.lon.tolist(), strict=True)):
        lines.append(f"f{nth},{lat:.7f},{lon:.7f},{RADIUS_M:g},{profile}")
    database = url or f"sqlite:///{folder}/bench.db"
    with Service(database, folder / "log") as service, service.client(timeout=600) as client:
        address = "/v1/imports?kind=geofences"
        report = client.post(address, content="\n".join(lines).encode()).raise_for_status().json()
        assert report["failed"] == 0, report["errors"][:3]
        yield service


def run(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Every crowd and row, ours and, where it is, Tile38."""
    found: list[dict[str, Any]] = []
    for crowd_name in asked.crowds.split(","):
        places = cab_stores() if crowd_name == "cabs" else stores(asked.fences)
        for row in rows_of(asked.rows):
            pings = int(PINGS.get(row.batch, 200_000) * asked.scale)
            for name, result in _both(asked, places, crowd_name, row, pings):
                found.append({"crowd": crowd_name, "server": name, **row._asdict(), **result})
                print(_line(found[-1]), flush=True)
    return found


def _both(
    asked: argparse.Namespace, places: Places, crowd_name: str, row: Row, pings: int
) -> Iterator[tuple[str, dict[str, float]]]:
    now_ms = int(time.time() * 1000)
    start_ms = now_ms if crowd_name == "cabs" else now_ms - 20_000_000
    crowd = Cabs() if crowd_name == "cabs" else Crowd(places, asked.phones, CROWDS[crowd_name])
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        service = stack.enter_context(geofence_with(places, asked.profile, asked.database, folder))
        if isinstance(crowd, Crowd):
            known = Lanes(Row(1000, 4), http=True).made(crowd, crowd.count, start_ms)
            loader.run(service.port, known, folder, "http")
        lanes = Lanes(row, http=True).made(crowd, pings, start_ms + 60_000)
        yield "geofence", measured(service.port, service.pid, lanes, folder, http=True)
    with (
        tempfile.TemporaryDirectory() as name,
        tile38.serving(places, RADIUS_M, Path(name)) as other,
    ):
        if other is None:
            return
        lanes = Lanes(row, http=False).made(crowd, pings, start_ms)
        yield "tile38", measured(other.port, other.pid, lanes, Path(name), http=False)


_HEAD = (
    f"{'crowd':>6} {'server':>9} {'batch':>6} {'conns':>6} {'pings/s':>10} {'CPU µs':>8}"
    f" {'cores':>6} {'p50 ms':>8} {'p99 ms':>8} {'loader µs':>10}"
)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['crowd']:>6} {row['server']:>9} {row['batch']:>6} {row['connections']:>6}"
        f" {row['pings_s']:>10,.0f} {row['cpu_us']:>8.1f} {row['cores']:>6.2f}"
        f" {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f} {row['loader_us']:>10.1f}"
    )


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fences", type=int, default=23_000)
    parser.add_argument("--phones", type=int, default=20_000)
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--crowds", default="store,quiet")
    parser.add_argument("--profile", default="balanced")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--database", default="")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if "cabs" in asked.crowds and not CABS.exists():
        parser.error("the recorded cabs are not there (../shared/data)")
    print(_HEAD)
    write(asked.json, "ingest", rows=run(asked))


if __name__ == "__main__":
    main()
