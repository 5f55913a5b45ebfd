"""Codes are redeemed as often as they may be, by the database's word.

And a person who leaves takes everything along.
"""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.backends.sql.schema import metadata
from geofence.backends.sql.schema.coupons import redemptions
from geofence.delivery import recheck
from geofence.errors import RecordError
from geofence.model.decision import Coupon
from geofence.model.presence import DeviceKey, DeviceState
from geofence.people import erasure
from geofence.ports.decisions import NewDecisions
from tests.rigs import some
from tests.rigs import some_offers as offers
from tests.rigs.lists import filters_of, list_of


def _used(coupon: Coupon) -> Coupon:
    return replace(coupon, status="redeemed", uses=coupon.uses + 1)


def _redeem(database: SqlDatabase, number: int = 1) -> bool:
    """As a till does it, but without looking whether the code was used."""
    with database.begin() as unit:
        coupon = unit.coupons.locked("p1", "CODE000001")
        done = unit.coupons.redeem(_used(coupon), offers.redemption(number))
        unit.commit()
    return done


def _count(database: SqlDatabase, table: sa.Table) -> int:
    with database.engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_coupon_is_found_by_its_code_within_its_project(database: SqlDatabase):
    offers.add(database, offers.coupon(1), offers.coupon(2, stores=()))
    with database.begin() as unit:
        assert unit.coupons.locked("p1", "CODE000001") == offers.coupon(1)
        assert unit.coupons.locked("p1", "CODE000002") == offers.coupon(2, stores=())
        assert unit.coupons.locked("p2", "CODE000001") is None


def test_a_single_use_code_is_redeemed_once_and_the_unit_goes_on(database: SqlDatabase):
    offers.add(database, offers.coupon())
    assert _redeem(database, 1)
    with database.begin() as unit:
        assert not unit.coupons.redeem(offers.coupon(uses=9), offers.redemption(2))
        unit.customers.put("p1", offers.customer())
        unit.commit()
    assert database.queries.coupons.page("p1", None, None, 9) == [
        offers.coupon(status="redeemed", uses=1)
    ]
    assert _count(database, redemptions) == 1
    assert len(database.queries.customers.page("p1", None, None, 9)) == 1


def test_a_code_of_many_uses_counts_each(database: SqlDatabase):
    coupon = offers.coupon(single_use=False)
    offers.add(database, coupon)
    assert [_redeem(database, number) for number in range(3)] == [True, True, True]
    assert database.queries.coupons.page("p1", None, None, 9) == [
        replace(coupon, status="redeemed", uses=3)
    ]


def test_a_coupon_without_a_redemption_is_written_as_it_is(database: SqlDatabase):
    offers.add(database, offers.coupon(1), offers.coupon(2))
    with database.begin() as unit:
        assert unit.coupons.redeem(offers.coupon(1, status="void"), None)
        unit.commit()
    assert database.queries.coupons.page("p1", None, None, 9) == [
        offers.coupon(1, status="void"),
        offers.coupon(2),
    ]
    assert _count(database, redemptions) == 0


def test_a_redemption_that_exists_is_refused_for_what_it_is(database: SqlDatabase):
    offers.add(database, offers.coupon(single_use=False))
    assert _redeem(database, 1)
    with pytest.raises(RecordError):
        _redeem(database, 1)


