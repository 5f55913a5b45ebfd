"""A cover misses nothing, at every resolution a ping may be looked up from."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regions.geometry.ellipsoid import in_space
from regions.geometry.geodesy import distance_m
from regions.index.cells import REACH_M, cells_at, centres, disk_reach_m, parents
from regions.index.cover import CELLS, cover
from regions.index.index import Index
from regions.region import Circle
from tests.rigs.places import GEOD, Place, a_circle, an_area, pings_around


def _kept(place: Place, seed: int, count: int = 300) -> None:
    rng = np.random.default_rng(seed)
    lat, lon = pings_around(rng, [place], count)
    holds = place.holds(lat, lon)
    found = cover(place.region)
    assert len(np.unique(found.cells)) == len(found.cells) <= CELLS
    assert {h3.get_resolution(cell) for cell in found.cells.tolist()} == {found.resolution}
    for finest in (found.resolution, found.resolution + 1, found.resolution + 2, 15):
        cells = parents(cells_at(lat, lon, finest), found.resolution)
        assert np.isin(cells[holds], found.cells).all(), (
            f"{place.region}: a point inside has no cell in the cover"
        )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_the_cover_of_a_circle_holds_every_point_of_it(seed: int) -> None:
    _kept(a_circle(np.random.default_rng(seed)), seed)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_the_cover_of_an_area_holds_every_point_of_it(seed: int) -> None:
    place = an_area(np.random.default_rng(seed))
    assume(
        place.unrolled is not None and place.unrolled.is_valid
    )  # a repaired one is not what it was
    _kept(place, seed)


@settings(max_examples=100, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(10, 100_000), st.integers(0, 2**32))
def test_a_circle_anywhere_with_any_radius_is_covered(
    lat: float, lon: float, radius_m: float, seed: int
) -> None:
    _kept(Place(Circle(lat, lon, radius_m)), seed, 60)


def test_thousands_of_circles_are_candidates_all_along_their_rims() -> None:
    rng = np.random.default_rng(18)
    lat, lon, radius_m = (
        np.array(column)
        for column in zip(*((c.lat, c.lon, c.radius_m) for c in _circles(rng, 3_000)), strict=True)
    )
    index, slot = Index.circles(lat, lon, radius_m), np.arange(len(lat))
    for share in (0.5, 1.0 - 1e-9, 1.0 - 1e-9):
        at_lon, at_lat, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, len(lat)), radius_m * share)
        assert index.near_any(at_lat, at_lon).all()
        found = index.candidates(at_lat, at_lon)
        mine = found.slot == found.ping
        assert found.ping[mine].tolist() == slot.tolist()
        assert (index.edge_m(at_lat, at_lon, slot) <= 0).all()


def _circles(rng: np.random.Generator, count: int) -> list[Circle]:
    """Anywhere, and many beside the poles and the 180th meridian.

    Radii at both limits among them.
    """
    found = [a_circle(rng).region for _ in range(count)]
    sizes = {0: 10.0, 1: 100_000.0, 2: 249.0, 3: 2_000.0}
    return [Circle(c.lat, c.lon, sizes.get(nth % 20, c.radius_m)) for nth, c in enumerate(found)]


def test_circles_over_the_twelve_pentagons_are_covered() -> None:
    for resolution in range(4, 13):
        for cell in h3.get_pentagons(resolution):
            lat, lon = h3.cell_to_latlng(cell)
            for rings in (1.4, 5.3):
                radius_m = max(10.0, min(100_000.0, disk_reach_m(1, resolution) * rings))
                _kept(Place(Circle(lat, lon, radius_m)), resolution, 40)


def test_no_point_of_a_cell_is_further_from_its_centre_than_the_bound() -> None:
    rng = np.random.default_rng(5)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 4000))), rng.uniform(-180, 180, 4000)
    fine = cells_at(lat, lon, 15)
    for resolution in range(15):
        to_lat, to_lon = centres(parents(fine, resolution))
        away = np.linalg.norm(
            np.stack(in_space(lat, lon)) - np.stack(in_space(to_lat, to_lon)), axis=0
        )
        assert (away <= REACH_M[resolution]).all()
        assert distance_m(lat, lon, to_lat, to_lon).max() > REACH_M[resolution] / 2


def test_every_point_within_the_bound_of_a_disk_has_its_cell_in_the_disk() -> None:
    rng = np.random.default_rng(6)
    for resolution in (0, 1, 3, 6, 9, 12):
        for k in (1, 2, 6):
            lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 300))), rng.uniform(-180, 180, 300)
            reach = np.full(300, disk_reach_m(k, resolution))
            to_lon, to_lat, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, 300), reach)
            from_cells = cells_at(lat, lon, resolution).tolist()
            to_cells = parents(cells_at(to_lat, to_lon, 15), resolution).tolist()
            assert all(
                to in h3.grid_disk(at, k) for at, to in zip(from_cells, to_cells, strict=True)
            )


def test_parents_by_bits_are_the_parents_of_h3() -> None:
    rng = np.random.default_rng(7)
    fine = cells_at(rng.uniform(-90, 90, 500), rng.uniform(-180, 180, 500), 12)
    for resolution in range(13):
        assert parents(fine, resolution).tolist() == [
            h3.cell_to_parent(cell, resolution) for cell in fine.tolist()
        ]


def test_covers_cost_a_few_dozen_cells() -> None:
    for radius_m in np.geomspace(10, 100_000, 60):
        found = cover(Circle(48.1, 11.5, float(radius_m)))
        assert 3 <= len(found.cells) <= 60
