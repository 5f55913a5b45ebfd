"""The time until `geofence serve` is ready, with many geofences and many phones inside.

    python -m bench.start [--stores 100000] [--presences 1000000] [--json FILE]

The stores come by one import, the presences by pings: each phone reports once from a store. The
service starts three times with the index that it saves beside the database, and once without it.
Presences are read when their phones report and not at the start, so their number should not matter:
a start before the first ping is the baseline.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.imports import as_csv, drop_indexes, rows, sent, started
from bench.report import write
from tests.rigs.running import Service

BATCH = 5_000
STARTS = 3


def filled(service: Service, stores: list[dict[str, Any]], presences: int) -> float:
    """Let phones report from stores; returns pings per second."""
    ts_ms, start_s = time.time_ns() // 1_000_000, time.perf_counter()
    with service.client(timeout=600) as client:
        for first in range(0, presences, BATCH):
            some = [
                (number, stores[number % len(stores)])
                for number in range(first, min(first + BATCH, presences))
            ]
            pings = [
                {
                    "device_id": f"phone-{number}",
                    "lat": float(at["lat"]),
                    "lon": float(at["lon"]),
                    "ts": ts_ms,
                    "accuracy_m": 8,
                }
                for number, at in some
            ]
            client.post("/v1/pings", content=msgspec.json.encode(pings)).raise_for_status()
    return presences / (time.perf_counter() - start_s)


def measure(count: int, presences: int) -> dict[str, Any]:
    stores = rows(count)
    with tempfile.TemporaryDirectory() as directory:
        url, log = f"sqlite:///{directory}/bench.db", Path(directory, "log")
        with Service(url, log) as service:
            sent(service, as_csv(stores))
        empty = fastest(url, log)
        with Service(url, log) as service:
            pings_s = filled(service, stores, presences)
        with_index = fastest(url, log)
        drop_indexes(directory)
        return {
            "stores": count,
            "presences": presences,
            "start": with_index,
            "start_without_index": started(url, log),
            "start_without_presences": empty,
            "pings_s": pings_s,
            "database_mb": Path(directory, "bench.db").stat().st_size / 1e6,
        }


def fastest(url: str, log: Path) -> dict[str, float]:
    """Wall and CPU seconds of the fastest of some starts."""
    return min((started(url, log) for _ in range(STARTS)), key=lambda one: one["s"])


def table(found: dict[str, Any]) -> str:
    lines = [f"{'start':<20} {'wall s':>8} {'CPU s':>8}"]
    for name in ("start", "start_without_index", "start_without_presences"):
        what = name.removeprefix("start_").replace("_", " ")
        lines.append(f"{what:<20} {found[name]['s']:>8.2f} {found[name]['cpu_s']:>8.2f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", type=int, default=100_000)
    parser.add_argument("--presences", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = measure(asked.stores, asked.presences)
    print(f"{found['stores']:,} stores, {found['presences']:,} presences")
    print(table(found))
    print(f"the presences ({found['database_mb']:,.0f} MB) came at {found['pings_s']:,.0f} pings/s")
    write(asked.json, "start", rows=[found])


if __name__ == "__main__":
    main()
