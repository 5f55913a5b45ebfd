"""Projects, keys, devices and remembered answers, the same on every backend."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from geofence.backends.sql.accounts import KEPT_MS
from geofence.backends.sql.database import SqlDatabase
from geofence.errors import Busy, RecordError
from geofence.model.place import Profile
from geofence.model.presence import DeviceKey, DeviceState, Presence
from tests.rigs import some

HERE = DeviceKey("p1", "d1")
PRESENCE = Presence(
    geofence_uid="gf_1",
    inside=True,
    visit_id="vis_000001",
    arrival_ms=some.START_MS,
    due_ms=some.START_MS + 5,
)
STATE = DeviceState(
    True, some.START_MS + 7, some.START_MS + 7, 48.25, 11.5, "c1", {"gf_1": PRESENCE}
)


def _put(database: SqlDatabase, *, key=None, device=None, project_id="p1"):
    with database.begin() as unit:
        if key is not None:
            unit.accounts.put_key(key)
        if device is not None:
            unit.accounts.put_device(project_id, device)
        unit.commit()


def _see(database: SqlDatabase, key: DeviceKey = HERE, number: int = 1):
    """One ping's consequences: state, visit and event."""
    with database.begin() as unit:
        unit.hot.read([key])
        visit = some.visit(number, device_id=key.device_id)
        event = some.event(number, project_id=key.project_id, device_id=key.device_id)
        unit.hot.save({key: STATE}, {})
        unit.journal.save([event], {visit.visit_id: (key.project_id, visit)})
        unit.commit()
    database.sequence()


def test_a_project_comes_back_as_it_was_put(database: SqlDatabase):
    ours = some.project(profile=Profile(name="strict", max_accuracy_m=12.5, dwell_s=(30, 60)))
    some.add_project(database, ours)
    assert database.queries.project("p1") == ours
    assert database.queries.project("p2") is None


def test_a_project_put_again_keeps_its_creation_and_index_version(database: SqlDatabase):
    some.add_project(database)
    some.add_geofences(database, some.geofence())
    some.add_project(database, some.project(name="renamed", created_ms=5, index_version=0))
    assert database.queries.project("p1") == some.project(name="renamed", index_version=1)


def test_another_default_profile_makes_the_index_version_grow(database: SqlDatabase):
    some.add_project(database)
    before = database.queries.project("p1")
    some.add_project(database, some.project(profile=Profile("strict")))
    after = database.queries.project("p1")
    assert (before.index_version, after.index_version, after.profile) == (0, 1, Profile("strict"))


def test_projects_and_keys_come_oldest_first(database: SqlDatabase):
    some.add_project(
        database,
        some.project("p_b", created_ms=2),
        some.project("p_a", created_ms=2),
        some.project("p_c", created_ms=1),
    )
    _put(database, key=some.key("key_b", created_ms=2))
    _put(database, key=some.key("key_a", created_ms=3))
    _put(database, key=some.key("key_x", created_ms=1, project_id="p2"))
    assert [one.id for one in database.queries.projects()] == ["p_c", "p_a", "p_b"]
    assert [one.id for one in database.queries.keys.page("p1", None, None, 99)] == [
        "key_b",
        "key_a",
    ]


def test_a_key_is_found_by_its_digest_revoked_or_not(database: SqlDatabase):
    _put(database, key=some.key())
    assert database.queries.key_of("digest of key_1") == some.key()
    revoked = some.key(revoked_ms=some.START_MS + 1)
    _put(database, key=revoked)
    assert database.queries.key_of("digest of key_1") == revoked
    assert database.queries.key_of("another digest") is None


def test_two_keys_cannot_share_a_digest(database: SqlDatabase):
    _put(database, key=some.key("key_1", digest="same"))
    with pytest.raises(RecordError):
        _put(database, key=some.key("key_2", digest="same"))


def test_a_key_cannot_be_moved_to_another_project(database: SqlDatabase):
    _put(database, key=some.key())
    with pytest.raises(RecordError):
        _put(database, key=some.key(project_id="p2"))
    assert database.queries.keys.page("p2", None, None, 99) == []


