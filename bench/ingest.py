"""Pings per second over HTTP into `geofence serve`.

One process, SQLite with full commits, matching on.

    python -m bench.ingest [--seconds 5] [--connections 4] [--json FILE]

Every device walks far from all stores but for one ping in twenty, which lies at one of 1,000
stores. Bodies are made before the clock starts. The baseline of the ratios is the same pings posted
one by one over as many connections.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import random
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.rigs.running import Service

STORES = 1_000
AT_A_STORE = 0.05


def store_place(number: int) -> tuple[float, float]:
    """Stores on a grid some 2 km apart."""
    return 40.0 + 0.02 * (number // 40), -100.0 + 0.025 * (number % 40)


def bodies(lane: int, count: int, size: int, start_ms: int) -> list[bytes]:
    """`count` request bodies of `size` pings, of 500 devices of this lane, in time order per device."""
    dice = random.Random(lane)
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
    """One connection that posts its bodies until the time is over."""

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
    """One row: pings per second and the answer times at this batch size."""
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        service = stack.enter_context(
            Service(f"sqlite:///{directory}/bench.db", Path(directory, "log"))
        )
        client = stack.enter_context(service.client())
        for number in range(STORES):
            lat, lon = store_place(number)
            region = {"type": "circle", "lat": lat, "lon": lon, "radius_m": 150}
            client.put(f"/v1/geofences/f{number}", json={"region": region}).raise_for_status()
        start_ms = int(time.time() * 1000) - 3_000_000
        ready = [
            bodies(lane, max(50, int(60_000 * seconds / size / connections)), size, start_ms)
            for lane in range(connections)
        ]
        begun_s = time.perf_counter()
        lanes = [Lane(service, lane, begun_s + seconds) for lane in ready]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        took_s = time.perf_counter() - begun_s
    answers = sorted(one for lane in lanes for one in lane.answers_s)
    return {
        "batch": size,
        "connections": connections,
        "pings_s": len(answers) * size / took_s,
        "p50_ms": 1000 * answers[len(answers) // 2],
        "p99_ms": 1000 * answers[int(len(answers) * 0.99)],
    }


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
    print(
        f"{'batch':>6} {'connections':>12} {'pings/s':>10} {'to single':>10} {'p50 ms':>8} {'p99 ms':>8}"
    )
    for row in rows:
        ratio = row["pings_s"] / rows[0]["pings_s"]
        answers = f"{row['p50_ms']:>8.1f} {row['p99_ms']:>8.1f}"
        print(
            f"{row['batch']:>6} {row['connections']:>12} {row['pings_s']:>10,.0f} {ratio:>10.1f} {answers}"
        )
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(
            json.dumps({"bench": "ingest", "machine": platform.machine(), "rows": rows}, indent=1)
            + "\n"
        )


if __name__ == "__main__":
    main()
