"""Many stores and geofences put at once are what each of them put alone would be."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase
from geofence.errors import InputError
from geofence.model.edit import EditResult
from geofence.model.place import Geofence, Ring, Store
from geofence.places import editing
from geofence.ports.unit import Unit
from tests.rigs import some

NOW_MS = some.START_MS
NEAR, WIDE = Ring("near", 150.0), Ring("wide", 800.0)


def _edit(database: SqlDatabase, work: Any) -> EditResult:
    with database.begin() as unit:
        edited: EditResult = work(unit)
        unit.commit()
    return edited


def _put(database: SqlDatabase, *stores: Store, now_ms: int = NOW_MS, **more: Any) -> EditResult:
    return _edit(
        database,
        lambda unit: editing.put_stores(
            unit, "p1", [editing.ready_store(one) for one in stores], now_ms, **more
        ),
    )


def _fences(database: SqlDatabase) -> dict[str, Geofence]:
    return {one.external_id: one for one in database.queries.geofences_by_uid("p1")}


def _new(external_id: str, **given: Any) -> Store:
    return some.store(external_id, created_ms=0, updated_ms=0, **given)


def test_each_store_has_its_outcome_and_its_rings(database: SqlDatabase) -> None:
    first = _put(database, _new("a", rings=(NEAR,)), _new("b", rings=(NEAR, WIDE)), _new("c"))
    assert [outcome for outcome, _ in first.value] == ["created"] * 3
    assert sorted(one.external_id for one in first.changed) == ["a/near", "b/near", "b/wide"]
    uids = {name: one.uid for name, one in _fences(database).items()}
    second = _put(
        database,
        _new("a", rings=(NEAR,)),
        _new("b", rings=(replace(NEAR, radius_m=200.0),)),
        _new("d", rings=(WIDE,)),
        now_ms=NOW_MS + 5,
    )
    assert [outcome for outcome, _ in second.value] == ["unchanged", "updated", "created"]
    assert sorted(one.external_id for one in second.changed) == ["b/near", "d/wide"]
    assert second.removed == (uids["b/wide"],)
    after = _fences(database)
    assert (after["b/near"].uid, after["b/near"].region["radius_m"]) == (uids["b/near"], 200.0)
    assert after.keys() == {"a/near", "b/near", "d/wide"}
    with database.begin() as unit:
        kept = unit.places.stores("p1", ["a", "b"])
    assert [(kept[name].created_ms, kept[name].updated_ms) for name in ("a", "b")] == [
        (NOW_MS, NOW_MS),
        (NOW_MS, NOW_MS + 5),
    ]


def test_what_changes_nothing_writes_nothing(database: SqlDatabase) -> None:
    some.add_project(database)
    stores = [_new(f"s{number}", rings=(NEAR,)) for number in range(50)]
    _put(database, *stores)
    with database.begin() as unit:
        before = unit.index_version("p1")
        again = editing.put_stores(
            unit, "p1", [editing.ready_store(one) for one in stores], NOW_MS + 9
        )
        assert {outcome for outcome, _ in again.value} == {"unchanged"}
        assert (again.changed, again.removed, unit.index_version("p1")) == ((), (), before)


def test_a_store_may_take_over_what_the_old_one_had(database: SqlDatabase) -> None:
    _put(database, _new("a", tags=("old",), rings=(WIDE,)))
    edited = _put(
        database,
        _new("a", name="Neu", rings=(NEAR,)),
        fill=lambda old, new: replace(new, tags=old.tags, rings=old.rings),
    )
    outcome, kept = edited.value[0]
    assert (outcome, kept.name, kept.tags, kept.rings) == ("updated", "Neu", ("old",), (WIDE,))
    assert _fences(database).keys() == {"a/wide"}


def test_a_geofence_without_its_store_is_left_out_and_the_others_are_put(
    database: SqlDatabase,
) -> None:
    _put(database, _new("s"))
    given = [
        some.geofence("", external_id=name, store_id=store, created_ms=0, updated_ms=0)
        for name, store in (("a", "s"), ("b", "gone"), ("c", None))
    ]
    off = replace(given[2], external_id="off", enabled=False)
    edited = _edit(database, lambda unit: editing.put_geofences(unit, "p1", [*given, off], NOW_MS))
    assert [outcome for outcome, _ in edited.value] == ["created", "no_store", "created", "created"]
    assert _fences(database).keys() == {"a", "c", "off"}
    assert [one.external_id for one in edited.changed] == ["a", "c"]
    assert edited.removed == (_fences(database)["off"].uid,)

    def alone(unit: Unit) -> EditResult:
        return editing.put_geofence(unit, "p1", given[1], NOW_MS)

    with pytest.raises(InputError):
        _edit(database, alone)