def test_a_device_comes_back_as_it_was_put(database: SqlDatabase):
    full = some.device(
        customer_id="c1",
        platform="ios",
        push_token="tok",
        locale="de-DE",
        time_zone="Europe/Berlin",
        attributes={"tier": ["gold", 1]},
    )
    _put(database, device=full)
    with database.begin() as unit:
        assert unit.accounts.device("p1", "d1") == full
        assert unit.accounts.device("p2", "d1") is None
        assert unit.accounts.device("p1", "d2") is None


def test_a_device_put_again_keeps_its_hot_state(database: SqlDatabase):
    _see(database)
    _put(
        database,
        device=some.device(customer_id="c2", push_token="tok", created_ms=some.START_MS + 100),
    )
    with database.begin() as unit:
        assert unit.hot.read([HERE]) == {HERE: replace(STATE, customer_id="c2")}
        kept = unit.accounts.device("p1", "d1")
    assert (kept.push_token, kept.seen_ms) == ("tok", STATE.watermark_ms)
    assert kept.created_ms < some.START_MS + 100


def test_a_ping_after_a_put_keeps_what_the_app_set(database: SqlDatabase):
    _put(
        database,
        device=some.device(customer_id="c1", push_token="tok", attributes={"tier": "gold"}),
    )
    _see(database)
    with database.begin() as unit:
        kept = unit.accounts.device("p1", "d1")
    assert (kept.push_token, kept.attributes, kept.created_ms) == (
        "tok",
        {"tier": "gold"},
        some.START_MS,
    )


def test_erasing_a_device_takes_its_presences_visits_and_events_and_nobody_elses(
    database: SqlDatabase,
):
    others = [DeviceKey("p1", "d2"), DeviceKey("p2", "d1")]
    for number, key in enumerate([HERE, *others], start=1):
        _see(database, key, number)
    with database.begin() as unit:
        unit.accounts.delete_device("p1", "d1")
        unit.commit()
    with database.begin() as unit:
        assert unit.accounts.device("p1", "d1") is None
        assert unit.hot.read([HERE, *others]) == {HERE: DeviceState()} | dict.fromkeys(
            others, STATE
        )
        assert unit.hot.at_geofences(["gf_1"]) == others
    for noun in ("events", "visits", "devices"):
        assert [
            one.device_id for one in getattr(database.queries, noun).page("p1", None, None, 9)
        ] == ["d2"]
        assert [
            one.device_id for one in getattr(database.queries, noun).page("p2", None, None, 9)
        ] == ["d1"]


def test_an_answer_is_kept_with_its_fingerprint(database: SqlDatabase):
    with database.begin() as unit:
        unit.accounts.remember_answer(
            "p1", "key", "fingerprint", 201, b'{"a": "\x00\xff"}', some.START_MS
        )
        unit.commit()
    with database.begin() as unit:
        assert unit.accounts.answer("p1", "key", some.START_MS) == (
            "fingerprint",
            201,
            b'{"a": "\x00\xff"}',
        )
        assert unit.accounts.answer("p1", "key", some.START_MS + 1) is None
        assert unit.accounts.answer("p2", "key", 0) is None
        assert unit.accounts.answer("p1", "other", 0) is None


def test_a_fresh_answer_is_never_overwritten_and_an_old_one_is(database: SqlDatabase):
    for now_ms, status in ((some.START_MS, 201), (some.START_MS + KEPT_MS, 202)):
        with database.begin() as unit:
            unit.accounts.remember_answer("p1", "key", "fingerprint", status, b"", now_ms)
            unit.commit()
    with database.begin() as unit, pytest.raises(Busy):
        unit.accounts.remember_answer(
            "p1", "key", "fingerprint", 203, b"", some.START_MS + KEPT_MS + 1
        )
    with database.begin() as unit:
        assert unit.accounts.answer("p1", "key", 0) == ("fingerprint", 202, b"")
