"""Customers, campaigns and decisions in the record.

Kept once, locked while somebody decides, and gone when erased.
"""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.backends.sql.schema.campaigns import campaign_versions
from geofence.errors import Conflict, RecordError
from geofence.ports.decisions import NewDecisions
from geofence.ports.listing import CampaignFilter, DecisionFilter
from tests.rigs import some
from tests.rigs import some_offers as offers


def _sent(database: SqlDatabase, *customer_ids: str, since_ms: int = 0) -> list[str]:
    with database.begin() as unit:
        return [one.id for one in unit.decisions.sent("p1", customer_ids, since_ms)]


def test_a_customer_comes_back_as_it_was_put(database: SqlDatabase):
    offers.add_customers(
        database, offers.full_customer(), offers.customer("c2", email=None, consent={})
    )
    with database.begin() as unit:
        assert unit.customers.get("p1", "c1") == offers.full_customer()
        assert unit.customers.get("p2", "c1") is None
        found = unit.customers.locked("p1", ["c2", "c1", "c2", "nobody"])
    assert found == {
        "c1": offers.full_customer(),
        "c2": offers.customer("c2", email=None, consent={}),
    }


def test_a_customer_put_again_keeps_its_creation_and_nothing_else(database: SqlDatabase):
    offers.add_customers(database, offers.full_customer())
    offers.add_customers(database, offers.customer(email=None, consent={}, created_ms=5))
    with database.begin() as unit:
        assert unit.customers.get("p1", "c1") == offers.customer(email=None, consent={})


def test_a_campaign_comes_back_as_it_was_put(database: SqlDatabase):
    some.add_project(database)
    full = offers.campaign(plan=offers.full_plan())
    offers.add_campaigns(database, full, offers.campaign("tea", status="draft"))
    with database.begin() as unit:
        assert unit.campaigns.get("p1", "coffee") == full
        assert unit.campaigns.get("p2", "coffee") is None
    assert database.queries.campaigns.page("p1", None, None, 9) == [
        full,
        offers.campaign("tea", status="draft"),
    ]
    assert [
        one.id
        for one in database.queries.campaigns.page("p1", CampaignFilter(status="draft"), None, 9)
    ] == ["tea"]


def test_every_version_of_a_plan_is_kept_and_the_index_version_grows(database: SqlDatabase):
    some.add_project(database)
    before = database.queries.project("p1").index_version
    changed = offers.campaign(plan=offers.full_plan(), version=2, created_ms=9)
    offers.add_campaigns(
        database, offers.campaign(), replace(offers.campaign(), status="paused"), changed
    )
    with database.begin() as unit:
        versions = (
            unit.connection.execute(
                sa.select(campaign_versions.c.version).order_by(campaign_versions.c.version)
            )
            .scalars()
            .all()
        )
        assert versions == [1, 2]
        assert unit.campaigns.get("p1", "coffee") == replace(changed, created_ms=some.START_MS)
        assert unit.index_version("p1") == before + 3


def test_two_changes_of_one_version_are_a_conflict(database: SqlDatabase):
    some.add_project(database)
    offers.add_campaigns(database, offers.campaign())
    with pytest.raises(Conflict):
        offers.add_campaigns(database, offers.campaign(plan=offers.full_plan()))
    assert database.queries.campaigns.page("p1", None, None, 9) == [offers.campaign()]


def test_a_deleted_campaign_leaves_its_decisions_and_its_name_free(database: SqlDatabase):
    some.add_project(database)
    offers.add_campaigns(database, offers.campaign())
    before = database.queries.project("p1").index_version
    offers.add(database, offers.decision(), offers.coupon(), offers.message())
    with database.begin() as unit:
        unit.campaigns.delete("p1", "coffee")
        unit.commit()
    assert database.queries.campaigns.page("p1", None, None, 9) == []
    assert [
        len(getattr(database.queries, noun).page("p1", None, None, 9))
        for noun in ("decisions", "coupons", "messages")
    ] == [1, 1, 1]
    offers.add_campaigns(database, offers.campaign(plan=offers.full_plan()))
    assert database.queries.project("p1").index_version == before + 2


