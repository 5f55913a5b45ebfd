"""What it costs to find the fences of a ping.

Our index against shapely's STRtree, brute force and Tile38.

    python -m bench.locate [--fences 1000,10000,100000,1000000] [--pings 100000] [--stores FILE]
    [--json FILE]

Two kinds of cases, each in a process of its own so that its memory is its own:

* `retail`: 23,000 circles of 5 km around stores, the case of tile38 issue 491; the stores of `--stores` (a Parquet file with
  lat and lon) where it is there, else invented ones that crowd in towns. Pings once all over the country, once around stores.
* `spread`: circles of 150 m scattered over a country, from 1,000 to 1,000,000 (or more); one ping in twenty lies at a fence.

Every way must find the same pairs. Batches of 1,000 on one core; the best of some passes, index and
tree in turn over the same pings; brute force measures 200. Building uses all cores. The cost
against the first number of fences is measured apart, all indexes in one process and in turn. Tile38
takes part when `tile38-server` is on PATH: the same circles as fences, the same pings as pipelined
SETs. Figures are of this machine, ratios of this run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from bench import tile38
from regions.geometry.ellipsoid import metres_per_degree
from regions.geometry.geodesy import circle_edge_m
from regions.index.index import Index
from regions.region import Circle

Floats = NDArray[np.float64]
Pairs = NDArray[np.int64]
Places = tuple[Floats, Floats]

STORES = Path(__file__).parent.parent.parent / "shared/data/stores/us_chains.parquet"
RETAIL, RETAIL_M = 23_000, 5_000.0
SPREAD_M = 150.0
FLAT, FLAT_MOST = "flat", 1_000_000
BATCH = 1_000
BRUTE_PINGS = 200
PASSES = 7
ROUNDS = 15
_PAIR = 1 << 32


def scattered(count: int, seed: int) -> Places:
    rng = np.random.default_rng(seed)
    return rng.uniform(25, 49, count), rng.uniform(-125, -67, count)


def invented_stores(count: int) -> Places:
    """Stores that crowd in 400 towns, the larger towns the more."""
    rng = np.random.default_rng(4)
    towns = scattered(400, 5)
    weight = 1 / np.arange(1, 401)
    town = rng.choice(400, count, p=weight / weight.sum())
    return towns[0][town] + rng.normal(0, 0.12, count), towns[1][town] + rng.normal(0, 0.15, count)


def stores(path: Path, count: int) -> tuple[Places, str]:
    """Places of stores within the country's box, and where they are from."""
    if not path.exists():
        return invented_stores(count), "invented stores"
    from pyarrow import parquet

    table = parquet.read_table(path, columns=["lat", "lon"])
    lat, lon = (np.asarray(table[name], dtype=np.float64) for name in ("lat", "lon"))
    known = np.nonzero((lat > 25) & (lat < 49) & (lon > -125) & (lon < -67))[0]
    chosen = np.random.default_rng(6).choice(known, count, replace=False)
    return (lat[chosen], lon[chosen]), f"stores of {path.name}"


def around(fences: Places, count: int, share: float, spread_deg: float) -> Places:
    """Pings all over the country, a share of them around fences."""
    rng = np.random.default_rng(2)
    lat, lon = scattered(count, 3)
    near = rng.random(count) < share
    fence = rng.integers(len(fences[0]), size=int(near.sum()))
    lat[near] = fences[0][fence] + rng.normal(0, spread_deg, len(fence))
    lon[near] = fences[1][fence] + rng.normal(0, spread_deg, len(fence))
    return lat, lon


def by_index(index: Index, pings: Places) -> Pairs:
    found = []
    for start in range(0, len(pings[0]), BATCH):
        lat, lon = pings[0][start : start + BATCH], pings[1][start : start + BATCH]
        near = index.candidates(lat, lon)
        inside = index.inside(lat[near.ping], lon[near.ping], near.slot)
        found.append((near.ping[inside] + start) * _PAIR + near.slot[inside])
    return np.concatenate(found)


def by_tree(tree: shapely.STRtree, fences: Places, radius_m: float, pings: Places) -> Pairs:
    found = []
    for start in range(0, len(pings[0]), BATCH):
        lat, lon = pings[0][start : start + BATCH], pings[1][start : start + BATCH]
        ping, slot = tree.query(shapely.points(lon, lat))
        inside = (
            circle_edge_m(lat[ping], lon[ping], fences[0][slot], fences[1][slot], radius_m) <= 0
        )
        found.append((ping[inside] + start) * _PAIR + slot[inside])
    return np.concatenate(found)


