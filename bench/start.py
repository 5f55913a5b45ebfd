"""How long `geofence serve` takes until it is ready, with many geofences and many phones inside.

    python -m bench.start [--stores 100000] [--presences 1000000] [--json FILE]

The stores come by one import, the presences by pings: each phone reports once from a store. The
service is then started three times with the index it keeps beside the database, and once without
it. Presences are read when their phones speak and not at the start, so their number should not
matter: the same stores without anybody inside are the baseline of the ratio.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.imports import as_csv, rows, sent, started
from tests.rigs.running import Service

BATCH = 5_000
STARTS = 3


def filled(service: Service, stores: list[dict[str, Any]], presences: int) -> float:
    """Let so many phones report from stores; pings a second."""
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
        empty_s = min(started(url, log) for _ in range(STARTS))
        with Service(url, log) as service:
            pings_s = filled(service, stores, presences)
        kept_s = min(started(url, log) for _ in range(STARTS))
        for file in Path(directory).glob("bench.db.prj_*"):
            file.unlink()
        bare_s = started(url, log)
        size_mb = Path(directory, "bench.db").stat().st_size / 1e6
    return {
        "stores": count, "presences": presences, "start_s": kept_s, "start_without_index_s": bare_s,
        "start_without_presences_s": empty_s, "pings_s": pings_s, "database_mb": size_mb,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", type=int, default=100_000)
    parser.add_argument("--presences", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = measure(asked.stores, asked.presences)
    print(
        f"{found['stores']:,} stores and {found['presences']:,} presences: ready after {found['start_s']:.2f} s"
    )
    print(
        f"without the kept index {found['start_without_index_s']:.2f} s; with nobody inside {found['start_without_presences_s']:.2f} s"
    )
    print(f"the presences, {found['database_mb']:,.0f} MB, came at {found['pings_s']:,.0f} pings/s")
    report = {
        "bench": "start",
        "machine": platform.machine(),
        "python": platform.python_version(),
        **found,
    }
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
