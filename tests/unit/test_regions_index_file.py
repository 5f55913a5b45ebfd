"""An index comes back from its file as it was, and any other file is no index."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from regions.index import index_file
from regions.index.index import Index
from regions.region import Circle
from tests.rigs.places import a_circle, an_area, anywhere

MARK = b"project 7, version 12"


@pytest.fixture(scope="module")
def index() -> Index:
    rng = np.random.default_rng(31)
    built = Index.build([(an_area if nth % 4 == 0 else a_circle)(rng).region for nth in range(60)])
    patched, _ = built.patched([3, 4, 8], [Circle(1.0, 2.0, 150.0), an_area(rng).region])
    return patched


@pytest.fixture
def file(index: Index, tmp_path: Path) -> Path:
    index.save(tmp_path / "index.bin", MARK)
    return tmp_path / "index.bin"


def test_a_loaded_index_answers_as_the_one_that_was_saved(index: Index, file: Path) -> None:
    loaded = Index.load(file, MARK)
    assert loaded is not None
    assert (len(loaded), loaded.slots, loaded.stats()) == (len(index), index.slots, index.stats())
    assert [loaded.region(slot) for slot in range(index.slots)] == [
        index.region(slot) for slot in range(index.slots)
    ]
    rng = np.random.default_rng(2)
    lat, lon = (np.array(side) for side in zip(*(anywhere(rng) for _ in range(3_000)), strict=True))
    for one, other in zip(_answers(index, lat, lon), _answers(loaded, lat, lon), strict=True):
        assert one.tolist() == other.tolist()
    assert loaded.nearest(10.0, 20.0, 9) == index.nearest(10.0, 20.0, 9)


def _answers(index: Index, lat: np.ndarray, lon: np.ndarray) -> list[np.ndarray]:
    near = index.candidates(lat, lon)
    return [
        near.ping,
        near.slot,
        index.edge_m(lat[near.ping], lon[near.ping], near.slot),
        index.near_any(lat, lon),
    ]


def test_a_loaded_index_takes_edits(index: Index, file: Path) -> None:
    loaded = Index.load(file, MARK)
    assert loaded is not None
    patched, (slot,) = loaded.patched([5], [Circle(-33.0, 151.0, 80.0)])
    assert slot == index.slots
    assert patched.candidates_one(-33.0, 151.0)[0] == slot
    assert len(patched) == len(index)
    again, old = patched.compacted()
    assert again.slots == len(again) == len(old) == len(index)


@pytest.mark.parametrize("regions", [[], [Circle(1.0, 2.0, 30.0)]])
def test_small_indexes_are_saved_too(regions: list[Circle], tmp_path: Path) -> None:
    Index.build(regions).save(tmp_path / "one", b"")
    loaded = Index.load(tmp_path / "one", b"")
    assert loaded is not None
    assert [loaded.region(slot) for slot in range(len(loaded))] == regions
    assert loaded.candidates_one(1.0, 2.0) == list(range(len(regions)))


def test_an_absent_file_and_another_mark_are_no_index(file: Path) -> None:
    assert Index.load(file.with_name("other"), MARK) is None
    assert Index.load(file.parent, MARK) is None
    assert Index.load(file, MARK + b"!") is None


def test_another_format_or_another_h3_is_no_index(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(index_file, "FORMAT", index_file.FORMAT + 1)
        assert Index.load(file, MARK) is None
    with monkeypatch.context() as patch:
        patch.setattr(index_file.h3, "__version__", "4.999.0")
        assert Index.load(file, MARK) is None
    assert Index.load(file, MARK) is not None


def test_a_file_that_is_cut_flipped_or_longer_is_no_index(file: Path) -> None:
    whole = file.read_bytes()
    rng = np.random.default_rng(1)
    places = [
        0,
        5,
        20,
        60,
        300,
        len(whole) - 1,
        len(whole) - 40,
        *rng.integers(len(whole), size=15).tolist(),
    ]
    for at in places:
        broken = bytearray(whole)
        broken[at] ^= 1 << int(rng.integers(8))
        file.write_bytes(broken)
        assert Index.load(file, MARK) is None, f"byte {at}"
    for short in (
        b"",
        whole[:10],
        whole[:100],
        whole[:-1],
        whole[: len(whole) // 2],
        whole + b"x",
        os.urandom(1_000),
        b"\n" * 50,
    ):
        file.write_bytes(short)
        assert Index.load(file, MARK) is None


def test_saving_replaces_the_whole_file_and_leaves_nothing_else(index: Index, file: Path) -> None:
    held = file.open("rb")
    Index.build([]).save(file, MARK)
    with held:
        assert len(held.read()) > file.stat().st_size, "a reader of the old file keeps the old one"
    loaded = Index.load(file, MARK)
    assert loaded is not None
    assert len(loaded) == 0
    with pytest.raises(OSError, match="No such file"):
        index.save(file.parent / "absent" / "index.bin", MARK)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_a_crash_left_of_an_earlier_save_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "geofence.db.prj[1].index"
    left, other = tmp_path / f".{path.name}.abc123", tmp_path / ".geofence.db.prj1.index.abc123"
    left.write_bytes(b"half")
    other.write_bytes(b"somebody else's")
    index_file.save(path, b"mark", {"a": np.zeros(3)})
    assert sorted(tmp_path.iterdir()) == sorted([path, other])
