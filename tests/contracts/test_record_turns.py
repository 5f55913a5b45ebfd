"""Several processes on one PostgreSQL.

Who edits waits for whom, and nobody's edit goes on what another has changed meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.clock import PingClock
from geofence.errors import RecordError
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.place import Profile, Ring, Store
from geofence.places.editing import put_stores
from geofence.ports.unit import Unit
from geofence.street.jobs import Post
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit
from tests.rigs.street import HOME, T0, fence, ping


@pytest.fixture
def records(postgres_url: str) -> Iterator[tuple[SqlDatabase, SqlDatabase]]:
    """What two processes see of one record."""
    with ExitStack() as stack:
        first, second = (open_database(postgres_url) for _ in range(2))
        stack.callback(first.close)
        stack.callback(second.close)
        with first.begin() as unit:
            unit.accounts.put_project(Project("p", "shop", Profile("exact")))
            unit.commit()
        yield first, second


def _begun(work: Callable[[], Any]) -> tuple[threading.Thread, threading.Event, list[Any]]:
    """Work in a thread of its own, what tells that it is done, and what it made."""
    done, made = threading.Event(), list[Any]()

    def run() -> None:
        made.append(work())
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, done, made


def test_who_removes_a_geofence_waits_for_the_pings_that_are_carried_past_it_and_ends_their_visits(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    first, second = records
    here, there = (Writer(database, PingClock()) for database in records)
    here.start()
    shop = fence()
    run_edit(here, "p", lambda unit: _put(unit, shop)).result(10)
    with second.begin() as unit:
        there.pipeline.run(unit, [Post("p", [(0, ping(0, 10))])])
        removed = run_edit(here, "p", lambda unit: _removed(unit, shop.uid))
        with pytest.raises(TimeoutError):
            removed.result(0.3)
        unit.commit()
    removed.result(10)
    here.stop()
    first.sequence()
    events = {
        (event.kind, event.reason) for event in first.queries.events.page("p", None, None, 10)
    }
    assert events == {("geofence.entered", None), ("geofence.exited", "geofence_removed")}
    assert [
        visit.departure_ms is not None for visit in first.queries.visits.page("p", None, None, 10)
    ] == [True]


def _put(unit: Any, shop: Any) -> EditResult:
    unit.places.put_geofences("p", [shop])
    return EditResult(None, changed=(shop,))


def _removed(unit: Any, uid: str) -> EditResult:
    unit.places.delete_geofences("p", [uid])
    return EditResult(None, removed=(uid,))


def test_pings_that_come_while_a_geofence_is_removed_wait_and_enter_nothing(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    _, second = records
    here, there = (Writer(database, PingClock()) for database in records)
    here.start()
    there.start()
    run_edit(here, "p", lambda unit: _put(unit, fence())).result(10)
    started, go = threading.Event(), threading.Event()

    def slowly(unit: Any) -> EditResult:
        edited = _removed(unit, "gf_1")
        started.set()
        assert go.wait(10)
        return edited

    removed = run_edit(here, "p", slowly)
    assert started.wait(10)
    posted = there.submit_pings("p", [(0, ping(0, 10))])
    with pytest.raises(TimeoutError):
        posted.result(0.3)
    go.set()
    removed.result(10)
    assert posted.result(10).accepted == 1
    here.stop()
    there.stop()
    second.sequence()
    assert second.queries.events.page("p", None, None, 10) == []


def test_two_who_fill_in_the_same_store_at_once_lose_nothing_of_each_other(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    store = Store("s1", "Corner", *HOME, rings=(Ring("near", 150.0),))
    with records[0].begin() as unit:
        put_stores(unit, "p", [store], T0)
        unit.commit()

    def fills(database: SqlDatabase, **known: str) -> str:
        with database.begin() as unit:
            edited = put_stores(
                unit, "p", [replace(store, **known)], T0 + 1, lambda old, _: replace(old, **known)
            )
            unit.commit()
        return str(edited.value[0][0])

    with records[0].begin() as unit:
        edited = put_stores(
            unit,
            "p",
            [replace(store, brand="bean")],
            T0 + 1,
            lambda old, _: replace(old, brand="bean"),
        )
        thread, done, made = _begun(lambda: fills(records[1], name="Corner Shop"))
        assert not done.wait(0.3)
        unit.commit()
    thread.join(10)
    assert (edited.value[0][0], made) == ("updated", ["updated"])
    [kept] = records[0].queries.stores.page("p", None, None, 10)
    assert (kept.brand, kept.name) == ("bean", "Corner Shop")


def test_another_process_knows_within_seconds_what_is_near_after_an_edit(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    here, there = (Writer(database, PingClock()) for database in records)
    here.start()
    there.start()
    assert there.near("p", *HOME, None, 5) == []
    run_edit(here, "p", lambda unit: _put(unit, fence())).result(10)
    there.submit_pings("q", [(0, ping(0, 5000))]).result(10)
    there.submit_pings("q", [(0, ping(1, 5000))]).result(10)
    assert [one.geofence.uid for one in there.near("p", *HOME, None, 5)] == ["gf_1"]
    here.stop()
    there.stop()


def test_an_edit_that_waited_for_another_process_ends_no_visit_at_what_that_made(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    first, _ = records
    here, there = (Writer(database, PingClock()) for database in records)
    here.start()
    there.start()
    run_edit(here, "p", lambda unit: _put(unit, fence("gf_a"))).result(10)
    here.submit_pings("p", [(0, ping(0, 10))]).result(10)

    def meanwhile(unit: Unit) -> EditResult:
        run_edit(
            there, "p", lambda theirs: _put(theirs, fence("gf_b", lat=HOME[0] + 0.0001))
        ).result(10)
        there.submit_pings("p", [(0, ping(60, 10))]).result(10)
        return _put(unit, fence("gf_a", name="renamed"))

    run_edit(here, "p", meanwhile).result(10)
    here.stop()
    there.stop()
    first.sequence()
    found = {
        (event.kind, event.geofence_id) for event in first.queries.events.page("p", None, None, 10)
    }
    assert found == {("geofence.entered", "fence-gf_a"), ("geofence.entered", "fence-gf_b")}


def test_a_wait_for_another_process_does_not_make_the_service_say_that_its_record_is_gone(
    records: tuple[SqlDatabase, SqlDatabase],
) -> None:
    here = Writer(records[0], PingClock())
    here.start()
    with records[1].begin() as unit:
        unit.edit("p")
        put = run_edit(
            here, "p", lambda ours: put_stores(ours, "p", [Store("s1", "Corner", *HOME)], T0)
        )
        with pytest.raises(RecordError, match="55P03"):
            put.result(30)
    assert not here.refused()
    here.stop()
