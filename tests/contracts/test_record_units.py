"""Transactions.

All or nothing, unique by the database's word, readable beside, and silent about rows when they
fail.
"""

from __future__ import annotations

import threading
import traceback

import pytest
import sqlalchemy as sa

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.backends.sql.schema import metadata
from geofence.backends.sql.schema.journal import events, visits
from geofence.errors import RecordError
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.ports.database import Database
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from tests.rigs import some
from tests.rigs import some_offers as offers

HERE = DeviceKey("p1", "d1")


def _row(**given):
    return {
        "id": "evt_1", "project_id": "p1", "kind": "geofence.entered", "device_id": "d1",
        "geofence_uid": "gf_1", "geofence_id": "g", "visit_id": "vis_1", "ts_ms": 1,
        "recorded_ms": 1, "profile": "exact",
    } | given  # fmt: skip


def _fill(unit: Unit) -> None:
    presence = Presence(geofence_uid="gf_1", inside=True)
    unit.accounts.put_project(some.project())
    unit.accounts.put_key(some.key())
    unit.accounts.put_device("p1", some.device("d2"))
    unit.accounts.remember_answer("p1", "key", "f", 200, b"", 1)
    unit.places.put_stores("p1", [some.store()])
    unit.places.put_geofences("p1", [some.geofence()])
    state = DeviceState(True, 5, 5, 1.0, 1.0, None, {"gf_1": presence})
    unit.hot.save({HERE: state}, {})
    unit.journal.save([some.event()], {"vis_000001": ("p1", some.visit())})
    _fill_offers(unit)


def _fill_offers(unit: Unit) -> None:
    unit.customers.put("p1", offers.customer())
    unit.campaigns.put("p1", offers.campaign())
    unit.decisions.save(NewDecisions([offers.decision()], [offers.coupon()], [offers.message()]))
    taken = unit.outbox.take("push", some.START_MS + 1000, 1000, 1)[0]
    unit.outbox.finish([(taken, offers.attempt(taken))])
    unit.outbox.suppress("p1", "push", "token", "reason", 1)
    unit.outbox.pause("email", "reason", 1)
    unit.coupons.redeem(offers.coupon(), offers.redemption())


def _counts(database: SqlDatabase) -> dict[str, int]:
    with database.engine.connect() as connection:
        tables = (table for table in metadata.sorted_tables if table.name != "counters")
        return {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in tables
        }


def test_the_record_is_what_the_street_asks_for(database: SqlDatabase):
    asked: Database = database
    unit: Unit = asked.begin()
    unit.rollback()
    assert asked.queries.projects() == []


def test_a_unit_leaves_everything_or_nothing(database: SqlDatabase):
    with database.begin() as unit:
        _fill(unit)
    assert set(_counts(database).values()) == {0}
    with database.begin() as unit:
        _fill(unit)
        unit.commit()
    assert 0 not in _counts(database).values()


def test_an_error_inside_a_unit_leaves_nothing(database: SqlDatabase):
    def fail() -> None:
        with database.begin() as unit:
            _fill(unit)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert set(_counts(database).values()) == {0}


def test_a_refused_statement_spoils_its_unit_only(database: SqlDatabase):
    some.add_events(database, some.event(1))
    with pytest.raises(RecordError):
        some.add_events(database, some.event(2), some.event(1))
    some.add_events(database, some.event(3))
    assert [one.id for one in database.queries.events.page("p1", None, None, 9)] == [
        "evt_000001",
        "evt_000003",
    ]


def test_a_unit_cannot_be_used_after_its_end(database: SqlDatabase):
    unit = database.begin()
    unit.accounts.put_project(some.project())
    unit.commit()
    unit.rollback()
    with pytest.raises(RecordError):
        unit.commit()
    assert len(database.queries.projects()) == 1


@pytest.mark.parametrize(
    "second",
    [_row(visit_id="vis_2"), _row(id="evt_2")],
    ids=["the same event id", "the same visit, kind and dwell time"],
)
def test_the_database_refuses_a_fact_it_has(database: SqlDatabase, second):
    with database.begin() as unit:
        unit.connection.execute(sa.insert(events), [_row()])
        unit.commit()
    with database.begin() as unit, pytest.raises(RecordError):
        unit.connection.execute(sa.insert(events), [second])


