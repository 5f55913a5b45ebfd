"""What it costs to find the fences of a ping: this index, STRtree, brute force and Tile38.

    python -m bench.locate [--fences 1000,10000,100000,1000000] [--pings 100000] [--stores FILE]
    [--json FILE]

Two kinds of cases, each in a process of its own so that its memory is its own:

* `retail`: 23,000 circles of 5 km around stores, the case of tile38 issue 491. The stores are those
  of `--stores` (a Parquet file with lat and lon) where it exists, else invented ones that crowd in
  towns. Pings lie once all over the country, once around stores.
* `spread`: circles of 150 m scattered over a country, from 1,000 to 1,000,000 or more; one ping in
  twenty lies at a fence.

Every way must find the same pairs. Batches of 1,000 on one core; the best of some passes, index and
tree in turn over the same pings; brute force measures 200 pings. Building uses all cores. The cost
against the first number of fences is measured apart, all indexes in one process and in turn. Tile38
takes part where `tile38-server` is on PATH: the same circles as fences, the same pings as pipelined
SETs. CPU is per ping, that of Tile38 of its server. Figures are of this machine, ratios of this
run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from bench import tile38
from bench.report import Clock, write
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
    """Stores in 400 towns, more of them in larger towns."""
    rng = np.random.default_rng(4)
    towns = scattered(400, 5)
    weight = 1 / np.arange(1, 401)
    town = rng.choice(400, count, p=weight / weight.sum())
    return towns[0][town] + rng.normal(0, 0.12, count), towns[1][town] + rng.normal(0, 0.15, count)


def stores(path: Path, count: int) -> tuple[Places, str]:
    """Positions of stores within the country's box, and their source."""
    if not path.exists():
        return invented_stores(count), "invented stores"
    from pyarrow import parquet

    table = parquet.read_table(path, columns=["lat", "lon"])
    lat, lon = (np.asarray(table[name], dtype=np.float64) for name in ("lat", "lon"))
    known = np.nonzero((lat > 25) & (lat < 49) & (lon > -125) & (lon < -67))[0]
    chosen = np.random.default_rng(6).choice(known, count, replace=False)
    return (lat[chosen], lon[chosen]), f"stores of {path.name}"


def around(fences: Places, count: int, share: float, spread_deg: float) -> Places:
    """Pings all over the country, with a share of them around fences."""
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


class Best(NamedTuple):
    """What a way found, in one order, and the seconds of its best pass."""

    pairs: Pairs
    wall_s: float
    cpu_s: float


def timed(ways: Sequence[Callable[[], Pairs]], passes: int = PASSES) -> list[Best]:
    """Measure the ways in turn, because the speed of a machine drifts."""
    best = [Best(np.empty(0, dtype=np.int64), float("inf"), float("inf"))] * len(ways)
    for _ in range(passes):
        for nth, way in enumerate(ways):
            clock = Clock()
            pairs = way()
            wall_s, cpu_s = clock.wall_s(), clock.cpu_s()
            best[nth] = Best(pairs, min(best[nth].wall_s, wall_s), min(best[nth].cpu_s, cpu_s))
    return [one._replace(pairs=np.sort(one.pairs)) for one in best]


def few(pings: Places, count: int) -> Places:
    return pings[0][:count], pings[1][:count]


def rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def built(fences: Places, radius_m: float) -> tuple[Index, dict[str, float]]:
    """The index, and the costs of building it, of an edit and of a search for the nearest."""
    before_mb, clock = rss_mb(), Clock()
    index = Index.circles(fences[0], fences[1], np.full(len(fences[0]), radius_m))
    build_s, build_cpu_s = clock.wall_s(), clock.cpu_s()
    peak_mb = rss_mb() - before_mb
    edits_s = edit_times_s(index, radius_m)
    size = index.stats()["bytes"]
    return index, {
        "build_s": build_s,
        "build_cpu_s": build_cpu_s,  # of this process: its helpers are not counted
        "peak_mb": peak_mb,
        "index_mb": size / 1e6,
        "bytes_per_fence": size / len(index),
        "edit_ms": float(np.median(edits_s)) * 1e3,
        "edit_worst_ms": max(edits_s) * 1e3,
        "nearest_us": nearest_us(index),
    }


def edit_times_s(index: Index, radius_m: float) -> list[float]:
    times_s, edited = [], index
    for nth in range(41):
        clock = Clock()
        edited, _ = edited.patched([nth], [Circle(40.0 + nth / 100, -100.0, radius_m)])
        times_s.append(clock.wall_s())
    return times_s


