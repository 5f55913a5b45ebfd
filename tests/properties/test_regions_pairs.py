"""Random pairs of positions and regions against pyproj and shapely, through the index.

And a tenth as many beside edges.

100,000 random and 10,000 near-edge pairs by default; GEOFENCE_TEST_PAIRS=1000000 asks for a million
and 100,000.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon

from regions.geojson import read_region
from regions.index.index import Index
from regions.region import Circle, Region
from tests.rigs.places import GEOD, Place, a_circle, an_area, pings_around

PAIRS = int(os.environ.get("GEOFENCE_TEST_PAIRS", "100000"))
NEAR_EDGE_PAIRS = PAIRS // 10
_REGIONS, _PINGS = 60, 250
_ROUNDS = max(1, -(-PAIRS // (_REGIONS * _PINGS)))


_NEAR = 100  # positions per region beside its edge


def _places(rng: np.random.Generator) -> list[Place]:
    """Circles and areas in turn.

    An area that had to be repaired has no truth of its own: another one takes its place.
    """
    found: list[Place] = []
    while len(found) < _REGIONS:
        place = a_circle(rng) if len(found) % 2 else an_area(rng)
        if place.unrolled is None or place.unrolled.is_valid:
            found.append(place)
    return found


def _world(seed: int) -> tuple[list[Place], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    places = _places(rng)
    return places, *pings_around(rng, places, _PINGS)


def _truth(places: list[Place], lat: np.ndarray, lon: np.ndarray) -> set[tuple[int, int]]:
    return {
        (int(ping), slot)
        for slot, place in enumerate(places)
        for ping in np.nonzero(place.holds(lat, lon))[0]
    }


@pytest.mark.timeout(0)
def test_the_index_finds_exactly_the_pairs_that_brute_force_finds() -> None:
    compared = found = 0
    for seed in range(_ROUNDS):
        places, lat, lon = _world(seed)
        index = Index.build([place.region for place in places])
        near = index.candidates(lat, lon)
        inside = index.inside(lat[near.ping], lon[near.ping], near.slot)
        ours = set(zip(near.ping[inside].tolist(), near.slot[inside].tolist(), strict=True))
        assert ours == _truth(places, lat, lon), f"seed {seed}"
        compared, found = compared + _REGIONS * _PINGS, found + len(ours)
    assert compared >= PAIRS
    assert found > compared / 500


def _beside_the_edge(rng: np.random.Generator, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Positions from 0.1 mm to 10 m off the edge on either side.

    A tenth of those at circles lie exactly where pyproj sees the edge.
    """
    off_m = rng.choice([-1.0, 1.0], _NEAR) * 10 ** rng.uniform(-4, 1, _NEAR)
    if isinstance(place.region, Circle):
        c = place.region
        reach = np.maximum(c.radius_m + np.where(rng.random(_NEAR) < 0.1, 0.0, off_m), 0.0)
        lon, lat, _ = GEOD.fwd(
            np.full(_NEAR, c.lon), np.full(_NEAR, c.lat), rng.uniform(0, 360, _NEAR), reach
        )
        return np.asarray(lat), np.asarray(lon)
    rings = [
        np.asarray(ring.coords)
        for part in shapely.get_parts(place.unrolled)
        for ring in (part.exterior, *part.interiors)
    ]
    segments = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    start, end = segments[rng.integers(len(segments), size=_NEAR)].transpose(1, 0, 2)
    at = start + (end - start) * rng.uniform(0, 1, (_NEAR, 1))
    along = end - start
    across = (
        np.stack([-along[:, 1], along[:, 0]], axis=1) / np.hypot(along[:, 0], along[:, 1])[:, None]
    )
    at += across * (off_m / 111_000)[:, None]
    return np.clip(at[:, 1], -90, 90), (at[:, 0] + 180.0) % 360.0 - 180.0