def test_what_an_offering_holds_comes_back_as_it_was_saved(database: SqlDatabase):
    silent = offers.decision(
        2,
        outcome="silent",
        reason="customer_unknown",
        customer_id="",
        store_id=None,
        ring=None,
        trace=(),
    )
    coupon, message = (
        offers.coupon(stores=None, single_use=False),
        offers.message(content={"title": "ä", "data": {"n": [1, None]}}),
    )
    offers.add(database, offers.decision(variant="A"), silent, coupon, message)
    assert database.queries.decisions.page("p1", None, None, 9) == [
        offers.decision(variant="A"),
        silent,
    ]
    assert database.queries.coupons.page("p1", None, None, 9) == [coupon]
    assert database.queries.messages.page("p1", None, None, 9) == [message]


@pytest.mark.parametrize(
    "second",
    [
        offers.decision(2, event_id="evt_000001"),
        offers.decision(1, event_id="evt_9"),
        offers.coupon(2, decision_id="dec_000001"),
        offers.coupon(1, decision_id="dec_9"),
        offers.message(1),
    ],
    ids=[
        "the same event, campaign and customer",
        "the same decision id",
        "a second coupon",
        "the same code",
        "the same message id",
    ],
)
def test_the_database_refuses_a_consequence_it_has(database: SqlDatabase, second):
    offers.add(database, offers.decision(), offers.coupon(), offers.message())
    with pytest.raises(RecordError):
        offers.add(database, second)
    assert [
        len(getattr(database.queries, noun).page("p1", None, None, 9))
        for noun in ("decisions", "coupons", "messages")
    ] == [1, 1, 1]


def test_an_event_may_be_decided_for_several_campaigns_and_customers(database: SqlDatabase):
    same = {"event_id": "evt_1"}
    found = (
        offers.decision(1, **same),
        offers.decision(2, campaign_id="tea", **same),
        offers.decision(3, customer_id="c2", **same),
    )
    offers.add(database, *found)
    assert len(database.queries.decisions.page("p1", DecisionFilter(event="evt_1"), None, 9)) == 3


def test_sent_holds_sends_and_holdouts_since_then_oldest_first(database: SqlDatabase):
    offers.add(
        database,
        offers.decision(5),
        offers.decision(4, outcome="holdout", reason="holdout"),
        offers.decision(3, outcome="silent", reason="cap"),
        offers.decision(2, customer_id="c2"),
        offers.decision(1, customer_id="c3"),
        offers.decision(6, project_id="p2"),
    )
    assert _sent(database, "c1", "c2") == ["dec_000002", "dec_000004", "dec_000005"]
    assert _sent(database, "c1", since_ms=some.START_MS + 5) == ["dec_000005"]
    assert _sent(database) == []


def test_a_send_counts_while_one_of_its_messages_waits_and_is_released_when_none_was_tried(
    database: SqlDatabase,
):
    two = (
        offers.message(1),
        offers.message(2, decision_id="dec_000001", channel="email", address="c1@example.org"),
    )
    offers.add(database, offers.decision(), *two)
    assert _sent(database, "c1") == ["dec_000001"]
    pushes, mails = offers.take(database), offers.take(database, channel="email")
    gone = {"status": "dropped", "due_ms": None, "finished_ms": some.START_MS + 5}
    offers.finish(database, (replace(pushes[0], reason="left", **gone), None))
    assert _sent(database, "c1") == ["dec_000001"]
    offers.finish(database, (replace(mails[0], reason="suppressed", **gone), None))
    assert _sent(database, "c1") == []


def test_a_send_that_expired_untouched_is_released(database: SqlDatabase):
    offers.add(database, offers.decision(), offers.message())
    assert offers.take(database, now_ms=some.START_MS + 900_000) == []
    assert _sent(database, "c1") == []