def by_force(fences: Places, radius_m: float, pings: Places) -> Pairs:
    found = []
    for ping, (lat, lon) in enumerate(zip(*pings, strict=True)):
        inside = np.nonzero(circle_edge_m(lat, lon, fences[0], fences[1], radius_m) <= 0)[0]
        found.append(ping * _PAIR + inside)
    return np.concatenate(found)


def timed(ways: Sequence[Callable[[], Pairs]], passes: int = PASSES) -> list[tuple[Pairs, float]]:
    """What each way found, in one order, and the seconds of its best pass.

    The ways take turns: a machine's speed drifts.
    """
    best, found = [float("inf")] * len(ways), [np.empty(0, dtype=np.int64)] * len(ways)
    for _ in range(passes):
        for nth, way in enumerate(ways):
            start = time.perf_counter()
            found[nth] = way()
            best[nth] = min(best[nth], time.perf_counter() - start)
    return [(np.sort(pairs), seconds) for pairs, seconds in zip(found, best, strict=True)]


def few(pings: Places, count: int) -> Places:
    return pings[0][:count], pings[1][:count]


def rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def built(fences: Places, radius_m: float) -> tuple[Index, dict[str, float]]:
    """The index, with what its building, an edit and a look for the nearest cost."""
    before_mb, start = rss_mb(), time.perf_counter()
    index = Index.circles(fences[0], fences[1], np.full(len(fences[0]), radius_m))
    build_s = time.perf_counter() - start
    peak_mb = rss_mb() - before_mb
    edits, edited = [], index
    for nth in range(41):
        start = time.perf_counter()
        edited, _ = edited.patched([nth], [Circle(40.0 + nth / 100, -100.0, radius_m)])
        edits.append(time.perf_counter() - start)
    looks = []
    for lat, lon in zip(*few(scattered(200, 7), 200), strict=True):
        start = time.perf_counter()
        index.nearest(float(lat), float(lon), 19)
        looks.append(time.perf_counter() - start)
    size = index.stats()["bytes"]
    return index, {
        "build_s": build_s, "peak_mb": peak_mb, "index_mb": size / 1e6, "bytes_per_fence": size / len(index),
        "edit_ms": float(np.median(edits)) * 1e3, "edit_worst_ms": max(edits) * 1e3, "nearest_us": float(np.median(looks)) * 1e6,
    }  # fmt: skip


def one_ping_us(index: Index, pings: Places) -> float:
    """A ping alone, in microseconds."""
    some = list(zip(*few(pings, 5_000), strict=True))
    start = time.perf_counter()
    for lat, lon in some:
        for slot in index.candidates_one(lat, lon):
            index.edge_m_one(lat, lon, slot)
    return (time.perf_counter() - start) / len(some) * 1e6


def rivals(index: Index, fences: Places, radius_m: float, pings: Places) -> dict[str, float]:
    """Pings a second of each way; raises where two ways disagree."""
    lat, lon = fences
    per_lat, per_lon = metres_per_degree(np.abs(lat) + 0.01 + radius_m / 1e5)
    tall, wide = 1.01 * radius_m / per_lat, 1.01 * radius_m / per_lon
    tree = shapely.STRtree(shapely.box(lon - wide, lat - tall, lon + wide, lat + tall))
    (ours, ours_s), (trees, tree_s) = timed(
        [lambda: by_index(index, pings), lambda: by_tree(tree, fences, radius_m, pings)]
    )
    ((brute, brute_s),) = timed([lambda: by_force(fences, radius_m, few(pings, BRUTE_PINGS))], 1)
    if not np.array_equal(ours, trees) or not np.array_equal(
        ours[ours < BRUTE_PINGS * _PAIR], brute
    ):
        raise AssertionError("two ways found different pairs")
    count = len(pings[0])
    return {
        "pairs_per_ping": len(ours) / count,
        "index": count / ours_s,
        "tree": count / tree_s,
        "brute": BRUTE_PINGS / brute_s,
        "one_us": one_ping_us(index, pings),
    }


