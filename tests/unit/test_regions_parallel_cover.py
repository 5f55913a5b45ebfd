"""Covers by several processes.

The same to the bit as by one, also when a process comes to nothing.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from regions.index.index import Index
from regions.index.parallel_cover import AREAS, CIRCLES, Arrays, run_parts
from regions.region import Area, Circle, RegionError

CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
needs_two = pytest.mark.skipif(
    CORES < 2, reason="one core, so everything is covered by one process anyway"
)


@contextmanager
def _one_core() -> Iterator[None]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _circles(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(31)
    return (
        rng.uniform(48.0, 49.0, count),
        rng.uniform(-180, 180, count),
        rng.choice([10.0, 90.0, 150.0, 400.0], count),
    )


def _triangle(rng: np.random.Generator) -> Area:
    lat, lon = rng.uniform(48.0, 49.0), rng.uniform(-179, 179)
    return Area(
        shapely.Polygon(
            np.array([lon, lat]) + rng.uniform(0.0002, 0.001, (3, 2)) * [[1, 0], [-1, 0], [0, 1]]
        )
    )


def _same(one: Index, other: Index) -> bool:
    regions = [[index.region(slot) for slot in range(0, index.slots, 31)] for index in (one, other)]
    places = [
        (r.lat, r.lon) if isinstance(r, Circle) else r.shape.exterior.coords[0][1::-1]
        for r in regions[0]
    ]
    lat, lon = np.array(places).T
    found = [index.candidates(lat, lon) for index in (one, other)]
    alike = (
        np.array_equal(getattr(found[0], of), getattr(found[1], of)) for of in ("ping", "slot")
    )
    return (
        one.stats() == other.stats()
        and regions[0] == regions[1]
        and len(found[0].ping) >= len(lat)
        and all(alike)
    )


@needs_two
def test_many_circles_are_covered_alike_by_one_process_and_by_several() -> None:
    circles = _circles(2 * CIRCLES)
    several = Index.circles(*circles)
    with _one_core():
        one = Index.circles(*circles)
    assert _same(one, several)


@needs_two
def test_many_areas_are_covered_alike_by_one_process_and_by_several() -> None:
    rng = np.random.default_rng(32)
    lat, lon, radius_m = _circles(2_000)
    circles = Index.circles(lat, lon, radius_m)
    mixed = [
        circles.region(nth // 2) if nth % 2 else _triangle(rng) for nth in range(4 * AREAS + 1)
    ]
    several = Index.build(mixed)
    with _one_core():
        one = Index.build(mixed)
    assert _same(one, several)


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def _equal(one: list[Arrays], other: list[Arrays]) -> bool:
    return all(
        np.array_equal(a, b)
        for mine, theirs in zip(one, other, strict=True)
        for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux lists the children of a process in /proc"
)
def test_the_part_of_a_process_that_is_killed_is_covered_here() -> None:
    parts = [list(_circles(10)), list(_circles(60_000))]
    before = set(_children())
    answers = run_parts("circles", parts)
    first = next(answers)
    end_s = time.monotonic() + 20.0
    while not (fresh := set(_children()) - before) and time.monotonic() < end_s:
        pass
    assert len(fresh) == 1
    os.kill(fresh.pop(), signal.SIGKILL)
    assert _equal(
        [first, *answers],
        list(run_parts("circles", [parts[0]])) + list(run_parts("circles", [parts[1]])),
    )


def test_what_another_process_refuses_is_refused_here_in_words() -> None:
    lat, lon, radius_m = _circles(5)
    bad = [lat, lon, np.full(5, -1.0)]
    with pytest.raises(RegionError, match="radius must be above 0"):
        list(run_parts("circles", [[lat, lon, radius_m], bad]))
