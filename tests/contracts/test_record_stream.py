"""The reading order of events: nobody who follows it ever passes an event by."""

from __future__ import annotations

import random
import threading

from geofence.backends.sql.database import SqlDatabase, open_database
from tests.rigs import some


def _after(database: SqlDatabase, seq: int | None = None) -> list[str]:
    return [one.id for one in database.queries.events.page("p1", None, seq, 1000)]


def _unit_with(database: SqlDatabase, *events):
    unit = database.begin()
    unit.journal.save(events, {})
    return unit


def test_numbers_start_at_one_and_follow_each_other(database: SqlDatabase):
    some.add_events(database, some.event(1), some.event(2))
    some.add_events(database, some.event(3, project_id="p2"), some.event(4))
    assert [one.stream_seq for one in database.queries.events.page("p1", None, None, 9)] == [
        1,
        2,
        4,
    ]
    assert [database.queries.newest_seq(project_id) for project_id in ("p1", "p2", "p3")] == [
        4,
        3,
        0,
    ]


def test_a_unit_rolled_back_leaves_no_hole(database: SqlDatabase):
    some.add_events(database, some.event(1))
    _unit_with(database, some.event(2)).rollback()
    some.add_events(database, some.event(3))
    assert [one.stream_seq for one in database.queries.events.page("p1", None, None, 9)] == [1, 2]


def test_a_number_is_never_given_again_when_its_event_was_erased(database: SqlDatabase):
    some.add_events(database, some.event(1, device_id="d1"))
    some.add_events(database, some.event(2, device_id="d2"))
    with database.begin() as unit:
        unit.accounts.delete_device("p1", "d2")
        unit.commit()
    some.add_events(database, some.event(3, device_id="d3"))
    assert _after(database, 2) == ["evt_000003"]


def test_sequencing_again_changes_nothing(database: SqlDatabase):
    some.add_events(database, some.event(1), some.event(2))
    before = database.queries.events.page("p1", None, None, 9)
    assert database.sequence() == 0
    assert database.queries.events.page("p1", None, None, 9) == before


def test_an_event_without_a_number_is_not_seen_and_counts_as_unnumbered(postgres_url: str):
    database = open_database(postgres_url)
    _unit_with(database, some.event(1), some.event(2)).commit()
    assert _after(database) == []
    assert database.queries.health()["unnumbered"] == 2
    assert database.sequence() == 2
    assert _after(database) == ["evt_000001", "evt_000002"]
    assert database.queries.health()["unnumbered"] == 0
    database.close()


def test_events_are_numbered_in_the_order_they_were_recorded(postgres_url: str):
    database = open_database(postgres_url)
    _unit_with(
        database, some.event(3), some.event(1), some.event(2, recorded_ms=some.START_MS + 9)
    ).commit()
    database.sequence()
    assert _after(database) == ["evt_000001", "evt_000003", "evt_000002"]
    database.close()


def test_a_unit_that_commits_late_comes_later_for_a_reader_who_is_ahead(postgres_url: str):
    database = open_database(postgres_url)
    late = _unit_with(database, some.event(1))
    _unit_with(database, some.event(2)).commit()
    assert database.sequence() == 1
    [seen] = database.queries.events.page("p1", None, None, 9)
    late.commit()
    assert database.sequence() == 1
    assert seen.id == "evt_000002"
    assert _after(database, seen.stream_seq) == ["evt_000001"]
    database.close()


def test_an_event_that_is_being_erased_holds_nobody_up(postgres_url: str):
    database = open_database(postgres_url)
    _unit_with(database, some.event(1, device_id="d1"), some.event(2, device_id="d2")).commit()
    with database.begin() as unit:
        unit.accounts.delete_device("p1", "d1")
        assert database.sequence() == 1
    assert database.sequence() == 1
    assert _after(database) == ["evt_000002", "evt_000001"]
    database.close()


def _write_out_of_order(database: SqlDatabase, writer: int, count: int) -> None:
    """The writer's `count` events, two units open at a time, committed in either order."""
    dice = random.Random(writer)
    for first in range(writer * count, (writer + 1) * count, 2):
        units = [
            _unit_with(database, some.event(number, device_id=f"d{number}"))
            for number in (first, first + 1)
        ]
        dice.shuffle(units)
        for unit in units:
            unit.commit()


def test_a_follower_misses_nothing_while_units_commit_out_of_order_and_two_sequence(
    postgres_url: str,
):
    database = open_database(postgres_url)
    count, writers = 40, 4
    done = threading.Event()
    failed: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            _write_out_of_order(database, writer, count)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test shows it
            failed.append(error)

    def number() -> None:
        try:
            while not done.is_set():
                database.sequence()
        except Exception as error:  # noqa: BLE001 - whatever it was, the test shows it
            failed.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    sequencers = [threading.Thread(target=number) for _ in range(2)]
    for thread in (*threads, *sequencers):
        thread.start()
    followed: list[tuple[int, str]] = []

    def follow() -> None:
        news = database.queries.events.page("p1", None, followed[-1][0] if followed else None, 1000)
        followed.extend((one.stream_seq, one.id) for one in news)

    while any(thread.is_alive() for thread in threads):
        follow()
    done.set()
    for sequencer in sequencers:
        sequencer.join()
    database.sequence()
    follow()
    database.close()
    assert failed == []
    assert sorted(one for _, one in followed) == [
        f"evt_{number:06}" for number in range(count * writers)
    ]
    assert [seq for seq, _ in followed] == list(range(1, count * writers + 1))
