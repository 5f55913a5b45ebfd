"""How long a retailer waits for a store list.

CSV over HTTP into `geofence serve`, checked, covered and committed.

    python -m bench.imports [--stores 1000,10000,100000] [--json FILE]

Rows have an id, a name, a brand, an address, opening hours and a radius; time zones are found from
positions. The list is then sent again, which must change nothing, and sent once more with a tenth
of the stores moved. The service then starts anew, once with the index that it kept on disk and once
without. Seconds are of the whole request, CPU seconds of the service. The baseline of the ratio is
a PUT for each of the first 500 stores over one connection.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import platform
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.rigs.running import Service

SINGLES = 500
HOURS = (
    "Mo-Fr 08:00-20:00; Sa 09:00-18:00",
    "Mo-Su 07:00-22:00",
    "24/7",
    "Mo-Sa 10:00-19:00; PH off",
)


def rows(count: int, moved: float = 0.0) -> list[dict[str, Any]]:
    """Stores in towns; a share of them has moved by a street."""
    dice, mover = random.Random(1), random.Random(2)
    found = []
    for number in range(count):
        lat, lon = dice.uniform(30.0, 48.0), dice.uniform(-120.0, -75.0)
        lat += 0.001 if mover.random() < moved else 0.0
        found.append(
            {
                "id": f"s{number:06d}", "name": f"Corner {number}", "brand": dice.choice(("alder", "birch", "cedar")),
                "lat": f"{lat:.6f}", "lon": f"{lon:.6f}", "address": f"{number % 900} Mill Lane", "opening_hours": dice.choice(HOURS),
                "radius_m": dice.choice((100, 150, 200)),
            }
        )  # fmt: skip
    return found


def as_csv(stores: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(stores[0]))
    writer.writeheader()
    writer.writerows(stores)
    return text.getvalue().encode()


def cpu_s(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def sent(service: Service, body: bytes) -> dict[str, float]:
    """One import: seconds, CPU seconds and what the report counts."""
    with service.client(timeout=600) as client:
        start_s, start_cpu_s = time.perf_counter(), cpu_s(service.pid)
        answer = client.post(
            "/v1/imports?kind=stores", content=body, headers={"Content-Type": "text/csv"}
        )
        took = {"s": time.perf_counter() - start_s, "cpu_s": cpu_s(service.pid) - start_cpu_s}
    assert answer.status_code == httpx.codes.OK, answer.text[:500]
    report = answer.json()
    assert report["failed"] == 0
    return took | {name: report[name] for name in ("created", "updated", "unchanged")}


def singly(service: Service, stores: list[dict[str, Any]]) -> float:
    """Stores a second, one PUT each."""
    start_s = time.perf_counter()
    with service.client() as client:
        for store in stores:
            body = {
                "name": store["name"],
                "lat": float(store["lat"]),
                "lon": float(store["lon"]),
                "brand": store["brand"],
            }
            body["rings"] = [{"name": "near", "radius_m": store["radius_m"]}]
            client.put(f"/v1/stores/{store['id']}", json=body).raise_for_status()
    return len(stores) / (time.perf_counter() - start_s)


def started(url: str, log: Path) -> float:
    """Seconds from the start of the process until it answers."""
    start_s = time.perf_counter()
    with Service(url, log):
        return time.perf_counter() - start_s


def measure(count: int) -> dict[str, Any]:
    stores = rows(count)
    with tempfile.TemporaryDirectory() as directory:
        url, log = f"sqlite:///{directory}/bench.db", Path(directory, "log")
        with Service(f"sqlite:///{directory}/single.db", log) as service:
            single_s = singly(service, stores[:SINGLES])
        with Service(url, log) as service:
            first, again = sent(service, as_csv(stores)), sent(service, as_csv(stores))
            moved = sent(service, as_csv(rows(count, 0.1)))
        assert first["created"] == again["unchanged"] == count
        kept_s = started(url, log)
        for file in Path(directory).glob("bench.db.prj_*"):
            file.unlink()
        return {
            "stores": count, "first": first, "again": again, "moved": moved, "x_single": count / first["s"] / single_s,
            "start_s": kept_s, "start_without_s": started(url, log),
        }  # fmt: skip


def table(found: list[dict[str, Any]]) -> str:
    head = f"{'stores':>8} {'import s':>9} {'CPU s':>7} {'stores/s':>9} {'x PUTs':>7}"
    lines = [f"{head} {'again s':>8} {'moved s':>8} {'start s':>8} {'bare s':>8}"]
    for row in found:
        seconds, count = row["first"]["s"], row["stores"]
        line = f"{count:>8,} {seconds:>9.2f} {row['first']['cpu_s']:>7.2f} {count / seconds:>9,.0f} {row['x_single']:>7.1f}"
        line += f" {row['again']['s']:>8.2f} {row['moved']['s']:>8.2f} {row['start_s']:>8.2f} {row['start_without_s']:>8.2f}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stores", default="1000,10000,100000")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = [measure(int(count)) for count in asked.stores.split(",")]
    print(table(found))
    report = {
        "bench": "imports",
        "machine": platform.machine(),
        "python": platform.python_version(),
        "rows": found,
    }
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
