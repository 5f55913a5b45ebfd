"""Pings per second over HTTP into one `geofence serve`, SQLite with full commits, matching on.

    python -m bench.ingest [--seconds 5] [--connections 4] [--json FILE]

Every device walks far from all stores but for one ping in twenty, which lies at one of 1,000
stores. Bodies are made before the clock starts. The baseline of the ratios is the same pings posted
one by one over as many connections.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.report import Clock, write
from tests.rigs.running import Service

STORES = 1_000
AT_A_STORE = 0.05


def store_place(number: int) -> tuple[float, float]:
    """Stores on a grid some 2 km apart."""
    return 40.0 + 0.02 * (number // 40), -100.0 + 0.025 * (number % 40)


def bodies(lane: int, count: int, size: int) -> list[bytes]:
    """`count` bodies of `size` pings of this lane's 500 devices, in time order per device."""
    dice, start_ms = random.Random(lane), int(time.time() * 1000) - 3_000_000
    made, number = [], 0
    for _ in range(count):
        pings = []
        for _ in range(size):
            lat, lon = store_place(dice.randrange(STORES))
            near = dice.random() < AT_A_STORE
            lat += dice.uniform(-0.001, 0.001) if near else 0.008 + dice.uniform(0, 0.002)
            pings.append(
                {
                    "device_id": f"l{lane}d{number % 500}",
                    "ts": start_ms + number,
                    "lat": lat,
                    "lon": lon,
                    "accuracy_m": 10,
                }
            )
            number += 1
        made.append(json.dumps(pings if size > 1 else pings[0]).encode())
    return made


class Lane(threading.Thread):
    """A connection that posts its bodies until the time is over."""

    def __init__(self, service: Service, ready: list[bytes], until_s: float) -> None:
        super().__init__()
        self.service, self.ready, self.until_s = service, ready, until_s
        self.answers_s: list[float] = []

    def run(self) -> None:
        with self.service.client() as client:
            for body in self.ready:
                begun_s = time.perf_counter()
                if begun_s >= self.until_s:
                    return
                answer = client.post("/v1/pings", content=body)
                assert answer.status_code == httpx.codes.ACCEPTED, answer.text
                self.answers_s.append(time.perf_counter() - begun_s)


def measure(size: int, connections: int, seconds: float) -> dict[str, float]:
    """One row: pings per second, CPU of the service per ping, answer times at this batch size."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        service = stack.enter_context(
            Service(f"sqlite:///{directory}/bench.db", Path(directory, "log"))
        )
        put_stores(service)
        count = max(50, int(60_000 * seconds / size / connections))
        ready = [bodies(lane, count, size) for lane in range(connections)]
        clock = Clock(service.pid)
        answers = post_all(service, ready, seconds)
        took_s, cpu_s = clock.wall_s(), clock.cpu_s()
    return {
        "batch": size,
        "connections": connections,
        "pings_s": len(answers) * size / took_s,
        "cpu_us": cpu_s / (len(answers) * size) * 1e6,
        "p50_ms": 1000 * answers[len(answers) // 2],
        "p99_ms": 1000 * answers[int(len(answers) * 0.99)],
    }


def post_all(service: Service, ready: list[list[bytes]], seconds: float) -> list[float]:
    """Post the bodies of all lanes at once; the answer times in seconds, sorted."""
    lanes = [Lane(service, lane, time.perf_counter() + seconds) for lane in ready]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    return sorted(one for lane in lanes for one in lane.answers_s)


def put_stores(service: Service) -> None:
    with service.client() as client:
        for number in range(STORES):
            lat, lon = store_place(number)
            region = {"type": "circle", "lat": lat, "lon": lon, "radius_m": 150}
            client.put(f"/v1/geofences/f{number}", json={"region": region}).raise_for_status()


def table(rows: list[dict[str, float]]) -> str:
    head = f"{'batch':>6} {'connections':>12} {'pings/s':>10} {'CPU µs':>8} {'to single':>10}"
    lines = [f"{head} {'p50 ms':>8} {'p99 ms':>8}"]
    for row in rows:
        ratio = row["pings_s"] / rows[0]["pings_s"]
        line = f"{row['batch']:>6} {row['connections']:>12} {row['pings_s']:>10,.0f}"
        line += f" {row['cpu_us']:>8.1f} {ratio:>10.1f}"
        lines.append(f"{line} {row['p50_ms']:>8.1f} {row['p99_ms']:>8.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [measure(size, asked.connections, asked.seconds) for size in (1, 100, 1000)]
    print(table(rows))
    write(asked.json, "ingest", rows=rows)


if __name__ == "__main__":
    main()
