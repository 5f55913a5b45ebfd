"""The time of an import of a store list: CSV over HTTP, checked, covered and committed.

    python -m bench.imports [--stores 1000,10000,100000] [--json FILE]

Rows have an id, a name, a brand, an address, opening hours and a radius; time zones follow from
positions. The list is sent again, which changes nothing, and once more with a tenth of the stores
moved. The service then restarts, once with the index that it saved on disk and once without. Wall
seconds are of the whole request, CPU seconds of the service. The ratio compares with one PUT for
each of the first 500 stores over one connection.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import tempfile
from pathlib import Path
from typing import Any

import httpx

from bench.report import Clock, cpu_of, write
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
                "id": f"s{number:06d}",
                "name": f"Corner {number}",
                "brand": dice.choice(("alder", "birch", "cedar")),
                "lat": f"{lat:.6f}",
                "lon": f"{lon:.6f}",
                "address": f"{number % 900} Mill Lane",
                "opening_hours": dice.choice(HOURS),
                "radius_m": dice.choice((100, 150, 200)),
            }
        )
    return found


def as_csv(stores: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(stores[0]))
    writer.writeheader()
    writer.writerows(stores)
    return text.getvalue().encode()


def sent(service: Service, body: bytes) -> dict[str, float]:
    """One import: wall and CPU seconds, and what the report counts."""
    with service.client(timeout=600) as client:
        clock = Clock(service.pid)
        answer = client.post(
            "/v1/imports?kind=stores", content=body, headers={"Content-Type": "text/csv"}
        )
        took = {"s": clock.wall_s(), "cpu_s": clock.cpu_s()}
    assert answer.status_code == httpx.codes.OK, answer.text[:500]
    report = answer.json()
    assert report["failed"] == 0
    return took | {name: report[name] for name in ("created", "updated", "unchanged")}


def singly(service: Service, stores: list[dict[str, Any]]) -> dict[str, float]:
    """Stores per second with one PUT each, and CPU milliseconds per store."""
    clock = Clock(service.pid)
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
    count = len(stores)
    return {"stores_s": count / clock.wall_s(), "cpu_ms": clock.cpu_s() / count * 1e3}


def started(url: str, log: Path) -> dict[str, float]:
    """Wall and CPU seconds from the start of the process to its first answer."""
    clock = Clock()
    with Service(url, log) as service:
        return {"s": clock.wall_s(), "cpu_s": cpu_of(service.pid)}


def measure(count: int) -> dict[str, Any]:
    stores = rows(count)
    with tempfile.TemporaryDirectory() as directory:
        url, log = f"sqlite:///{directory}/bench.db", Path(directory, "log")
        with Service(f"sqlite:///{directory}/single.db", log) as service:
            single = singly(service, stores[:SINGLES])
        with Service(url, log) as service:
            first, again = sent(service, as_csv(stores)), sent(service, as_csv(stores))
            moved = sent(service, as_csv(rows(count, 0.1)))
        assert first["created"] == again["unchanged"] == count
        kept = started(url, log)
        drop_indexes(directory)
        return {
            "stores": count,
            "first": first,
            "again": again,
            "moved": moved,
            "single": single,
            "x_single": count / first["s"] / single["stores_s"],
            "start": kept,
            "start_without": started(url, log),
        }


def drop_indexes(directory: str) -> None:
    """Remove the saved indexes beside the database."""
    for file in Path(directory).glob("bench.db.prj_*"):
        file.unlink()


def table(found: list[dict[str, Any]]) -> str:
    head = f"{'stores':>8} {'import s':>9} {'CPU s':>7} {'stores/s':>9} {'x PUTs':>7}"
    for name in ("again", "moved", "start", "bare"):
        head += f" {name + ' s':>8} {'CPU s':>6}"
    lines = [head]
    for row in found:
        first, count = row["first"], row["stores"]
        line = f"{count:>8,} {first['s']:>9.2f} {first['cpu_s']:>7.2f} {count / first['s']:>9,.0f}"
        line += f" {row['x_single']:>7.1f}"
        for name in ("again", "moved", "start", "start_without"):
            line += f" {row[name]['s']:>8.2f} {row[name]['cpu_s']:>6.2f}"
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
    write(asked.json, "imports", rows=found)


if __name__ == "__main__":
    main()