@pytest.mark.parametrize(
    "locked", [True, False], ids=["with the coupon locked", "by the index alone"]
)
def test_sixty_four_tills_at_once_redeem_a_code_once(postgres_url: str, locked):
    database = open_database(postgres_url)
    offers.add(database, offers.coupon())
    done: list[bool] = []
    ready = threading.Barrier(64)

    def till(number: int) -> None:
        ready.wait()
        with taking, database.begin() as unit:
            coupon = unit.coupons.locked("p1", "CODE000001") if locked else offers.coupon()
            done.append(unit.coupons.redeem(_used(coupon), offers.redemption(number)))
            unit.commit()

    taking = threading.BoundedSemaphore(16)  # of the pool's twenty connections
    threads = [threading.Thread(target=till, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = database.queries.coupons.page("p1", None, None, 9), _count(database, redemptions)
    database.close()
    assert (done.count(True), done.count(False)) == (1, 63)
    assert kept == ([offers.coupon(status="redeemed", uses=1)], 1)


def test_a_coupon_is_locked_until_the_unit_ends(postgres_url: str):
    database = open_database(postgres_url)
    offers.add(database, offers.coupon())
    with database.begin() as first, database.begin() as second:
        assert first.coupons.locked("p1", "CODE000001") is not None
        second.connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(RecordError, match="LockNotAvailable"):
            second.coupons.locked("p1", "CODE000001")
    database.close()


PERSON, MAIL, TOKEN = "person-4711", "kim.lee@example.org", "token-of-kim"


def _everything_about(
    database: SqlDatabase, person: str, mail: str, token: str, number: int
) -> None:
    some.add_project(database)
    device_id, key = f"d{number}", DeviceKey("p1", f"d{number}")
    offers.add_customers(database, offers.customer(person, email=mail))
    offers.arrive(database, device_id, customer_id=person, token=token)
    visit = some.visit(number, device_id=device_id, customer_id=person)
    with database.begin() as unit:
        events = [some.event(number, device_id=device_id, customer_id=person)]
        unit.journal.save(events, {visit.visit_id: ("p1", visit)})
        body = f'{{"customer_id":"{person}"}}'.encode()
        unit.accounts.remember_answer("p1", f"key {number}", "f", 200, body, some.START_MS)
        unit.outbox.suppress("p1", "email", mail, "hard_bounce", some.START_MS)
        unit.commit()
    about = {"customer_id": person, "device_id": key.device_id}
    offers.add(
        database,
        offers.decision(number, **about),
        offers.coupon(number, customer_id=person),
        offers.message(number, address=token, **about),
        offers.message(
            number + 100, address=mail, channel="email", decision_id=f"dec_{number:06}", **about
        ),
    )
    pushed = offers.take(database, limit=1)[0]
    offers.finish(database, (replace(pushed, status="sent", due_ms=None), offers.attempt(pushed)))


def _mentions(database: SqlDatabase, *words: str) -> list[str]:
    """Tables with a row in which one of these words stands, in whatever column."""
    with database.engine.connect() as connection:
        rows = {
            table.name: connection.execute(sa.select(table)).all()
            for table in metadata.sorted_tables
        }
    return sorted(
        name
        for name, held in rows.items()
        if any(word in _spelled(row) for row in held for word in words)
    )


def _spelled(row) -> str:
    return " ".join(
        bytes(value).decode("latin-1") if isinstance(value, (bytes, memoryview)) else repr(value)
        for value in row
    )


def _erase(database: SqlDatabase, customer_id: str) -> None:
    with database.begin() as unit:
        erasure.erase(unit, "p1", customer_id)
        unit.commit()


def test_an_erased_person_stands_in_no_table(database: SqlDatabase):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    held = {
        "coupons",
        "customers",
        "decisions",
        "devices",
        "events",
        "idempotency",
        "messages",
        "visits",
    }
    assert set(_mentions(database, PERSON, MAIL, TOKEN)) == held
    _erase(database, PERSON)
    assert _mentions(database, PERSON, MAIL, TOKEN) == []
    assert [
        getattr(database.queries, noun).page("p1", None, None, 9)
        for noun in ("decisions", "messages", "attempts", "customers")
    ] == [[]] * 4


def test_an_erased_person_leaves_a_spent_code_a_silence_and_visits_of_a_device(
    database: SqlDatabase,
):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    _erase(database, PERSON)
    assert database.queries.coupons.page("p1", None, None, 9) == [
        offers.coupon(1, customer_id="", status="void")
    ]
    assert [
        len(getattr(database.queries, noun).page("p1", None, None, 9))
        for noun in ("visits", "devices")
    ] == [1, 1]
    offers.add_customers(database, offers.customer("newcomer", email=MAIL))
    mail = offers.message(7, channel="email", address=MAIL, customer_id="newcomer")
    with database.begin() as unit:
        assert recheck.reasons([mail], unit.outbox.recipients([mail])) == {mail.id: "suppressed"}


def test_a_redeemed_code_stays_redeemed_when_its_person_leaves(database: SqlDatabase):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    assert _redeem(database)
    _erase(database, PERSON)
    assert database.queries.coupons.page("p1", None, None, 9) == [
        offers.coupon(1, customer_id="", status="redeemed", uses=1)
    ]
    assert _count(database, redemptions) == 1


def test_a_code_of_many_uses_ends_when_its_person_leaves(database: SqlDatabase):
    offers.add(database, offers.coupon(single_use=False))
    assert _redeem(database)
    _erase(database, "c1")
    assert [one.status for one in database.queries.coupons.page("p1", None, None, 9)] == ["void"]


def test_erasing_one_person_leaves_another_alone(database: SqlDatabase):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    _everything_about(database, "person-5", "other@example.org", "token-5", 2)
    before = {
        noun: list_of(database, noun).page("p1", filters_of(noun, customer="person-5"), None, 9)
        for noun in ("decisions", "messages", "coupons")
    }
    _erase(database, PERSON)
    for noun, held in before.items():
        assert (
            list_of(database, noun).page("p1", filters_of(noun, customer="person-5"), None, 9)
            == held
        )
    assert "idempotency" in _mentions(database, "person-5")


def test_erasing_nobody_leaves_the_decisions_about_nobody(database: SqlDatabase):
    offers.add(
        database, offers.decision(customer_id="", outcome="silent", reason="customer_unknown")
    )
    _erase(database, "")
    assert len(database.queries.decisions.page("p1", None, None, 9)) == 1


def test_hot_state_forgets_an_erased_person_with_the_commit(database: SqlDatabase):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    key = DeviceKey("p1", "d1")
    with database.begin() as unit:
        erasure.erase(unit, "p1", PERSON)
    with database.begin() as unit:
        assert unit.hot.read([key])[key].customer_id == PERSON
    _erase(database, PERSON)
    with database.begin() as unit:
        kept = unit.hot.read([key])[key]
    assert kept.customer_id is None
    assert kept.presences["gf_1"].inside
    assert isinstance(kept, DeviceState)


def test_a_message_in_somebodys_hands_is_not_written_after_its_person_left(database: SqlDatabase):
    _everything_about(database, PERSON, MAIL, TOKEN, 1)
    held = offers.take(database, channel="email")[0]
    _erase(database, PERSON)
    with database.begin() as unit:
        assert recheck.reasons([held], unit.outbox.recipients([held])) == {
            held.id: "consent_withdrawn"
        }
    assert (
        offers.finish(database, (replace(held, status="sent", due_ms=None), offers.attempt(held)))
        == 0
    )
    assert _mentions(database, PERSON, MAIL, TOKEN) == []


def test_a_person_who_is_being_decided_about_is_erased_after_it(postgres_url: str):
    database = open_database(postgres_url)
    offers.add_customers(database, offers.customer())
    deciding = database.begin()
    deciding.customers.locked("p1", ["c1"])
    eraser = threading.Thread(target=_erase, args=(database, "c1"))
    eraser.start()
    with database.engine.connect() as connection:
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while eraser.is_alive() and not connection.execute(waits).scalar():
            connection.rollback()
    deciding.decisions.save(NewDecisions(decisions=[offers.decision()]))
    deciding.commit()
    eraser.join()
    held = database.queries.decisions.page("p1", None, None, 9)
    database.close()
    assert held == []