def retail(path: Path, count: int) -> dict[str, Any]:
    fences, source = stores(path, RETAIL)
    index, costs = built(fences, RETAIL_M)
    wide, near = around(fences, count, 0.05, 0.03), around(fences, count, 1.0, 0.03)
    row = {"case": "retail", "fences": RETAIL, "source": source, **costs}
    row["pings"] = {
        "country": rivals(index, fences, RETAIL_M, wide) | tile38.measured(fences, RETAIL_M, wide),
        "at stores": rivals(index, fences, RETAIL_M, near)
        | tile38.measured(fences, RETAIL_M, near),
    }
    return row


def spread(fence_count: int, count: int) -> dict[str, Any]:
    fences = scattered(fence_count, 1)
    index, costs = built(fences, SPREAD_M)
    pings = around(fences, count, 0.05, 0.0008)
    return {
        "case": "spread",
        "fences": fence_count,
        **costs,
        "pings": {"country": rivals(index, fences, SPREAD_M, pings)},
    }


def flatness(counts: list[int], count: int) -> dict[str, float]:
    """Seconds a ping by number of fences.

    Every index in one process, their passes in turn, the best of each.
    """
    cases = []
    for fence_count in counts:
        fences = scattered(fence_count, 1)
        index = Index.circles(fences[0], fences[1], np.full(fence_count, SPREAD_M))
        cases.append((str(fence_count), index, around(fences, count, 0.05, 0.0008)))
    best = {name: float("inf") for name, _, _ in cases}
    for _ in range(ROUNDS):
        for name, index, pings in cases:
            start = time.perf_counter()
            by_index(index, pings)
            best[name] = min(best[name], (time.perf_counter() - start) / count)
    return best


def line(row: dict[str, Any], kind: str, flat: dict[str, float]) -> dict[str, str]:
    """A line of the table; `flat` are the costs of `flatness`, compared with the first of them."""
    rates = row["pings"][kind]
    ours, cost = rates["index"], flat.get(str(row["fences"])) if row["case"] == "spread" else None
    return {
        "case": row["case"],
        "fences": f"{row['fences']:,}",
        "pings": kind,
        "pairs/ping": f"{rates['pairs_per_ping']:.2f}",
        "pings/s": f"{ours:,.0f}",
        "x STRtree": f"{ours / rates['tree']:.1f}",
        "x brute": f"{ours / rates['brute']:,.0f}",
        "x Tile38": f"{ours / rates['tile38']:.0f}" if "tile38" in rates else "-",
        "cost/first": f"{cost / next(iter(flat.values())):.2f}" if cost else "-",
        "one µs": f"{rates['one_us']:.1f}",
        "build s": f"{row['build_s']:.2f}",
        "peak MB": f"{row['peak_mb']:,.0f}",
        "B/fence": f"{row['bytes_per_fence']:.0f}",
        "edit ms": f"{row['edit_ms']:.2f}",
        "nearest µs": f"{row['nearest_us']:.0f}",
    }


def table(rows: list[dict[str, Any]], flat: dict[str, float]) -> str:
    """Pings once all over the country, once at stores."""
    told = [line(row, kind, flat) for row in rows for kind in row["pings"]]
    lines = [list(told[0]), *(list(one.values()) for one in told)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(word.rjust(width) for word, width in zip(one, widths, strict=True))
        for one in lines
    )


def alone(case: str, asked: argparse.Namespace) -> dict[str, Any]:
    """One case in a process of its own."""
    command = [sys.executable, "-m", "bench.locate", "--case", case, "--fences", asked.fences]
    command += ["--pings", str(asked.pings), "--stores", str(asked.stores)]
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    ended = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    row: dict[str, Any] = json.loads(ended.stdout)
    return row


def measured(case: str, asked: argparse.Namespace) -> dict[str, Any]:
    if case == FLAT:
        return flatness(
            [int(count) for count in asked.fences.split(",") if int(count) <= FLAT_MOST],
            asked.pings,
        )
    return retail(asked.stores, asked.pings) if case == "retail" else spread(int(case), asked.pings)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fences", default="1000,10000,100000,1000000")
    parser.add_argument("--pings", type=int, default=100_000)
    parser.add_argument("--stores", type=Path, default=STORES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(measured(asked.case, asked)))
        return
    rows = [alone(case, asked) for case in ("retail", *asked.fences.split(","))]
    flat = alone(FLAT, asked)
    print(table(rows, flat))
    report = {
        "bench": "locate", "machine": platform.machine(), "python": platform.python_version(), "pings": asked.pings,
        "versions": {name: version(name) for name in ("numpy", "h3", "shapely", "pyproj")}, "rows": rows, "seconds_a_ping": flat,
    }  # fmt: skip
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