def test_another_dwell_time_of_a_visit_is_another_fact(database: SqlDatabase):
    dwells = [
        _row(id=f"evt_{dwell_s}", kind="geofence.dwelled", dwell_s=dwell_s)
        for dwell_s in (0, 60, 300)
    ]
    with database.begin() as unit:
        unit.connection.execute(sa.insert(events), dwells)
        unit.commit()
    assert _counts(database)["events"] == 3


def test_the_database_refuses_a_stream_number_given_twice(database: SqlDatabase):
    with database.begin() as unit, pytest.raises(RecordError):
        unit.connection.execute(
            sa.insert(events),
            [_row(stream_seq=1), _row(id="evt_2", visit_id="vis_2", stream_seq=1)],
        )


def test_a_reader_sees_the_last_commit_while_a_unit_is_open(database: SqlDatabase):
    some.add_project(database)
    with database.begin() as unit:
        unit.accounts.put_project(some.project(name="not yet"))
        unit.accounts.put_project(some.project("p2"))
        assert database.queries.projects() == [some.project()]
        unit.commit()
    assert [one.name for one in database.queries.projects()] == ["not yet", "Project p2"]


def test_many_threads_read_while_one_writes(database: SqlDatabase):
    some.add_project(database)
    writing = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        try:
            while not writing.is_set():
                names = {
                    one.name[0] for one in database.queries.stores.page("p1", None, None, 1000)
                }
                if len(names) > 1:  # a unit renames all stores: half of it must never be seen
                    wrong.append(names)
        except RecordError as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    for letter in "abcdefghijkl":
        some.add_stores(database, *(some.store(f"s{number}", name=letter) for number in range(20)))
    writing.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_units_opened_from_many_threads_take_their_turn(database: SqlDatabase):
    some.add_project(database)
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                some.add_geofences(database, some.geofence(f"gf_{number}_{turn}"))
        except RecordError as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert database.queries.project("p1").index_version == 30


def test_an_error_names_the_constraint_and_never_the_row(database: SqlDatabase):
    hidden = str(4711 * 47)  # as a literal it would be in the traceback's lines of source
    row = {name: getattr(some.visit(), name) for name in some.visit().__struct_fields__}
    with database.begin() as unit, pytest.raises(RecordError) as caught:
        unit.connection.execute(
            sa.insert(visits), [row | {"project_id": "p1", "device_id": hidden, "arrival_ms": None}]
        )
    found = "".join(traceback.format_exception(caught.value))
    assert hidden not in found
    assert "NotNull" in found or "NOT NULL" in found


def test_an_error_of_a_duplicate_does_not_quote_its_key(database: SqlDatabase):
    hidden = str(4711 * 47)
    some.add_events(database, some.event(1, id=hidden))
    with pytest.raises(RecordError) as caught:
        some.add_events(database, some.event(2, id=hidden))
    assert hidden not in "".join(traceback.format_exception(caught.value))


def test_what_was_committed_is_there_after_opening_again(record_url: str):
    first = open_database(record_url)
    with first.begin() as unit:
        _fill(unit)
        unit.commit()
    first.sequence()
    before, newest = _counts(first), first.queries.newest_seq("p1")
    first.close()
    again = open_database(record_url)
    assert (_counts(again), again.queries.newest_seq("p1")) == (before, newest)
    again.close()


def test_a_lost_connection_is_a_record_error_and_the_next_unit_works(postgres_url: str):
    database = open_database(postgres_url)
    unit = database.begin()
    unit.accounts.put_project(some.project("lost"))
    with database.engine.connect() as other:
        others = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        other.execute(others)
    with pytest.raises(RecordError):
        unit.accounts.put_project(some.project("p2"))
    unit.rollback()
    some.add_project(database)
    assert [one.id for one in database.queries.projects()] == ["p1"]
    database.close()


def test_a_commit_on_a_lost_connection_is_a_record_error(postgres_url: str):
    database = open_database(postgres_url)
    unit = database.begin()
    unit.accounts.put_project(some.project("lost"))
    with database.engine.connect() as other:
        others = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        other.execute(others)
    with pytest.raises(RecordError):
        unit.commit()
    unit.rollback()
    assert database.queries.projects() == []
    database.close()
