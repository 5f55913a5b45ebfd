"""Stores and geofences, the same on every backend."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase
from geofence.errors import InputError, RecordError
from tests.rigs import some


@pytest.mark.parametrize("store", [some.store(), some.full_store()], ids=["bare", "full"])
def test_a_store_comes_back_as_it_was_put(database: SqlDatabase, store):
    some.add_stores(database, store)
    with database.begin() as unit:
        assert unit.places.stores("p1", ["s1"]) == {"s1": store}


@pytest.mark.parametrize("geofence", [some.geofence(), some.full_geofence()], ids=["bare", "full"])
def test_a_geofence_comes_back_as_it_was_put(database: SqlDatabase, geofence):
    some.add_geofences(database, geofence)
    with database.begin() as unit:
        assert unit.places.geofences("p1", [geofence.external_id]) == {
            geofence.external_id: geofence
        }
    assert database.queries.geofences_by_uid("p1") == [geofence]


def test_a_coordinate_keeps_every_digit(database: SqlDatabase):
    some.add_stores(database, some.store(lat=-33.123456789012345, lon=179.99999999999997))
    [kept] = database.queries.stores.page("p1", None, None, 10)
    assert (kept.lat, kept.lon) == (-33.123456789012345, 179.99999999999997)


def test_a_store_put_again_is_replaced_but_keeps_the_time_of_its_creation(database: SqlDatabase):
    some.add_stores(database, some.full_store())
    some.add_stores(
        database, some.store(name="Neu", created_ms=some.START_MS + 9, updated_ms=some.START_MS + 9)
    )
    assert database.queries.stores.page("p1", None, None, 10) == [
        some.store(name="Neu", updated_ms=some.START_MS + 9)
    ]


def test_a_geofence_put_again_is_replaced_but_keeps_the_time_of_its_creation(database: SqlDatabase):
    some.add_geofences(database, some.full_geofence())
    moved = some.geofence(
        external_id="renamed", created_ms=some.START_MS + 9, updated_ms=some.START_MS + 9
    )
    some.add_geofences(database, moved)
    assert database.queries.geofences_by_uid("p1") == [replace(moved, created_ms=some.START_MS)]


def test_two_geofences_of_a_project_cannot_share_a_name(database: SqlDatabase):
    some.add_geofences(database, some.geofence("gf_1", external_id="door"))
    with pytest.raises(RecordError):
        some.add_geofences(database, some.geofence("gf_2", external_id="door"))
    assert [one.uid for one in database.queries.geofences_by_uid("p1")] == ["gf_1"]


def test_projects_may_use_the_same_names_and_never_see_each_other(database: SqlDatabase):
    some.add_stores(database, some.store(name="ours"), project_id="p1")
    some.add_stores(database, some.store(name="theirs"), project_id="p2")
    some.add_geofences(
        database, some.geofence("gf_1", external_id="door", store_id="s1"), project_id="p1"
    )
    some.add_geofences(
        database, some.geofence("gf_2", external_id="door", store_id="s1"), project_id="p2"
    )
    with database.begin() as unit:
        assert unit.places.stores("p1", ["s1"])["s1"].name == "ours"
        assert unit.places.geofences("p2", ["door"])["door"].uid == "gf_2"
        assert [one.uid for one in unit.places.geofences_of_stores("p1", ["s1"])["s1"]] == ["gf_1"]
        assert unit.places.stores("p3", ["s1"]) == {}
        assert unit.places.geofences("p3", ["door"]) == {}
    assert [one.uid for one in database.queries.geofences_by_uid("p2")] == ["gf_2"]


def test_deleting_in_one_project_leaves_the_other_alone(database: SqlDatabase):
    for project_id, uid in (("p1", "gf_1"), ("p2", "gf_2")):
        some.add_stores(database, some.store(), project_id=project_id)
        some.add_geofences(database, some.geofence(uid), project_id=project_id)
    with database.begin() as unit:
        unit.places.delete_store("p1", "s1")
        unit.places.delete_geofences("p1", ["gf_1", "gf_2", "gf_unknown"])
        unit.commit()
    assert [
        len(database.queries.stores.page(project_id, None, None, 9)) for project_id in ("p1", "p2")
    ] == [0, 1]
    assert [len(database.queries.geofences_by_uid(project_id)) for project_id in ("p1", "p2")] == [
        0,
        1,
    ]


def test_a_geofence_uid_of_another_project_cannot_be_taken_over(database: SqlDatabase):
    some.add_geofences(database, some.geofence("gf_1"), project_id="p1")
    with pytest.raises(RecordError):
        some.add_geofences(database, some.geofence("gf_1", name="mine now"), project_id="p2")
    assert database.queries.geofences_by_uid("p1") == [some.geofence("gf_1")]
    assert database.queries.geofences_by_uid("p2") == []


def test_the_geofences_of_stores_come_by_external_id(database: SqlDatabase):
    some.add_geofences(
        database,
        some.geofence("gf_1", external_id="s1/near", store_id="s1"),
        some.geofence("gf_2", external_id="s1/far", store_id="s1"),
        some.geofence("gf_3", external_id="s2/far", store_id="s2"),
    )
    with database.begin() as unit:
        found = unit.places.geofences_of_stores("p1", ["s1", "s2", "s3"])
        assert {store: [one.external_id for one in some] for store, some in found.items()} == {
            "s1": ["s1/far", "s1/near"],
            "s2": ["s2/far"],
        }


def test_every_unit_that_writes_places_makes_the_index_version_grow(database: SqlDatabase):
    some.add_project(database, some.project("p1"), some.project("p2"))
    versions = []
    for write in (
        lambda places: places.put_stores("p1", [some.store()]),
        lambda places: places.put_geofences("p1", [some.geofence()]),
        lambda places: places.delete_geofences("p1", ["gf_1"]),
        lambda places: places.delete_store("p1", "s1"),
    ):
        with database.begin() as unit:
            before = unit.index_version("p1")
            write(unit.places)
            versions.append((before, unit.index_version("p1")))
            unit.commit()
    assert versions == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [(one.id, one.index_version) for one in database.queries.projects()] == [
        ("p1", 4),
        ("p2", 0),
    ]


def test_a_unit_rolled_back_leaves_the_index_version_where_it_was(database: SqlDatabase):
    some.add_project(database)
    with database.begin() as unit:
        unit.places.put_geofences("p1", [some.geofence()])
    with database.begin() as unit:
        assert unit.index_version("p1") == 0
        assert unit.index_version("nobody") == 0


def test_a_lone_surrogate_is_the_callers_mistake(database: SqlDatabase):
    with pytest.raises(InputError):
        some.add_stores(database, some.store(name="half of a pair \ud83d"))
    assert database.queries.stores.page("p1", None, None, 9) == []


def test_thousands_are_put_and_found_at_once(database: SqlDatabase):
    stores = [some.store(f"s{number:04}", name=f"Filiale {number}") for number in range(2_345)]
    rings = [
        some.geofence(
            f"gf_{number:04}", external_id=f"{one.external_id}/near", store_id=one.external_id
        )
        for number, one in enumerate(stores)
    ]
    some.add_stores(database, *stores)
    some.add_geofences(database, *rings)
    some.add_stores(database, *(replace(one, name="renamed") for one in stores[:1_500]))
    names = [one.external_id for one in stores]
    with database.begin() as unit:
        found = unit.places.stores("p1", [*names, "nobody"])
        assert [found[name].name for name in names] == ["renamed"] * 1_500 + [
            f"Filiale {number}" for number in range(1_500, 2_345)
        ]
        assert unit.places.geofences("p1", [one.external_id for one in rings]) == {
            one.external_id: one for one in rings
        }
        held = unit.places.geofences_of_stores("p1", names)
        assert held == {one.external_id: [ring] for one, ring in zip(stores, rings, strict=True)}


def test_of_many_geofences_one_with_a_taken_uid_spoils_them_all(database: SqlDatabase):
    some.add_geofences(database, some.geofence("gf_1"), project_id="p1")
    with pytest.raises(RecordError):
        some.add_geofences(
            database,
            some.geofence("gf_0"),
            some.geofence("gf_1", name="mine now"),
            some.geofence("gf_2"),
            project_id="p2",
        )
    assert database.queries.geofences_by_uid("p2") == []


def test_writing_nothing_leaves_the_index_version_where_it_was(database: SqlDatabase):
    some.add_project(database)
    with database.begin() as unit:
        unit.places.put_stores("p1", [])
        unit.places.put_geofences("p1", [])
        unit.places.delete_geofences("p1", [])
        assert unit.index_version("p1") == 0
