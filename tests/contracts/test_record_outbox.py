"""The outbox.

Each message in one pair of hands at a time, finished by the newest only, never started when it
should not be.
"""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.backends.sql.outbox import EXPIRED_AT_ONCE
from geofence.backends.sql.schema.outbox import suppressions
from geofence.delivery import recheck
from geofence.model.customer import Consent
from geofence.ports.listing import AttemptFilter, MessageFilter
from tests.rigs import some
from tests.rigs import some_offers as offers

NOW_MS = some.START_MS + 1000
LATE_MS = some.START_MS + 900_000


def _messages(database: SqlDatabase, **filters):
    return database.queries.messages.page("p1", MessageFilter(**filters), None, 5000)


def _sent(message):
    return replace(
        message, status="sent", reason="", due_ms=None, lease_until_ms=None, finished_ms=NOW_MS + 50
    )


def _again(database: SqlDatabase, *messages):
    with database.begin() as unit:
        return recheck.reasons(messages, unit.outbox.recipients(messages))


def _ready(database: SqlDatabase, **given) -> None:
    """A consenting customer inside gf_1 with a phone that has a token."""
    offers.add_customers(database, offers.customer(**given))
    offers.arrive(database, token="token-1")


def test_what_is_due_is_taken_oldest_first_and_leased(database: SqlDatabase):
    offers.add(
        database,
        *(offers.message(number) for number in (3, 1, 2)),
        offers.message(4, due_ms=NOW_MS + 1),
    )
    taken = offers.take(database, NOW_MS, limit=2)
    assert taken == [
        replace(offers.message(number), attempt=1, lease_until_ms=NOW_MS + 60_000)
        for number in (1, 2)
    ]
    assert _messages(database, id=["msg_000001", "msg_000002"]) == taken
    assert [one.id for one in offers.take(database, NOW_MS)] == ["msg_000003"]
    assert offers.take(database, NOW_MS) == []


def test_a_channel_takes_its_own_messages_of_every_project(database: SqlDatabase):
    offers.add(
        database,
        offers.message(1),
        offers.message(2, channel="email"),
        offers.message(3, project_id="p2"),
    )
    assert [one.id for one in offers.take(database, channel="push")] == ["msg_000001", "msg_000003"]
    assert [one.id for one in offers.take(database, channel="email")] == ["msg_000002"]


def test_a_take_that_was_rolled_back_never_happened(database: SqlDatabase):
    offers.add(database, offers.message())
    with database.begin() as unit:
        assert len(unit.outbox.take("push", NOW_MS, 60_000, 9)) == 1
    assert [one.attempt for one in offers.take(database)] == [1]


def test_a_message_whose_lease_ran_out_is_taken_again_with_the_next_attempt(database: SqlDatabase):
    offers.add(database, offers.message())
    offers.take(database, NOW_MS, lease_ms=500)
    assert offers.take(database, NOW_MS + 499) == []
    assert [one.attempt for one in offers.take(database, NOW_MS + 500)] == [2]


def test_what_expired_is_finished_and_never_given_out(database: SqlDatabase):
    offers.add(database, offers.message(1), offers.message(2, expires_ms=LATE_MS + 1))
    assert [one.id for one in offers.take(database, LATE_MS)] == ["msg_000002"]
    expired = replace(
        offers.message(1), status="expired", reason="expired", due_ms=None, finished_ms=LATE_MS
    )
    assert _messages(database, status="expired") == [expired]


def test_what_expires_in_somebodys_hands_is_theirs_until_the_lease_ends(database: SqlDatabase):
    offers.add(database, offers.message())
    held = offers.take(database, LATE_MS - 1, lease_ms=100)[0]
    assert (offers.take(database, LATE_MS), _messages(database)[0].status) == ([], "queued")
    offers.take(database, LATE_MS + 99)
    assert _messages(database)[0].status == "expired"
    assert offers.finish(database, (_sent(held), offers.attempt(held))) == 1
    assert _messages(database)[0].status == "sent", "it went out in time, and nobody took it since"


def test_more_than_a_portion_of_expired_messages_hides_none_that_is_due(database: SqlDatabase):
    late = [offers.message(number) for number in range(1, EXPIRED_AT_ONCE + 3)]
    offers.add(database, *late, offers.message(9999, expires_ms=LATE_MS + 5))
    assert [one.id for one in offers.take(database, LATE_MS)] == ["msg_009999"]
    assert len(_messages(database, status="expired")) == EXPIRED_AT_ONCE
    assert offers.take(database, LATE_MS) == []
    assert len(_messages(database, status="expired")) == EXPIRED_AT_ONCE + 2


