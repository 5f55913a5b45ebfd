"""What it costs to find the fences of a ping: our index, shapely's STRtree and brute force, on the same fences and pings.

    python bench/locate.py [--fences 1000,10000,100000] [--pings 100000] [--json FILE]

Fences are circles of 150 m scattered over a country; one ping in twenty lies at a fence. Every way must find the same
pairs. Brute force measures 200 pings and is scaled. One core; figures are of this machine, ratios of this run.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import shapely

from regions.ellipsoid import metres_per_degree
from regions.geodesy import circle_edge_m
from regions.index import Index
from regions.region import Circle

Pairs = set[tuple[int, int]]
RADIUS_M = 150.0
BATCH = 1_000
BRUTE_PINGS = 200


def scattered(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(25, 49, count), rng.uniform(-125, -67, count)


def pings_for(lat: np.ndarray, lon: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    at_lat, at_lon = scattered(count, 3)
    near = rng.random(count) < 0.05
    fence = rng.integers(len(lat), size=int(near.sum()))
    at_lat[near] = lat[fence] + rng.normal(0, 0.0008, len(fence))
    at_lon[near] = lon[fence] + rng.normal(0, 0.0008, len(fence))
    return at_lat, at_lon


def by_index(index: Index, lat: np.ndarray, lon: np.ndarray) -> Pairs:
    found: Pairs = set()
    for start in range(0, len(lat), BATCH):
        at_lat, at_lon = lat[start : start + BATCH], lon[start : start + BATCH]
        near = index.candidates(at_lat, at_lon)
        inside = index.inside(at_lat[near.ping], at_lon[near.ping], near.slot)
        found.update(zip((near.ping[inside] + start).tolist(), near.slot[inside].tolist(), strict=True))
    return found


def by_tree(tree: shapely.STRtree, fences: tuple[np.ndarray, np.ndarray], lat: np.ndarray, lon: np.ndarray) -> Pairs:
    found: Pairs = set()
    for start in range(0, len(lat), BATCH):
        at_lat, at_lon = lat[start : start + BATCH], lon[start : start + BATCH]
        ping, slot = tree.query(shapely.points(at_lon, at_lat))
        inside = circle_edge_m(at_lat[ping], at_lon[ping], fences[0][slot], fences[1][slot], RADIUS_M) <= 0
        found.update(zip((ping[inside] + start).tolist(), slot[inside].tolist(), strict=True))
    return found


def by_force(fences: tuple[np.ndarray, np.ndarray], lat: np.ndarray, lon: np.ndarray) -> Pairs:
    found: Pairs = set()
    for ping, at in enumerate(zip(lat, lon, strict=True)):
        inside = circle_edge_m(at[0], at[1], fences[0], fences[1], RADIUS_M) <= 0
        found.update((ping, slot) for slot in np.nonzero(inside)[0].tolist())
    return found


def timed(work: Callable[[], Pairs], pings: int) -> tuple[Pairs, float]:
    """What it found and pings per second."""
    start = time.perf_counter()
    found = work()
    return found, pings / (time.perf_counter() - start)


def measure(count: int, pings: int) -> dict[str, float]:
    lat, lon = scattered(count, 1)
    at_lat, at_lon = pings_for(lat, lon, pings)
    start = time.perf_counter()
    index = Index.build([Circle(a, b, RADIUS_M) for a, b in zip(lat.tolist(), lon.tolist(), strict=True)])
    build_s = time.perf_counter() - start
    start = time.perf_counter()
    index.patched([0], [Circle(40.0, -100.0, RADIUS_M)])
    edit_s = time.perf_counter() - start
    per_lat, per_lon = metres_per_degree(np.abs(lat) + 0.01)
    tall, wide = 1.01 * RADIUS_M / per_lat, 1.01 * RADIUS_M / per_lon
    tree = shapely.STRtree(shapely.box(lon - wide, lat - tall, lon + wide, lat + tall))
    ours, index_rate = timed(lambda: by_index(index, at_lat, at_lon), pings)
    trees, tree_rate = timed(lambda: by_tree(tree, (lat, lon), at_lat, at_lon), pings)
    few = min(pings, BRUTE_PINGS)
    brute, brute_rate = timed(lambda: by_force((lat, lon), at_lat[:few], at_lon[:few]), few)
    assert ours == trees
    assert {pair for pair in ours if pair[0] < few} == brute
    return {
        "fences": count, "pairs": len(ours), "build_s": build_s, "edit_ms": edit_s * 1e3, "index_mb": index.stats()["bytes"] / 1e6,
        "index_pings_s": index_rate, "tree_pings_s": tree_rate, "brute_pings_s": brute_rate,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def table(rows: list[dict[str, float]]) -> str:
    head = f"{'fences':>9} {'build s':>8} {'edit ms':>8} {'index MB':>9} {'pings/s':>10} {'x STRtree':>10} {'x brute':>9} {'cost/1st':>9}"
    lines = [head]
    for row in rows:
        rate = row["index_pings_s"]
        ratios = f"{rate / row['tree_pings_s']:>10.2f} {rate / row['brute_pings_s']:>9.0f} {rows[0]['index_pings_s'] / rate:>9.2f}"
        lines.append(
            f"{row['fences']:>9,.0f} {row['build_s']:>8.2f} {row['edit_ms']:>8.2f} {row['index_mb']:>9.1f} {rate:>10,.0f} {ratios}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fences", default="1000,10000,100000")
    parser.add_argument("--pings", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [measure(int(count), asked.pings) for count in asked.fences.split(",")]
    print(table(rows))
    report = {
        "bench": "locate", "machine": platform.machine(), "python": platform.python_version(), "pings": asked.pings,
        "versions": {name: version(name) for name in ("numpy", "h3", "shapely", "pyproj")}, "rows": rows,
    }  # fmt: skip
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")
    else:
        print(json.dumps(report))


if __name__ == "__main__":
    main()
