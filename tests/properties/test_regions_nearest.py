"""The nearest regions, from boxes in space, are those that measuring every region finds.

Ties go to the lower slot.
"""

from __future__ import annotations

import numpy as np
import pytest

from regions.geometry.ellipsoid import in_space
from regions.index.index import Index
from regions.index.shapes import ceiling_m, floor_m
from regions.region import Circle, Region
from tests.rigs.places import GEOD, a_circle, an_area, anywhere


def _agrees(index: Index, lat: float, lon: float, k: int, gone: set[int] | None = None) -> None:
    every = sorted(
        (index.edge_m_one(lat, lon, slot), slot)
        for slot in range(index.slots)
        if slot not in (gone or set())
    )
    assert index.nearest(lat, lon, k) == [(slot, edge_m) for edge_m, slot in every[:k]]


def _scattered(seed: int, count: int) -> Index:
    """Over a town, a country and the whole earth; radii from 10 m to 100 km."""
    rng = np.random.default_rng(seed)
    wide = rng.choice([0.05, 5.0, 300.0], count)
    lat = np.clip(40 + rng.normal(0, 1, count) * wide, -90, 90)
    lon = (-100 + rng.normal(0, 1, count) * wide + 180) % 360 - 180
    return Index.circles(
        lat, lon, 10 ** rng.uniform(1, 5, count) * np.where(rng.random(count) < 0.9, 0.01, 1) + 9
    )


def test_every_way_along_the_earth_lies_between_the_bounds_of_its_chord() -> None:
    rng = np.random.default_rng(13)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 60_000))), rng.uniform(-180, 180, 60_000)
    to_lat, to_lon = (
        np.degrees(np.arcsin(rng.uniform(-1, 1, 60_000))),
        rng.uniform(-180, 180, 60_000),
    )
    away = 10 ** rng.uniform(-3, 2, 40_000)
    to_lat[:20_000], to_lon[:20_000] = (
        np.clip(lat[:20_000] + away[:20_000], -90, 90),
        lon[:20_000] + rng.normal(0, away[:20_000]),
    )
    to_lat[20_000:40_000], to_lon[20_000:40_000] = (
        np.clip(-lat[20_000:40_000] + away[20_000:], -90, 90),
        lon[20_000:40_000] + 180,
    )
    metres = GEOD.inv(lon, lat, to_lon, to_lat)[2]
    chord = np.linalg.norm(
        np.stack(in_space(lat, lon)) - np.stack(in_space(to_lat, to_lon)), axis=0
    )
    for part in (chord < 50_000, chord < 1e6, chord >= 0):
        assert (floor_m(chord[part]) <= metres[part] + 1e-6).all()
        assert (metres[part] <= ceiling_m(chord[part])).all()


def test_nearest_is_what_measuring_all_finds() -> None:
    rng = np.random.default_rng(1)
    index = _scattered(2, 3_000)
    for _ in range(12):
        lat, lon = anywhere(rng)
        _agrees(index, lat, lon, int(rng.choice([1, 5, 19, 60])))
        _agrees(index, 40 + rng.normal() * 0.1, -100 + rng.normal() * 0.1, 19)


def test_areas_are_among_the_nearest_too() -> None:
    rng = np.random.default_rng(3)
    regions: list[Region] = [(an_area if nth % 2 else a_circle)(rng).region for nth in range(80)]
    index = Index.build(regions)
    for _ in range(6):
        _agrees(index, *anywhere(rng), 7)


def test_removed_regions_never_come_even_where_all_near_ones_are_removed() -> None:
    rng = np.random.default_rng(5)
    lat, lon = rng.normal(48, 0.2, 2_500), rng.normal(11, 0.2, 2_500)
    index = Index.circles(lat, lon, np.full(2_500, 100.0))
    gone = set(np.nonzero((lat - 48) ** 2 + (lon - 11) ** 2 < 0.09)[0].tolist())
    index, _ = index.patched(sorted(gone), [])
    assert 0 < len(index) < 1_500
    _agrees(index, 48.0, 11.0, 19, gone)
    _agrees(index, 48.2, 11.1, len(index) + 5, gone)


def test_regions_added_later_are_found_through_any_number_of_edits() -> None:
    rng = np.random.default_rng(6)
    index = _scattered(7, 1_500)
    gone: set[int] = set()
    for _ in range(25):
        removed = rng.integers(index.slots, size=5).tolist()
        index, _ = index.patched(removed, [Circle(*anywhere(rng), 50.0) for _ in range(120)])
        gone |= set(removed)
    assert index.slots == 4_500
    for lat, lon in [(40.0, -100.0), (89.9, 10.0), (0.0, 180.0), (0.0, -180.0), (-90.0, 5.0)]:
        _agrees(index, lat, lon, 19, gone)


def test_ten_thousand_at_one_spot_come_by_distance_then_slot() -> None:
    rng = np.random.default_rng(8)
    lat, lon = np.full(10_000, 35.6), np.full(10_000, 139.7)
    lat[5_000:] += rng.normal(0, 0.0005, 5_000)
    index = Index.circles(lat, lon, np.full(10_000, 150.0))
    assert [slot for slot, _ in index.nearest(35.6, 139.7, 30)] == list(range(30))
    _agrees(index, 35.61, 139.7, 19)


def test_the_other_side_of_the_earth_is_no_special_case() -> None:
    rng = np.random.default_rng(9)
    index = Index.circles(
        rng.uniform(25, 49, 2_000), rng.uniform(-125, -67, 2_000), np.full(2_000, 150.0)
    )
    for lat, lon in [(-40.0, 80.0), (-37.0, 84.0), (20.0, 78.0), (-90.0, 0.0), (90.0, 0.0)]:
        _agrees(index, lat, lon, 5)


def test_more_than_there_are_gives_all_of_them() -> None:
    index = _scattered(10, 1_200)
    assert len(index.nearest(40.0, -100.0, 5_000)) == 1_200
    _agrees(index, 40.0, -100.0, 1_199)
    assert Index.circles([], [], []).nearest(1.0, 2.0, 3) == []
    assert index.nearest(1.0, 2.0, 0) == []


@pytest.mark.parametrize("shift", [37.0, 90.0, 180.0, 260.0])
def test_shifting_everything_by_a_longitude_changes_no_answer(shift: float) -> None:
    rng = np.random.default_rng(11)
    lat, lon = np.clip(rng.normal(60, 20, 1_500), -90, 90), rng.uniform(-3, 3, 1_500)
    radius_m = 10 ** rng.uniform(1, 4, 1_500)
    still, moved = (
        Index.circles(lat, (lon + turn + 180) % 360 - 180, radius_m) for turn in (0.0, shift)
    )
    for at_lat, at_lon in zip(
        rng.uniform(40, 90, 10).tolist(), rng.uniform(-5, 5, 10).tolist(), strict=True
    ):
        one, other = (
            still.nearest(at_lat, at_lon, 9),
            moved.nearest(at_lat, (at_lon + shift + 180) % 360 - 180, 9),
        )
        assert [slot for slot, _ in one] == [slot for slot, _ in other]
        assert [edge for _, edge in one] == pytest.approx([edge for _, edge in other], abs=1e-5)