def nearest_us(index: Index) -> float:
    """The median time of a search for the 19 nearest fences."""
    times_s = []
    for lat, lon in zip(*few(scattered(200, 7), 200), strict=True):
        clock = Clock()
        index.nearest(float(lat), float(lon), 19)
        times_s.append(clock.wall_s())
    return float(np.median(times_s)) * 1e6


def one_ping_us(index: Index, pings: Places) -> float:
    """A ping alone, in microseconds."""
    some = list(zip(*few(pings, 5_000), strict=True))
    start = time.perf_counter()
    for lat, lon in some:
        for slot in index.candidates_one(lat, lon):
            index.edge_m_one(lat, lon, slot)
    return (time.perf_counter() - start) / len(some) * 1e6


def tree_of(fences: Places, radius_m: float) -> shapely.STRtree:
    """Boxes around the circles."""
    lat, lon = fences
    per_lat, per_lon = metres_per_degree(np.abs(lat) + 0.01 + radius_m / 1e5)
    tall, wide = 1.01 * radius_m / per_lat, 1.01 * radius_m / per_lon
    return shapely.STRtree(shapely.box(lon - wide, lat - tall, lon + wide, lat + tall))


def rivals(index: Index, fences: Places, radius_m: float, pings: Places) -> dict[str, float]:
    """Pings per second and CPU per ping of each way; raises where two ways disagree."""
    tree, sample = tree_of(fences, radius_m), few(pings, BRUTE_PINGS)
    ours, trees = timed(
        [lambda: by_index(index, pings), lambda: by_tree(tree, fences, radius_m, pings)]
    )
    (brute,) = timed([lambda: by_force(fences, radius_m, sample)], 1)
    head = ours.pairs[ours.pairs < BRUTE_PINGS * _PAIR]
    if not np.array_equal(ours.pairs, trees.pairs) or not np.array_equal(head, brute.pairs):
        raise AssertionError("two ways found different pairs")
    count = len(pings[0])
    found = {"pairs_per_ping": len(ours.pairs) / count, "one_us": one_ping_us(index, pings)}
    return found | {
        **rate("index", ours, count),
        **rate("tree", trees, count),
        **rate("brute", brute, BRUTE_PINGS),
    }


def rate(name: str, best: Best, count: int) -> dict[str, float]:
    """Pings per second, and CPU microseconds per ping."""
    return {name: count / best.wall_s, f"{name}_cpu_us": best.cpu_s / count * 1e6}


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
    """Seconds per ping by number of fences: all indexes in one process, in turn, best of each."""
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
    """A line of the table; `flat` are the costs of `flatness`, relative to the first of them."""
    rates = row["pings"][kind]
    cost = flat.get(str(row["fences"])) if row["case"] == "spread" else None
    return {
        "case": row["case"],
        "fences": f"{row['fences']:,}",
        "pings": kind,
        "pairs/ping": f"{rates['pairs_per_ping']:.2f}",
        "pings/s": f"{rates['index']:,.0f}",
        "CPU µs": f"{rates['index_cpu_us']:.2f}",
        **against(rates),
        "cost/first": f"{cost / next(iter(flat.values())):.2f}" if cost else "-",
        "one µs": f"{rates['one_us']:.1f}",
        **costs(row),
    }


def against(rates: dict[str, float]) -> dict[str, str]:
    """How many times faster than the other ways, and the CPU of Tile38 per ping."""
    ours, has_tile38 = rates["index"], "tile38" in rates
    return {
        "x STRtree": f"{ours / rates['tree']:.1f}",
        "x brute": f"{ours / rates['brute']:,.0f}",
        "x Tile38": f"{ours / rates['tile38']:.0f}" if has_tile38 else "-",
        "its CPU µs": f"{rates['tile38_cpu_us']:.0f}" if has_tile38 else "-",
    }


def costs(row: dict[str, float]) -> dict[str, str]:
    return {
        "build s": f"{row['build_s']:.2f}",
        "peak MB": f"{row['peak_mb']:,.0f}",
        "B/fence": f"{row['bytes_per_fence']:.0f}",
        "edit ms": f"{row['edit_ms']:.2f}",
        "nearest µs": f"{row['nearest_us']:.0f}",
    }


def table(rows: list[dict[str, Any]], flat: dict[str, float]) -> str:
    """One line per case and kind of pings."""
    shown = [line(row, kind, flat) for row in rows for kind in row["pings"]]
    lines = [list(shown[0]), *(list(one.values()) for one in shown)]
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
    write(asked.json, "locate", pings=asked.pings, rows=rows, seconds_a_ping=flat)


if __name__ == "__main__":
    main()
