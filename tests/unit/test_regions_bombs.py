"""Small bodies built to be expensive.

Each is judged in a process of its own that the kernel ends after its CPU seconds.

The bounds are generous; what is measured is that no body sets off work without bound.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

_JUDGE = """
import json, resource, sys
from regions.geojson import read_region
from regions.index.index import Index
from regions.region import RegionError
obj = json.load(sys.stdin)
Index.build([read_region({"type": "circle", "lat": 1, "lon": 2, "radius_m": 100}).region])
before = resource.getrusage(resource.RUSAGE_SELF)
used = int(before.ru_utime + before.ru_stime)
resource.setrlimit(resource.RLIMIT_CPU, (used + 10, used + 10))
try:
    checked = read_region(obj)
    index = Index.build([checked.region])
    index.inradius_m(0)
    said = "taken"
except RegionError as error:
    said = error.code
after = resource.getrusage(resource.RUSAGE_SELF)
took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(json.dumps([said, (after.ru_maxrss - before.ru_maxrss) / 1024, took_s]))
"""


def _star(points: int, step: int) -> list[list[float]]:
    angles = [2 * math.pi * nth * step / points for nth in range(points)]
    return [[math.cos(angle), math.sin(angle)] for angle in angles]


def _teeth(count: int, slant: float) -> list[list[float]]:
    edge = [
        point
        for nth in range(count)
        for point in ([nth / count, 0.0], [(nth + 0.5) / count + slant, 1.0])
    ]
    return [*edge, [2.5, 1.0], [2.5, -1.0]]


def _scatter(count: int) -> list[list[float]]:
    rng = random.Random(1)
    return [[rng.uniform(0, 5), rng.uniform(0, 5)] for _ in range(count)]


def _box(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def _polygon(*rings: list[list[float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def _boxes(corners: list[tuple[float, float, float]]) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": [[_box(*corner)] for corner in corners]}


def _spikes(count: int) -> list[list[float]]:
    steps = [[[n, 0.0], [n, 1.0], [n, 0.0], [n + 0.2, 0.0]] for n in range(count)]
    return [[x / count, y] for step in steps for x, y in step] + [[1.0, -1.0], [0.0, -1.0]]


def _half_world(count: int) -> list[list[float]]:
    return [[-89.0 if nth % 2 else 89.0, 10 + nth / 1e5] for nth in range(count)] + [
        [89.0, 9.9],
        [-89.0, 9.9],
    ]


def _snake(count: int) -> list[list[float]]:
    out = [[nth % 2 * 170.0, nth // 2 * 0.02] for nth in range(count)]
    return out + [[x + 0.001, y + 0.001] for x, y in reversed(out)]


def _tall_teeth(count: int) -> list[list[float]]:
    return [[nth / count * 0.1, 60.0 if nth % 4 in (1, 2) else 0.001] for nth in range(count)] + [
        [0.1, 0.0],
        [0.0, 0.0],
    ]


def _holes(count: int) -> dict[str, Any]:
    return _polygon(
        _box(0.0, 0.0, 5.0),
        *[_box(nth / 1000, nth / 1000, 5 - nth / 500) for nth in range(1, count)],
    )


def _nested(count: int) -> dict[str, Any]:
    return {
        "type": "MultiPolygon",
        "coordinates": [[_box(nth / 1000, nth / 1000, 5 - nth / 500)] for nth in range(count)],
    }


def _spiral(count: int) -> list[list[float]]:
    out = [
        [nth / 5000 * math.cos(nth / 20), nth / 5000 * math.sin(nth / 20)]
        for nth in range(count // 2)
    ]
    return out + [[x * 1.001 + 1e-4, y * 1.001] for x, y in reversed(out)]


def _comb(count: int, width: float) -> list[list[float]]:
    return [
        point
        for nth in range(count)
        for point in ([nth * width, 0.0], [nth * width, 1.0], [nth * width + width / 9, 1.0])
    ] + [
        [count * width, -1e-3],
        [0.0, -1e-3],
    ]


def _slivers(count: int) -> dict[str, Any]:
    return {
        "type": "MultiPolygon",
        "coordinates": [
            [[[0, n / 1000], [5, n / 1000 + 1e-12], [5, n / 1000], [0, n / 1000]]]
            for n in range(count)
        ],
    }


def _lace(count: int, side: float) -> dict[str, Any]:
    """Holes that touch their neighbours in corners, so that the area falls to pieces."""
    row = math.isqrt(count)
    holes = [(n % row, n // row) for n in range(row * row) if (n % row + n // row) % 2]
    return _polygon(
        _box(-side, -side, (row + 2) * side), *[_box(x * side, y * side, side) for x, y in holes]
    )


def _adjoining(count: int) -> dict[str, Any]:
    side = math.isqrt(count)
    return _boxes([(n % side / 10, n // side / 10, 0.1) for n in range(side * side)])


def _bow_ties(count: int) -> dict[str, Any]:
    return {
        "type": "MultiPolygon",
        "coordinates": [
            [[[n, 0.0], [n + 0.5, 1.0], [n + 0.5, 0.0], [n, 1.0], [n, 0.0]]]
            for n in (nth / 10 for nth in range(0, count * 10, 10))
        ],
    }


def _deep(depth: int) -> dict[str, Any]:
    coordinates: Any = 1.0
    for _ in range(depth):
        coordinates = [coordinates]
    return {"type": "MultiPolygon", "coordinates": coordinates}


def _wrapped(depth: int) -> dict[str, Any]:
    obj = _polygon(_box(0.0, 0.0, 1.0))
    for _ in range(depth):
        obj = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": obj}]}
    return obj


def _far(value: Any) -> dict[str, Any]:
    return _polygon([[0.0, 0.0], [value, 0.0], [1.0, 1.0], [0.0, 0.0]])


BOMBS: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "a star of 1,001 points": (lambda: _polygon(_star(1_001, 500)), "self_crossing"),
    "a star of 9,999 points": (lambda: _polygon(_star(9_999, 4_999)), "self_crossing"),
    "a star with as many crossings as repair allows": (lambda: _polygon(_star(45, 22)), "taken"),
    "a ring wound twice": (lambda: _polygon(_star(9_999, 2)), "self_crossing"),
    "10,000 random points": (lambda: _polygon(_scatter(10_000)), "self_crossing"),
    "10,000 edges on one line": (
        lambda: _polygon([[nth % 2, 0.0] for nth in range(9_900)] + [[0.5, 1.0]]),
        "self_crossing",
    ),
    "slanted teeth whose boxes all overlap": (
        lambda: _polygon(_teeth(4_990, 1.0)),
        "self_crossing",
    ),
    "teeth": (lambda: _polygon(_teeth(4_990, 0.0)), "taken"),
    "2,400 spikes": (lambda: _polygon(_spikes(2_400)), "taken"),
    "1,000 times the same part": (lambda: _boxes([(0.0, 0.0, 1.0)] * 1_000), "self_crossing"),
    "1,000 parts over each other": (
        lambda: _boxes([(nth / 2000, nth / 3000, 1.0) for nth in range(1_000)]),
        "self_crossing",
    ),
    "999 holes in each other": (lambda: _holes(1_000), "taken"),
    "1,000 parts far from each other": (
        lambda: _boxes([(nth % 40 * 4.0, nth // 40 * 4.0 - 50, 0.001) for nth in range(1_000)]),
        "taken",
    ),
    "edges round half the world": (lambda: _polygon(_half_world(9_000)), "self_crossing"),
    "1,000 parts in each other": (lambda: _nested(1_000), "taken"),
    "a spiral": (lambda: _polygon(_spiral(9_998)), "taken"),
    "a comb": (lambda: _polygon(_comb(3_300, 1e-3)), "taken"),
    "a comb whose teeth are closer than a double tells": (
        lambda: _polygon(_comb(3_300, 1e-12)),
        "empty",
    ),
    "1,000 slivers of 1e-12": (lambda: _slivers(1_000), "empty"),
    "a thousand squares side by side": (lambda: _adjoining(1_000), "taken"),
    "lace": (lambda: _lace(1_900, 0.1), "taken"),
    "179 bow ties": (lambda: _bow_ties(179), "taken"),
    "1,000 holes that are the same": (
        lambda: _polygon(_box(0.0, 0.0, 5.0), *[_box(1.0, 1.0, 1.0)] * 999),
        "self_crossing",
    ),
    "30 holes that are the same": (
        lambda: _polygon(_box(0.0, 0.0, 5.0), *[_box(1.0, 1.0, 1.0)] * 30),
        "taken",
    ),
    "1e308": (lambda: _far(1e308), "invalid_position"),
    "the smallest number": (
        lambda: _polygon([[0.0, 0.0], [5e-324, 0.0], [1.0, 1.0], [0.0, 0.0]]),
        "empty",
    ),
    "an integer of 4,000 digits": (lambda: _far(10**3_999), "invalid_position"),
    "arrays 900 deep": (lambda: _deep(900), "invalid_position"),
    "features wrapped 400 times": (lambda: _wrapped(200), "not_a_region"),
    "100,000 rings": (lambda: _polygon(*[_box(0.0, 0.0, 1.0)] * 100_000), "too_many_rings"),
    "a ring of 500,000 points": (lambda: _polygon(_star(500_000, 1)), "too_many_vertices"),
    "10,000 times the same point": (lambda: _polygon([[1.0, 1.0]] * 10_000), "empty"),
    "a border that is all fringe": (
        lambda: _polygon([[n / 1e4, (n % 2) * 1e-12] for n in range(9_990)] + [[1.0, 1.0]]),
        "taken",
    ),
    "a strip round the world": (
        lambda: _polygon(
            [[-180 + n * 0.09, n % 2 * 0.2] for n in range(4_000)] + [[180.0, -0.2], [-180.0, -0.2]]
        ),
        "area_too_large",
    ),
    "a strip round the pole": (
        lambda: _polygon([[-180 + n * 0.09, 89 + n % 2 * 0.2] for n in range(4_000)]),
        "taken",
    ),
    "teeth as tall as a continent": (lambda: _polygon(_tall_teeth(9_900)), "taken"),
    "a snake round the world": (lambda: _polygon(_snake(4_000)), "self_crossing"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_body_built_to_be_expensive_costs_little(name: str) -> None:
    build, expected = BOMBS[name]
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE],
        input=json.dumps(build()),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-400:]}"
    said, grown_mb, _ = json.loads(done.stdout)
    assert grown_mb < 200
    assert said == expected
