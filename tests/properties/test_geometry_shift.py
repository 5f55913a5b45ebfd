"""The earth is round: moving regions and positions along by any longitude changes nothing.

Corners of areas lie on a grid so coarse that adding the shift is exact; the cut at the 180th
meridian then falls anywhere.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regions.geojson import read_region
from regions.geometry.boundary import area_m2
from regions.index.cells import cells_at, parents
from regions.index.cover import cover
from regions.index.index import Index
from regions.region import Area, Circle
from tests.rigs.places import Floats

_GRID = 2.0**-18  # degrees; 540 of them fit a double exactly
SHIFTS = st.integers(-180 * 2**18, 180 * 2**18).map(lambda n: n * _GRID)


def _round_the_world(lon: Floats, shift: float) -> Floats:
    return np.asarray((lon + shift + 180.0) % 360.0 - 180.0)


def _on_grid(values: Floats) -> Floats:
    return np.asarray(np.rint(values / _GRID) * _GRID)


def _rings(seed: int) -> tuple[list[list[Floats]], float, float, float]:
    """Two parts, one with a hole; around 0 degrees of longitude."""
    rng = np.random.default_rng(seed)
    size = float(10 ** rng.uniform(-2, 0.2))
    lat = float(rng.uniform(-88 + size, 88 - size))
    wide = min(1 / math.cos(math.radians(lat)), 20 / size)
    parts = []
    for middle, rings in ((0.0, ((0.6, 1.0), (0.2, 0.5))), (2.6, ((0.6, 1.0),))):
        made = []
        for low, high in rings:
            angle = np.linspace(0, 2 * np.pi, int(rng.integers(6, 30)))
            reach = size * rng.uniform(low, high, len(angle))
            ring = np.stack(
                [(middle * size + reach * np.cos(angle)) * wide, lat + reach * np.sin(angle)],
                axis=1,
            )
            ring[-1] = ring[0]
            made.append(_on_grid(ring))
        parts.append(made)
    return parts, lat, size, wide


def _area(parts: list[list[Floats]], shift: float) -> Area:
    coordinates = [[np.add(ring, [shift, 0.0]).tolist() for ring in rings] for rings in parts]
    region = read_region({"type": "MultiPolygon", "coordinates": coordinates}).region
    assert isinstance(region, Area)
    return region


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), SHIFTS)
@example(1, 180.0)
@example(2, -180.0)
@example(3, 179.75)
def test_an_area_is_the_same_wherever_it_is_cut(seed: int, shift: float) -> None:
    parts, lat, size, wide = _rings(seed)
    still, moved = _area(parts, 0.0), _area(parts, shift)
    assert area_m2(moved.shape) == pytest.approx(area_m2(still.shape), rel=1e-9)
    rng = np.random.default_rng(seed)
    at_lat = _on_grid(np.clip(lat + rng.uniform(-1.5, 1.5, 400) * size, -90, 90))
    at_lon = _on_grid(rng.uniform(-1.5, 4.5, 400) * size * wide)
    turned = _round_the_world(at_lon, shift)
    here, there = Index.build([still]), Index.build([moved])
    slot = np.zeros(400, dtype=int)
    edge_m, moved_m = here.edge_m(at_lat, at_lon, slot), there.edge_m(at_lat, turned, slot)
    sure = np.abs(edge_m) > 1e-6
    assert ((edge_m <= 0) == (moved_m <= 0))[sure].all()
    assert moved_m == pytest.approx(edge_m, abs=0.02, rel=1e-6)
    assert there.radius_m(0) == pytest.approx(here.radius_m(0), rel=1e-9)
    assert there.inradius_m(0) == pytest.approx(here.inradius_m(0), rel=0.05)
    held = set(there.candidates(at_lat, turned).ping.tolist())
    assert set(np.nonzero(moved_m <= 0)[0].tolist()) <= held


@settings(max_examples=60, deadline=None)
@given(st.floats(-90, 90), st.floats(10, 100_000), st.floats(-180, 180), st.integers(0, 2**32))
@example(90.0, 100_000.0, 180.0, 1)
@example(-89.9999, 5_000.0, -180.0, 2)
@example(0.0, 10.0, 180.0, 3)
def test_a_circle_is_the_same_at_every_longitude(
    lat: float, radius_m: float, shift: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    reach = radius_m / 111_000
    wide = min(180.0, reach / max(1e-3, math.cos(math.radians(min(90.0, abs(lat) + reach)))))
    at_lat = np.clip(lat + rng.uniform(-1.3, 1.3, 500) * reach, -90, 90)
    at_lon = rng.uniform(-1.3, 1.3, 500) * wide
    at_lon = _round_the_world(at_lon, 0.0)
    still, moved = (
        Circle(lat, 0.0, radius_m),
        Circle(lat, float(_round_the_world(np.array(0.0), shift)), radius_m),
    )
    turned = _round_the_world(at_lon, shift)
    here, there = Index.build([still]), Index.build([moved])
    slot = np.zeros(500, dtype=int)
    edge_m, moved_m = here.edge_m(at_lat, at_lon, slot), there.edge_m(at_lat, turned, slot)
    assert moved_m == pytest.approx(edge_m, abs=1e-6)
    held = set(there.candidates(at_lat, turned).ping.tolist())
    assert set(np.nonzero(moved_m <= 0)[0].tolist()) <= held


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), SHIFTS)
@example(5, 180.0)
def test_the_cover_of_a_shifted_area_holds_every_point_of_it(seed: int, shift: float) -> None:
    parts, lat, size, wide = _rings(seed)
    moved = _area(parts, shift)
    rng = np.random.default_rng(seed)
    at_lat = np.clip(lat + rng.uniform(-1.1, 1.1, 600) * size, -90, 90)
    turned = _round_the_world(rng.uniform(-1.1, 4.0, 600) * size * wide, shift)
    found = cover(moved)
    cells = parents(cells_at(at_lat, turned, found.resolution), found.resolution)
    edge_m = Index.build([moved]).edge_m(at_lat, turned, np.zeros(600, dtype=int))
    assert np.isin(cells[edge_m <= 0], found.cells).all()
