"""Whatever is added, removed, compacted, saved and loaded.

The index answers as measuring every live region does.
"""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from regions.index.index import Candidates, Index
from regions.region import Circle, Region, RegionError
from tests.rigs.places import a_circle, an_area, anywhere

_SPOTS = [(37.77, -122.4), (0.0, 180.0), (89.999, 10.0), (-90.0, 0.0)]


class Model:
    """Regions by slot, and every answer by measuring all of them."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.index = Index.build([])
        self.live: dict[int, Region] = {}

    def a_region(self) -> Region:
        if self.rng.random() < 0.06:
            return an_area(self.rng).region
        if self.rng.random() < 0.3:
            return a_circle(self.rng).region
        lat, lon = _SPOTS[int(self.rng.integers(len(_SPOTS)))]
        at = (lon + self.rng.normal(0, 0.02) + 180) % 360 - 180
        return Circle(
            float(np.clip(lat + self.rng.normal(0, 0.02), -90, 90)),
            float(at),
            float(10 ** self.rng.uniform(1, 3.5)),
        )

    def edit(self) -> None:
        added = [self.a_region() for _ in range(int(self.rng.integers(0, 30)))]
        share = self.rng.choice([0.0, 0.1, 0.7])
        removed = [slot for slot in self.live if self.rng.random() < share]
        self.index, slots = self.index.patched(removed, added)
        self.live = {slot: region for slot, region in self.live.items() if slot not in removed}
        assert not set(slots) & set(self.live)
        self.live |= dict(zip(slots, added, strict=True))

    def compact(self) -> None:
        self.index, old = self.index.compacted()
        assert old.tolist() == sorted(self.live)
        assert self.index.slots == len(self.live)
        self.live = {new: self.live[slot] for new, slot in enumerate(old.tolist())}

    def reload(self, path: Path) -> None:
        self.index.save(path, b"model")
        loaded = Index.load(path, b"model")
        assert loaded is not None
        self.index = loaded

    def check(self) -> None:
        index, order = self.index, sorted(self.live)
        assert len(index) == len(order)
        assert [index.region(slot) for slot in order] == [self.live[slot] for slot in order]
        lat, lon = self._pings(40)
        edge = (
            np.stack([index.edge_m(lat, lon, np.full(len(lat), slot)) for slot in order])
            if order
            else np.empty((0, len(lat)))
        )
        truth = sorted(
            (int(ping), order[row]) for row, ping in zip(*np.nonzero(edge <= 0.0), strict=True)
        )
        near = index.candidates(lat, lon)
        inside = index.inside(lat[near.ping], lon[near.ping], near.slot)
        assert (
            list(zip(near.ping[inside].tolist(), near.slot[inside].tolist(), strict=True)) == truth
        )
        assert set(near.slot.tolist()) <= set(order)
        assert index.near_any(lat, lon)[sorted({ping for ping, _ in truth})].all()
        self._check_alone(lat, lon, near)

    def _check_alone(self, lat: np.ndarray, lon: np.ndarray, near: Candidates) -> None:
        for ping, at in enumerate(zip(lat.tolist(), lon.tolist(), strict=True)):
            rows = near.ping == ping
            assert self.index.candidates_one(*at) == near.slot[rows].tolist()
        for at in zip(lat[:3].tolist(), lon[:3].tolist(), strict=True):
            every = sorted((self.index.edge_m_one(*at, slot), slot) for slot in self.live)
            assert self.index.nearest(*at, 5) == [(slot, edge_m) for edge_m, slot in every[:5]]

    def _pings(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        found = [anywhere(self.rng) for _ in range(count)]
        circles = [region for region in self.live.values() if isinstance(region, Circle)]
        for nth in range(count // 2 if circles else 0):
            c = circles[int(self.rng.integers(len(circles)))]
            lon = (c.lon + self.rng.normal(0, c.radius_m / 80_000) + 180) % 360 - 180
            found[nth] = (
                float(np.clip(c.lat + self.rng.normal(0, c.radius_m / 80_000), -90, 90)),
                float(lon),
            )
        lat, lon = zip(*found, strict=True)
        return np.array(lat), np.array(lon)


@pytest.mark.parametrize("seed", range(4))
def test_random_edits_leave_an_index_that_answers_as_brute_force(seed: int, tmp_path: Path) -> None:
    model = Model(np.random.default_rng(seed))
    for step in range(14):
        kind = model.rng.random()
        if kind < 0.75 or step < 2:
            model.edit()
        elif kind < 0.9:
            model.compact()
        else:
            model.reload(tmp_path / "index")
        if step % 3 == 2:
            model.check()
    model.reload(tmp_path / "index")
    model.compact()
    model.check()


def test_compacting_drops_what_removed_regions_left_behind() -> None:
    circles = [Circle(10.0 + nth / 50, 20.0, 200.0) for nth in range(400)]
    index, _ = Index.build(circles).patched(range(100, 400), [])
    small, old = index.compacted()
    assert old.tolist() == list(range(100))
    assert small.stats()["cells"] == Index.build(circles[:100]).stats()["cells"]
    assert small.stats()["bytes"] < index.stats()["bytes"]
    assert not small.near_any([c.lat for c in circles[110:]], [c.lon for c in circles[110:]]).any()
    assert small.patched([], [circles[200]])[1] == [100]


def test_a_million_slots_would_stay_in_few_layers() -> None:
    index = Index.circles(
        np.linspace(-60, 60, 3_000), np.linspace(-170, 170, 3_000), np.full(3_000, 100.0)
    )
    for nth in range(300):
        index, _ = index.patched([nth], [Circle(50.0 + nth / 100, 8.0, 100.0) for _ in range(8)])
    stats = index.stats()
    assert stats["layers"] <= 4
    assert stats["slots"] == 5_400
    assert stats["regions"] == 5_100


def test_circles_from_arrays_are_the_circles_from_objects() -> None:
    rng = np.random.default_rng(12)
    circles = [a_circle(rng).region for _ in range(300)]
    lat, lon, radius_m = (
        np.array(column)
        for column in zip(*((c.lat, c.lon, c.radius_m) for c in circles), strict=True)
    )
    one, other = Index.build(circles), Index.circles(lat, lon, radius_m)
    assert one.stats() == other.stats()
    near, same = one.candidates(lat, lon), other.candidates(lat, lon)
    assert near.slot.tolist() == same.slot.tolist()
    assert len(Index.circles(lat, lon, 50.0)) == 300


@pytest.mark.parametrize("radius_m", [0.0, -5.0, float("nan"), float("inf"), 1e8])
def test_a_radius_that_is_none_is_refused(radius_m: float) -> None:
    with pytest.raises(RegionError, match="radius"):
        Index.circles([1.0], [2.0], [radius_m])


def test_a_running_reader_sees_one_version_while_edits_go_on() -> None:
    """Edits write into arrays that older versions share.

    Into the same coarse words, into new tiles, behind the last row.
    """
    rng = np.random.default_rng(14)
    spots = rng.uniform(-60, 60, 40)
    base = Index.circles(spots, spots, 400.0)
    lat, lon = (
        np.repeat(spots, 25) + rng.normal(0, 0.004, 1_000),
        np.repeat(spots, 25) + rng.normal(0, 0.004, 1_000),
    )
    expected = _inside(base, lat, lon)
    done, wrong = Event(), []

    def read() -> None:
        while not done.is_set() and not wrong:
            if _inside(base, lat, lon) != expected or len(base.nearest(10.0, 10.0, 50)) != 40:
                wrong.append("an old version changed")

    reader = Thread(target=read)
    reader.start()
    newest = base
    for nth in range(150):
        at = float(spots[nth % 40]) + 0.001
        newest, _ = newest.patched(
            [],
            [
                Circle(at, at, 500.0),
                Circle(float(rng.uniform(-80, 80)), float(rng.uniform(-180, 180)), 300.0),
            ],
        )
        assert newest.candidates_one(at, at)[-1] == newest.slots - 2
    done.set()
    reader.join()
    assert not wrong
    assert len(newest) == 340


def _inside(index: Index, lat: np.ndarray, lon: np.ndarray) -> set[tuple[int, int]]:
    near = index.candidates(lat, lon)
    inside = index.inside(lat[near.ping], lon[near.ping], near.slot)
    return set(zip(near.ping[inside].tolist(), near.slot[inside].tolist(), strict=True))
