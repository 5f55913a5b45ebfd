"""A catalogue that followed a thousand edits says what one that is built anew says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from geofence.model.place import Geofence, Profile
from geofence.places.catalogue import Catalogue
from geofence.places.index_cache import FEWEST, IndexCache

SQUARE = [(0.0, 0.0), (0.002, 0.0), (0.002, 0.002), (0.0, 0.002), (0.0, 0.0)]


def fence(number: int, chance: random.Random) -> Geofence:
    lat, lon = chance.uniform(48.0, 48.1), chance.uniform(16.0, 16.1)
    region = {
        "type": "circle",
        "lat": lat,
        "lon": lon,
        "radius_m": chance.choice((30.0, 150.0, 900.0)),
    }
    if chance.random() < 0.2:
        region = {"type": "Polygon", "coordinates": [[[lon + x, lat + y] for x, y in SQUARE]]}
    return Geofence(uid=f"gf_{number}", external_id=f"f{number}", region=region)


def assert_same(one: Catalogue, other: Catalogue, chance: random.Random) -> None:
    """Same geofences, same rules, and the same found at any place."""
    uids = set(other.slot_of)
    assert set(one.slot_of) == uids
    for uid in uids:
        mine, theirs = one.slot_of[uid], other.slot_of[uid]
        assert one.fences[mine] == other.fences[theirs]
        assert one.rules[mine] == other.rules[theirs]
    for _ in range(20):
        lat, lon = chance.uniform(48.0, 48.1), chance.uniform(16.0, 16.1)
        assert inside(one, lat, lon) == inside(other, lat, lon)
        assert [uid for uid, _ in nearest(one, lat, lon)] == [
            uid for uid, _ in nearest(other, lat, lon)
        ]


def inside(catalogue: Catalogue, lat: float, lon: float) -> set[str]:
    slots = [
        slot
        for slot in catalogue.index.candidates_one(lat, lon)
        if catalogue.index.edge_m_one(lat, lon, slot) <= 0
    ]
    return {found.uid for slot in slots if (found := catalogue.fences[slot]) is not None}


def nearest(catalogue: Catalogue, lat: float, lon: float) -> list[tuple[str, float]]:
    slots = catalogue.index.nearest(lat, lon, 7)
    return [
        (found.uid, edge_m)
        for slot, edge_m in slots
        if (found := catalogue.fences[slot]) is not None
    ]


def edited(
    fences: dict[str, Geofence], number: int, chance: random.Random
) -> tuple[list[Geofence], list[str]]:
    """Some geofences that are new, moved, renamed, disabled or enabled, and some names that go."""
    changed: dict[str, Geofence] = {}
    for _ in range(chance.randrange(4)):
        old = chance.choice(list(fences.values())) if fences else fence(number, chance)
        moved = replace(fence(number, chance), uid=old.uid)
        one = chance.choice(
            (
                fence(number + 1_000_000, chance),
                moved,
                replace(old, name="new"),
                replace(old, enabled=not old.enabled),
            )
        )
        changed[one.uid] = one
    left = [uid for uid in fences if uid not in changed]
    removed = chance.sample(left, min(len(left), chance.randrange(3)))
    return list(changed.values()), removed


@pytest.mark.parametrize("seed", range(3))
def test_edits_lead_where_building_anew_leads(seed: int) -> None:
    chance = random.Random(seed)
    fences = {one.uid: one for one in (fence(number, chance) for number in range(60))}
    catalogue = Catalogue.build(0, Profile(), fences.values())
    for step in range(1, 121):
        changed, removed = edited(fences, step, chance)
        fences |= {one.uid: one for one in changed}
        fences = {uid: one for uid, one in fences.items() if uid not in removed}
        before, kept = catalogue, [catalogue.fences[slot] for slot in range(len(catalogue.fences))]
        gone = [*removed, *(one.uid for one in changed if not one.enabled)]
        catalogue = catalogue.patched(step, [one for one in changed if one.enabled], gone)
        assert kept == [before.fences[slot] for slot in range(len(before.fences))]
        if step % 30 == 0:
            assert_same(catalogue, Catalogue.build(step, Profile(), fences.values()), chance)


def test_a_new_name_keeps_the_slot_and_a_new_profile_its_rules() -> None:
    chance = random.Random(5)
    fences = [fence(number, chance) for number in range(9)]
    catalogue = Catalogue.build(0, Profile(), fences)
    renamed = replace(fences[3], name="new", profile=Profile("exact"))
    after = catalogue.patched(1, [renamed], [])
    slot = catalogue.slot_of["gf_3"]
    assert (after.slot_of["gf_3"], after.index) == (slot, catalogue.index)
    before_rules, after_rules = catalogue.rules[slot], after.rules[slot]
    assert before_rules is not None
    assert after_rules is not None
    assert (before_rules.profile, after_rules.profile) == ("balanced", "exact")


def test_slots_do_not_grow_for_ever() -> None:
    chance = random.Random(6)
    catalogue = Catalogue.build(0, Profile(), [fence(number, chance) for number in range(10)])
    for step in range(3_000):
        catalogue = catalogue.patched(step, [replace(fence(step, chance), uid="gf_1")], [])
    assert len(catalogue.fences) < 2_000
    assert_same(
        catalogue,
        Catalogue.build(0, Profile(), [one for one in catalogue.fences if one is not None]),
        chance,
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_reading_all_anew_covers_only_what_changed(share: float) -> None:
    chance = random.Random(7)
    fences = {one.uid: one for one in (fence(number, chance) for number in range(80))}
    known = Catalogue.build(0, Profile(), fences.values())
    for uid in list(fences):
        if chance.random() < share:
            fences[uid] = replace(fence(3, chance), uid=uid)
    del fences["gf_7"]
    fences["gf_new"] = replace(fence(4, chance), uid="gf_new")
    default = Profile("strict")
    assert_same(
        known.following(1, default, fences.values(), ()),
        Catalogue.build(1, default, fences.values()),
        chance,
    )


@pytest.fixture
def many() -> list[Geofence]:
    chance = random.Random(8)
    return [fence(number, chance) for number in range(FEWEST + 50)]


def test_an_index_that_was_kept_serves_the_next_start_also_after_edits(
    tmp_path: Path, many: list[Geofence]
) -> None:
    chance = random.Random(9)
    kept = IndexCache(tmp_path / "record.db")
    built = Catalogue.build(0, Profile(), many).patched(1, [], ["gf_5"])
    assert kept.save("prj_1", built.index, built.fences)
    now = [
        *many[:5],
        *many[7:900],
        replace(many[900], region=fence(0, chance).region),
        *many[901:],
        fence(999_999, chance),
    ]
    found = IndexCache(tmp_path / "record.db").load("prj_1", now)
    assert found is not None
    index, slots = found
    assert len(slots) == len(now) - 2
    assert_same(
        Catalogue.restored(2, Profile(), index, slots, now, ()),
        Catalogue.build(2, Profile(), now),
        chance,
    )


def test_files_that_do_not_fit_are_left_alone(tmp_path: Path, many: list[Geofence]) -> None:
    kept, built = IndexCache(tmp_path / "record.db"), Catalogue.build(0, Profile(), many)
    assert kept.load("prj_1", many) is None
    assert IndexCache(None).save("prj_1", built.index, built.fences) is False
    assert kept.save("prj_1", built.index, built.fences)
    assert kept.load("prj_2", many) is None
    index_file, digests_file = sorted(tmp_path.iterdir(), reverse=True)
    assert (index_file.suffix, digests_file.suffix) == (".index", ".digests")
    whole, digests = index_file.read_bytes(), digests_file.read_bytes()
    for damaged in (
        whole[: len(whole) // 2],
        whole[:100] + bytes([whole[100] ^ 1]) + whole[101:],
        b"",
        b"not an index",
    ):
        index_file.write_bytes(damaged)
        assert kept.load("prj_1", many) is None
    index_file.write_bytes(whole)
    digests_file.write_bytes(digests[8:])
    assert kept.load("prj_1", many) is None
    digests_file.write_bytes(digests)
    assert kept.load("prj_1", many) is not None


def test_a_small_index_is_not_worth_a_file(tmp_path: Path, many: list[Geofence]) -> None:
    small = Catalogue.build(0, Profile(), many[:10])
    assert IndexCache(tmp_path / "record.db").save("prj_1", small.index, small.fences) is False
    assert list(tmp_path.iterdir()) == []
