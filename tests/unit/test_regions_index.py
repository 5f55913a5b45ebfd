"""The index.

Patched equals rebuilt, readers of an old version see the old world, slots are for ever.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regions.geometry.time_zone import time_zone
from regions.index.cells import cell_of
from regions.index.index import Index
from regions.region import Circle, Region, RegionError
from tests.rigs.places import a_circle, an_area

_RNG = np.random.default_rng(21)
POOL: list[Region] = [(a_circle if nth % 3 else an_area)(_RNG).region for nth in range(60)]
POOL += [Circle(37.77 + 0.001 * nth, -122.4, 150.0) for nth in range(40)]


def _found(index: Index, lat: np.ndarray, lon: np.ndarray) -> list[tuple[int, Region, float]]:
    """Those inside: how many others are candidates depends on what was there before."""
    near = index.candidates(lat, lon)
    edge_m = index.edge_m(lat[near.ping], lon[near.ping], near.slot)
    rows = zip(near.ping.tolist(), near.slot.tolist(), edge_m.tolist(), strict=True)
    return [(ping, index.region(slot), edge) for ping, slot, edge in rows if edge <= 0.0]


def _pings(regions: list[Region]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    circles = [region for region in regions if isinstance(region, Circle)] or [
        Circle(0.0, 0.0, 10.0)
    ]
    lat = np.array([c.lat for c in circles for _ in range(8)]) + rng.normal(
        0, 0.001, 8 * len(circles)
    )
    lon = np.array([c.lon for c in circles for _ in range(8)]) + rng.normal(
        0, 0.001, 8 * len(circles)
    )
    return np.clip(lat, -90, 90), np.clip(lon, -180, 180)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 300), max_size=6),
            st.lists(st.integers(0, len(POOL) - 1), max_size=5),
        ),
        max_size=8,
    )
)
def test_a_patched_index_answers_as_a_rebuilt_one(edits: list[tuple[list[int], list[int]]]) -> None:
    index = Index.build(POOL[:20])
    live = dict(enumerate(POOL[:20]))
    for removals, additions in edits:
        gone = [slot for slot in removals if slot in live]
        index, slots = index.patched(gone, [POOL[nth] for nth in additions])
        assert not set(slots) & set(live), "a slot was used twice"
        live = {slot: region for slot, region in live.items() if slot not in gone} | dict(
            zip(slots, (POOL[n] for n in additions), strict=True)
        )
    order = sorted(live)
    rebuilt = Index.build([live[slot] for slot in order])
    assert len(index) == len(rebuilt) == len(live)
    lat, lon = _pings(POOL)
    assert _found(index, lat, lon) == _found(rebuilt, lat, lon)
    assert [
        (order[slot], edge) for slot, edge in rebuilt.nearest(37.78, -122.4, 6)
    ] == index.nearest(37.78, -122.4, 6)
    assert [index.region(slot) for slot in order] == [live[slot] for slot in order]


def test_a_reader_of_an_older_version_sees_the_older_world() -> None:
    old = Index.build(POOL)
    lat, lon = _pings(POOL)
    before = _found(old, lat, lon)
    new, slots = old.patched([60, 61], [Circle(37.77, -122.4, 99.0)])
    newer, _ = new.patched(slots, POOL[:30])
    assert _found(old, lat, lon) == before
    assert [len(index) for index in (old, new, newer)] == [100, 99, 128]


def test_two_versions_grown_from_one_do_not_mix() -> None:
    base, _ = Index.build(POOL[:10]).patched([], POOL[10:12])
    area = next(region for region in POOL if not isinstance(region, Circle))
    one, (slot,) = base.patched([], [area])
    other, (same,) = base.patched([], [Circle(1.0, 2.0, 50.0)])
    assert slot == same
    assert one.region(slot) == area
    assert other.region(slot) == Circle(1.0, 2.0, 50.0)
    assert other.edge_m_one(1.0, 2.0, slot) == pytest.approx(-50.0)
    third, _ = other.patched([], [])
    assert third.region(slot) == Circle(1.0, 2.0, 50.0)


def test_a_removed_region_is_never_a_candidate_again() -> None:
    index = Index.build(POOL)
    for slot in range(0, 100, 3):
        index, _ = index.patched([slot], [])
    lat, lon = _pings(POOL)
    assert not set(index.candidates(lat, lon).slot.tolist()) & set(range(0, 100, 3))
    assert not {slot for slot, _ in index.nearest(37.78, -122.4, 100)} & set(range(0, 100, 3))
    assert all(
        slot % 3
        for a, b in zip(lat.tolist(), lon.tolist(), strict=True)
        for slot in index.candidates_one(a, b)
    )


def test_many_edits_keep_the_index_small() -> None:
    index = Index.build([Circle(10.0 + nth / 100, 20.0, 100.0) for nth in range(200)])
    cells = index.stats()["cells"]
    for nth in range(600):
        index, _ = index.patched([nth], [Circle(10.0 + nth / 100, 20.0, 100.0)])
    assert len(index) == 200
    assert index.stats()["cells"] < 3 * cells + 8_192


def test_removing_a_slot_that_never_was_is_an_error() -> None:
    with pytest.raises(IndexError):
        Index.build(POOL[:2]).patched([2], [])


def test_an_empty_index_works() -> None:
    for index in (Index.build([]), Index.build(POOL[:1]).patched([0], [])[0]):
        assert len(index) == 0
        assert len(index.candidates([1.0, 2.0], [3.0, 4.0]).ping) == 0
        assert index.candidates_one(1.0, 2.0) == []
        assert index.nearest(1.0, 2.0, 3) == []
        assert index.stats()["regions"] == 0
        grown, slots = index.patched([], [Circle(1.0, 2.0, 50.0)])
        assert grown.candidates_one(1.0, 2.0) == slots
    assert len(Index.build(POOL).candidates([], []).ping) == 0


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0), (0.0, float("inf")), (40.0, 286.1)],
)
def test_positions_off_the_earth_are_refused_before_h3_sees_them(lat: float, lon: float) -> None:
    index = Index.build(POOL[:5])
    for ask in (
        lambda: index.candidates([lat], [lon]),
        lambda: index.candidates_one(lat, lon),
        lambda: index.nearest(lat, lon, 1),
    ):
        with pytest.raises(RegionError):
            ask()
    for ask in (
        lambda: cell_of(lat, lon, 7),
        lambda: time_zone(lat, lon),
        lambda: Index.build([Circle(lat, lon, 50.0)]),
    ):
        with pytest.raises(RegionError):
            ask()


def test_sizes_of_circles_and_areas() -> None:
    index = Index.build(POOL)
    for slot, region in enumerate(POOL):
        if isinstance(region, Circle):
            assert index.radius_m(slot) == index.inradius_m(slot) == region.radius_m
        else:
            assert 0 < index.inradius_m(slot) <= index.radius_m(slot) * 1.01


def test_the_coarse_cell_and_the_time_zone_of_a_place() -> None:
    assert cell_of(37.7793, -122.4193, 7) == "872830828ffffff"
    assert time_zone(37.77, -122.4) == "America/Los_Angeles"
    assert time_zone(60.17, 24.94) == "Europe/Helsinki"
    assert all(time_zone(lat, lon) for lat in (-90.0, 0.0, 90.0) for lon in (-180.0, 0.0, 180.0))