def test_a_paused_channel_gives_nothing_until_it_is_opened(database: SqlDatabase):
    offers.add(database, offers.message(1), offers.message(2, channel="email"))
    with database.begin() as unit:
        unit.outbox.pause("push", "credentials refused", NOW_MS)
        unit.commit()
    with database.begin() as unit:
        assert unit.outbox.paused() == {"push": "credentials refused"}
    assert (offers.take(database), len(offers.take(database, channel="email"))) == ([], 1)
    with database.begin() as unit:
        unit.outbox.pause("push", "", NOW_MS + 1)
        unit.commit()
    assert len(offers.take(database)) == 1
    with database.begin() as unit:
        assert unit.outbox.paused() == {}


def test_a_finished_message_is_as_it_was_reported_with_its_attempts_in_order(database: SqlDatabase):
    offers.add(database, offers.message())
    first = offers.take(database, NOW_MS)[0]
    tried = offers.attempt(first, verdict="retry", reason="unavailable", detail="503", status=503)
    assert (
        offers.finish(database, (replace(first, due_ms=NOW_MS + 5, reason="unavailable"), tried))
        == 1
    )
    assert offers.take(database, NOW_MS + 4) == []
    second = offers.take(database, NOW_MS + 5)[0]
    done = offers.attempt(second, provider_id="projects/x/messages/1", status=None)
    assert offers.finish(database, (_sent(second), done)) == 1
    assert _messages(database) == [_sent(second)]
    assert second.attempt == 2
    assert database.queries.attempts.page("p1", AttemptFilter(message="msg_000001"), None, 9) == [
        tried,
        done,
    ]
    assert offers.take(database, NOW_MS + 900) == []


def test_a_late_finish_after_another_took_the_message_changes_nothing(database: SqlDatabase):
    offers.add(database, offers.message())
    slow = offers.take(database, NOW_MS, lease_ms=100)[0]
    quick = offers.take(database, NOW_MS + 100)[0]
    before = _messages(database)
    assert offers.finish(database, (_sent(slow), offers.attempt(slow))) == 0
    assert (_messages(database), database.queries.attempts.page("p1", None, None, 9)) == (
        before,
        [],
    )
    assert offers.finish(database, (_sent(quick), offers.attempt(quick))) == 1
    assert offers.finish(database, (replace(slow, status="dropped", due_ms=None), None)) == 0
    assert _messages(database) == [_sent(quick)]


def test_the_same_attempt_is_finished_once(database: SqlDatabase):
    offers.add(database, offers.message(1), offers.message(2))
    one, two = offers.take(database, NOW_MS)
    assert offers.finish(database, (_sent(one), offers.attempt(one))) == 1
    failed = replace(one, status="failed", due_ms=None)
    assert (
        offers.finish(
            database,
            (failed, offers.attempt(one, verdict="failed")),
            (_sent(two), offers.attempt(two)),
        )
        == 1
    )
    assert _messages(database) == [_sent(one), _sent(two)]


def test_takers_at_once_never_get_the_same_message(postgres_url: str):
    database = open_database(postgres_url)
    offers.add(database, *(offers.message(number) for number in range(300)))
    taken: list[str] = []
    ready = threading.Barrier(6)

    def work() -> None:
        ready.wait()
        while got := offers.take(database, limit=7):
            taken.extend(one.id for one in got)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.attempt for one in _messages(database)} == {1}
    database.close()
    assert sorted(taken) == [f"msg_{number:06}" for number in range(300)]


def test_a_message_in_an_open_unit_is_skipped_and_not_waited_for(postgres_url: str):
    database = open_database(postgres_url)
    offers.add(database, offers.message(1), offers.message(2))
    with database.begin() as first:
        assert [one.id for one in first.outbox.take("push", NOW_MS, 60_000, 1)] == ["msg_000001"]
        assert [one.id for one in offers.take(database, NOW_MS)] == ["msg_000002"]
    database.close()


def test_a_message_that_may_go_has_no_reason_against_it(database: SqlDatabase):
    _ready(database)
    mail = offers.message(2, channel="email", address="c1@example.org")
    assert (
        _again(database, offers.message(), mail, offers.message(3, channel="inapp", address="d1"))
        == {}
    )
    assert _again(database) == {}


@pytest.mark.parametrize(
    ("purpose", "stopped"),
    [("push", {"push"}), ("email", {"email"}), ("location", {"push", "email", "inapp"})],
)
def test_a_withdrawn_consent_stops_the_channels_that_need_it(
    database: SqlDatabase, purpose, stopped
):
    for consent in ({purpose: Consent(False, NOW_MS)}, {}):
        given = {
            name: one
            for name, one in (offers.AGREED | consent).items()
            if consent or name != purpose
        }
        _ready(database, consent=given)
        queued = {
            name: offers.message(number, channel=name)
            for number, name in enumerate(("push", "email", "inapp", "log", "webhook"))
        }
        assert _again(database, *queued.values()) == {
            queued[name].id: "consent_withdrawn" for name in stopped
        }