@pytest.mark.timeout(0)
def test_positions_a_hair_beside_an_edge_are_decided_as_the_truth_decides_them() -> None:
    compared = inside = 0
    for seed in range(5000, 5000 + max(1, -(-NEAR_EDGE_PAIRS // (_REGIONS * _NEAR)))):
        rng = np.random.default_rng(seed)
        places = _places(rng)
        index = Index.build([place.region for place in places])
        for slot, place in enumerate(places):
            lat, lon = _beside_the_edge(rng, place)
            truth, slots = place.holds(lat, lon), np.full(_NEAR, slot)
            assert ((index.edge_m(lat, lon, slots) <= 0) == truth).all(), (
                f"seed {seed}, {place.region}"
            )
            assert (index.inside(lat, lon, slots) == truth).all(), f"seed {seed}, {place.region}"
            near = index.candidates(lat, lon)
            assert set(np.nonzero(truth)[0].tolist()) <= set(
                near.ping[near.slot == slot].tolist()
            ), f"seed {seed}, {place.region}"
            compared, inside = compared + _NEAR, inside + int(truth.sum())
    assert compared >= NEAR_EDGE_PAIRS
    assert compared / 3 < inside < compared * 2 / 3


@pytest.mark.timeout(0)
def test_the_sign_of_every_edge_distance_is_the_truth_even_far_away() -> None:
    for seed in range(1000, 1000 + max(1, _ROUNDS // 4)):
        places, lat, lon = _world(seed)
        index = Index.build([place.region for place in places])
        for slot, place in enumerate(places):
            edge_m = index.edge_m(lat, lon, np.full(len(lat), slot))
            assert ((edge_m <= 0) == place.holds(lat, lon)).all(), f"seed {seed}, {place.region}"


def test_one_ping_is_decided_as_in_a_batch() -> None:
    places, lat, lon = _world(7)
    index = Index.build([place.region for place in places])
    near = index.candidates(lat, lon)
    edge_m = index.edge_m(lat[near.ping], lon[near.ping], near.slot)
    for ping in range(_PINGS):
        rows = near.ping == ping
        alone = index.candidates_one(float(lat[ping]), float(lon[ping]))
        assert alone == near.slot[rows].tolist()
        for slot, batch_m in zip(alone, edge_m[rows].tolist(), strict=True):
            one_m = index.edge_m_one(float(lat[ping]), float(lon[ping]), slot)
            assert (one_m <= 0) == (batch_m <= 0)
            assert one_m == pytest.approx(batch_m, abs=1e-6)


def test_candidates_come_by_ping_then_slot_and_each_once() -> None:
    places, lat, lon = _world(8)
    near = Index.build([place.region for place in places]).candidates(lat, lon)
    pairs = list(zip(near.ping.tolist(), near.slot.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


def test_nearest_agrees_with_measuring_every_region() -> None:
    rng = np.random.default_rng(3)
    places = [a_circle(rng) for _ in range(80)] + [an_area(rng) for _ in range(20)]
    town = zip(
        rng.uniform(37.7, 37.8, 300).tolist(),
        rng.uniform(-122.5, -122.4, 300).tolist(),
        rng.uniform(10, 900, 300).tolist(),
        strict=True,
    )
    places += [Place(Circle(*of_town)) for of_town in town]
    index = Index.build([place.region for place in places])
    lat, lon = pings_around(rng, places, 80)
    for at in zip(lat.tolist(), lon.tolist(), strict=True):
        every = sorted((index.edge_m_one(*at, slot), slot) for slot in range(len(places)))[:5]
        assert [slot for slot, _ in index.nearest(*at, 5)] == [slot for _, slot in every]


def test_shifting_regions_and_pings_by_a_longitude_changes_nothing() -> None:
    """Circles have no seam.

    Vertices of areas lie on a grid so coarse that adding the shift is exact.
    """
    rng = np.random.default_rng(11)
    circles = [
        Circle(float(a), float(b), 20_000.0)
        for a, b in zip(rng.uniform(-89, 89, 40), rng.uniform(-2, 2, 40), strict=True)
    ]
    lat = np.repeat([c.lat for c in circles], 50) + rng.uniform(-0.3, 0.3, 2000)
    lon = np.repeat([c.lon for c in circles], 50) + rng.uniform(-0.3, 0.3, 2000)
    lat = np.clip(lat, -90, 90)
    slot = np.repeat(np.arange(40), 50)
    still = Index.build(circles).edge_m(lat, lon, slot)
    for shift in (37.0, 90.0, 178.5, 180.0):
        moved = Index.build(
            [Circle(c.lat, (c.lon + shift + 180) % 360 - 180, c.radius_m) for c in circles]
        )
        turned = (lon + shift + 180) % 360 - 180
        assert moved.edge_m(lat, turned, slot) == pytest.approx(still, abs=1e-6)
        near = moved.candidates(lat, turned)
        pairs = set(zip(near.ping.tolist(), near.slot.tolist(), strict=True))
        assert all(
            pair in pairs
            for pair in zip(
                np.nonzero(still <= 0)[0].tolist(), slot[still <= 0].tolist(), strict=True
            )
        )


@settings(max_examples=15, deadline=None)
@given(st.integers(-360 * 64, 360 * 64), st.integers(0, 2**32))
def test_turning_the_earth_under_an_index_changes_no_answer(turn: int, seed: int) -> None:
    """By any 64th of a degree.

    Vertices and pings lie on grids so coarse that turning them is exact.
    """
    rng = np.random.default_rng(seed)
    shift = turn / 64
    rings = [_star(rng) for _ in range(6)]
    still = Index.build(
        [_turned(ring, 0.0) for ring in rings]
        + [Circle(1.0, 0.5, 70_000.0), Circle(89.5, 1.0, 90_000.0)]
    )
    moved = Index.build(
        [_turned(r, shift) for r in rings]
        + [
            Circle(1.0, _wrapped(0.5 + shift), 70_000.0),
            Circle(89.5, _wrapped(1.0 + shift), 90_000.0),
        ]
    )
    lat, lon = (
        rng.integers(-4096, 4096, 400) / 2048 + 1 / 8192,
        rng.integers(-4096, 4096, 400) / 2048 + 1 / 8192,
    )
    lat[:50] += 87.0
    there = np.array([_wrapped(at + shift) for at in lon.tolist()])
    for slot in range(len(still)):
        of = np.full(len(lat), slot)
        one, other = still.edge_m(lat, lon, of), moved.edge_m(lat, there, of)
        assert other == pytest.approx(one, abs=1e-3)
        clear = np.abs(one) > 1e-3
        assert ((one <= 0) == (other <= 0))[clear].all()
    assert _inside(still, lat, lon) == _inside(moved, lat, there)


def _inside(index: Index, lat: np.ndarray, lon: np.ndarray) -> set[tuple[int, int]]:
    near = index.candidates(lat, lon)
    edge_m = index.edge_m(lat[near.ping], lon[near.ping], near.slot)
    return set(
        zip(near.ping[edge_m < -1e-3].tolist(), near.slot[edge_m < -1e-3].tolist(), strict=True)
    )


def _star(rng: np.random.Generator) -> np.ndarray:
    """A ring around (0, 0), its vertices on a grid of 1024ths of a degree."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 20))))
    reach = rng.uniform(0.2, 2.0) * rng.uniform(0.6, 1.0, len(angle))
    ring = np.round(np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1) * 1024) / 1024
    return ring if Polygon(ring).is_valid and Polygon(ring).area > 1e-3 else _star(rng)


def _turned(ring: np.ndarray, shift: float) -> Region:
    """The ring further east; its longitudes may run past 180."""
    first = _wrapped(float(ring[0, 0]) + shift) - float(ring[0, 0])
    moved = np.concatenate([ring, ring[:1]]) + np.array([first, 0.0])
    return read_region({"type": "Polygon", "coordinates": [moved.tolist()]}).region


def _wrapped(lon: float) -> float:
    return (lon + 180.0) % 360.0 - 180.0