def test_a_send_that_was_tried_or_may_have_been_counts_for_good(database: SqlDatabase):
    offers.add(
        database,
        offers.decision(1),
        offers.message(1),
        offers.decision(2),
        offers.message(2, channel="email"),
    )
    tried = offers.take(database)[0]
    failed = replace(tried, status="failed", reason="unregistered", due_ms=None)
    offers.finish(database, (failed, offers.attempt(tried, verdict="failed")))
    offers.take(database, channel="email", lease_ms=1)  # its holder dies: nobody knows what it did
    again = offers.take(database, channel="email", now_ms=some.START_MS + 2000)[0]
    offers.finish(
        database, (replace(again, status="dropped", reason="consent_withdrawn", due_ms=None), None)
    )
    assert _sent(database, "c1") == ["dec_000001", "dec_000002"]


def test_messages_that_events_led_to_are_found_until_they_expire(database: SqlDatabase):
    late = offers.message(3, expires_ms=some.START_MS + 5)
    offers.add(
        database,
        *map(offers.decision, (1, 2, 3)),
        offers.message(2),
        offers.message(1, status="sent", due_ms=None),
        late,
    )
    events = ["evt_000003", "evt_000002", "evt_000001", "evt_9"]
    with database.begin() as unit:
        found = unit.decisions.caused_by("p1", events, some.START_MS + 5)
        assert [(event_id, one.id) for event_id, one in found] == [
            ("evt_000001", "msg_000001"),
            ("evt_000002", "msg_000002"),
        ]
        assert len(unit.decisions.caused_by("p1", events, some.START_MS + 4)) == 3
        assert unit.decisions.caused_by("p2", events, 0) == []


def test_thousands_of_customers_are_asked_for_at_once(database: SqlDatabase):
    names = [f"c{number}" for number in range(40_000)]
    offers.add(database, offers.decision(1, customer_id="c39999", visit_id="vis_39999"))
    with database.begin() as unit:
        assert (
            unit.customers.locked("p1", names[:5000]) == {}
        )  # a lock each: PostgreSQL has room for some thousands
        assert len(unit.decisions.sent("p1", names, 0)) == 1


def test_devices_of_a_customer_have_a_token_and_come_last_seen_first(database: SqlDatabase):
    with database.begin() as unit:
        for device_id, seen_ms, token in (
            ("a", 5, "t1"),
            ("b", None, "t2"),
            ("c", 9, "t3"),
            ("d", 7, None),
        ):
            unit.accounts.put_device(
                "p1", some.device(device_id, customer_id="c1", push_token=token, seen_ms=seen_ms)
            )
        unit.accounts.put_device("p1", some.device("e", customer_id="c2"))
        unit.connection.exec_driver_sql(
            "UPDATE devices SET seen_ms ="
            " CASE device_id WHEN 'a' THEN 5 WHEN 'c' THEN 9 WHEN 'd' THEN 7 ELSE NULL END"
        )
        found = unit.customers.devices_of("p1", ["c1", "c2", "nobody"])
    assert {name: [one.device_id for one in theirs] for name, theirs in found.items()} == {
        "c1": ["c", "a", "b"]
    }
    assert found["c1"][0].push_token == "t3"


def test_who_asks_for_a_customer_waits_until_the_one_before_has_decided(postgres_url: str):
    database = open_database(postgres_url)
    seen: list[int] = []

    def decide(number: int) -> None:
        with database.begin() as unit:
            unit.customers.locked("p1", ["c1", "c2"] if number % 2 else ["c2", "c1"])
            before = unit.decisions.sent("p1", ["c1"], 0)
            if not before:  # a cap of one
                unit.decisions.save(NewDecisions(decisions=[offers.decision(number)]))
            seen.append(len(before))
            unit.commit()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert sorted(seen) == [0, 1, 1, 1, 1, 1, 1, 1]


def test_a_customer_and_a_device_of_one_name_are_locked_apart(postgres_url: str):
    database = open_database(postgres_url)
    with database.begin() as first, database.begin() as second:
        first.accounts.put_device("p1", some.device("same"))
        second.connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        assert second.customers.locked("p1", ["same"]) == {}
    database.close()