def test_nothing_goes_to_a_customer_who_is_gone_or_unknown(database: SqlDatabase):
    _ready(database)
    gone = [
        offers.message(1, customer_id="c9"),
        offers.message(2, customer_id=""),
        offers.message(3, project_id="p2"),
    ]
    ours = offers.message(4, channel="webhook", customer_id="", address="https://example.org/hook")
    assert _again(database, *gone, ours) == dict.fromkeys(
        [one.id for one in gone], "consent_withdrawn"
    )


def test_a_suppressed_address_is_known_again_and_kept_as_a_digest_only(database: SqlDatabase):
    _ready(database)
    with database.begin() as unit:
        for reason in ("hard_bounce", "again"):
            unit.outbox.suppress("p1", "email", " C1@Example.org ", reason, NOW_MS)
        unit.commit()
    with database.engine.connect() as connection:
        kept = connection.execute(sa.select(suppressions)).mappings().all()
    mail = offers.message(1, channel="email", address="c1@example.ORG")
    assert _again(database, mail, replace(mail, id="other", address="c2@example.org")) == {
        mail.id: "suppressed"
    }
    assert [(row["reason"], len(row["address_digest"]), row["created_ms"]) for row in kept] == [
        ("hard_bounce", 64, NOW_MS)
    ]


def test_a_suppression_holds_for_its_project_and_channel(database: SqlDatabase):
    _ready(database)
    with database.begin() as unit:
        unit.outbox.suppress("p2", "push", "token-1", "x", NOW_MS)
        unit.outbox.suppress("p1", "email", "token-1", "x", NOW_MS)
        unit.commit()
    assert _again(database, offers.message()) == {}


def test_who_left_is_not_pushed_to_but_may_get_mail(database: SqlDatabase):
    _ready(database)
    offers.arrive(
        database, inside=False, token="token-1"
    )  # a presence that only waits out its cool-down
    queued = [
        offers.message(number, channel=channel)
        for number, channel in enumerate(("push", "inapp", "email"))
    ]
    assert _again(database, *queued) == {"msg_000000": "left", "msg_000001": "left"}
    assert _again(database, offers.message(geofence_uid="gf_2")) == {"msg_000001": "left"}


def test_a_message_for_somebody_who_went_out_is_not_stopped_by_their_leaving(database: SqlDatabase):
    _ready(database)
    assert (
        _again(
            database, offers.message(geofence_uid="gf_2", content={"title": "Bye", "near": False})
        )
        == {}
    )


def test_a_push_to_the_second_phone_of_somebody_inside_may_go(database: SqlDatabase):
    offers.add_customers(database, offers.customer())
    offers.arrive(database, "d1")
    with database.begin() as unit:
        unit.accounts.put_device(
            "p1", some.device("tablet", customer_id="c1", push_token="token-2")
        )
        unit.commit()
    assert _again(database, offers.message(device_id="tablet", address="token-2")) == {}


def test_a_dead_token_is_forgotten_everywhere_in_its_project(database: SqlDatabase):
    _ready(database)
    with database.begin() as unit:
        unit.accounts.put_device("p1", some.device("d2", push_token="token-1"))
        unit.accounts.put_device("p1", some.device("d3", push_token="token-3"))
        unit.accounts.put_device("p2", some.device("d1", push_token="token-1"))
        unit.commit()
    for channel in ("email", "push"):
        with database.begin() as unit:
            unit.outbox.drop_addresses(channel, [("p1", "token-1")])
            unit.commit()
        tokens = [one.push_token for one in database.queries.devices.page("p1", None, None, 9)]
        assert tokens == (
            ["token-1", "token-1", "token-3"] if channel == "email" else [None, None, "token-3"]
        )
    assert database.queries.devices.page("p2", None, None, 9)[0].push_token == "token-1"
    assert _again(database, offers.message()) == {"msg_000001": "no_address"}


def test_a_phone_that_changed_hands_gets_nothing_of_its_former_owner(database: SqlDatabase):
    _ready(database)
    offers.arrive(database, "d2", token=None)
    offers.arrive(database, "d1", customer_id="c2", token="token-1")
    assert _again(database, offers.message()) == {"msg_000001": "no_address"}


def test_the_first_reason_in_order_is_the_one_reported(database: SqlDatabase):
    with database.begin() as unit:
        unit.outbox.suppress("p1", "push", "token-1", "x", NOW_MS)
        unit.commit()
    assert _again(database, offers.message()) == {"msg_000001": "consent_withdrawn"}
    offers.add_customers(database, offers.customer())
    assert _again(database, offers.message()) == {"msg_000001": "suppressed"}
    assert _again(database, offers.message(address="t")) == {"msg_000001": "left"}
