"""Lists: order, filters and cursors, the same on every backend."""

from __future__ import annotations

import json

import pytest

from geofence.backends.sql.database import SqlDatabase
from geofence.errors import InputError
from geofence.model.presence import DeviceKey, DeviceState, Presence, Visit
from geofence.ports.listing import VisitFilter
from tests.rigs import some
from tests.rigs import some_offers as offers
from tests.rigs.lists import NOUNS, filters_of, list_of


def _walk(database: SqlDatabase, noun: str, limit: int, **filters) -> list[list]:
    """All pages, each cursor having been through JSON as a client's does."""
    pages, after = [], None
    listing, chosen = list_of(database, noun), filters_of(noun, **filters)
    while page := listing.page("p1", chosen, after, limit):
        pages.append(page)
        after = json.loads(json.dumps(listing.key(page[-1])))
    return pages


def _ids(database: SqlDatabase, noun: str, **filters) -> list[str]:
    name = {"events": "id", "visits": "visit_id", "devices": "device_id"}.get(noun, "external_id")
    return [
        getattr(one, name)
        for one in list_of(database, noun).page("p1", filters_of(noun, **filters), None, 1000)
    ]


def _fill(database: SqlDatabase, noun: str, count: int) -> None:
    """`count` items of a noun in project p1 and one in p2, put in an order that is not theirs."""
    # 7 shares no factor with the counts used here
    numbers = [(7 * number) % count for number in range(count)]
    if noun == "events":
        some.add_events(
            database,
            *(some.event(number) for number in range(count)),
            some.event(999, project_id="p2"),
        )
    elif noun == "visits":
        some.add_visits(database, [some.visit(number) for number in numbers])
        some.add_visits(database, [some.visit(999)], project_id="p2")
    elif noun == "traffic":
        some.add_visits(database, [_ended_visit(number) for number in numbers])
        some.add_visits(database, [_ended_visit(999)], project_id="p2")
    elif noun == "keys":
        _fill_keys(database, numbers)
    elif noun == "devices":
        with database.begin() as unit:
            for number in numbers:
                unit.accounts.put_device("p1", some.device(f"d{number:03}"))
            unit.accounts.put_device("p2", some.device("d999"))
            unit.commit()
    elif noun == "stores":
        some.add_stores(database, *(some.store(f"s{number:03}") for number in numbers))
        some.add_stores(database, some.store("s999"), project_id="p2")
    elif noun in ("customers", "campaigns"):
        make, put = (
            (offers.customer, offers.add_customers)
            if noun == "customers"
            else (offers.campaign, offers.add_campaigns)
        )
        put(database, *(make(f"c{number:03}") for number in numbers))
        put(database, make("c999"), project_id="p2")
    elif noun == "attempts":
        _fill_attempts(database, numbers)
    elif noun in ("decisions", "messages", "coupons"):
        make = {"decisions": offers.decision, "messages": offers.message, "coupons": offers.coupon}[
            noun
        ]
        offers.add(database, *(make(number) for number in numbers), make(999, project_id="p2"))
    else:
        some.add_geofences(
            database,
            *(some.geofence(f"gf_{number}", external_id=f"g{number:03}") for number in numbers),
        )
        some.add_geofences(database, some.geofence("gf_999", external_id="g999"), project_id="p2")


def _ended_visit(number: int) -> Visit:
    """A visit that ended, at a geofence of its own."""
    ended_ms = some.START_MS + number + 60_000
    return some.visit(number, geofence_id=f"g{number:03}", departure_ms=ended_ms)


def _fill_keys(database: SqlDatabase, numbers: list[int]) -> None:
    with database.begin() as unit:
        for project_id in ("p1", "p2"):
            unit.accounts.put_project(some.project(project_id))
        for number in numbers:
            unit.accounts.put_key(some.key(f"key_{number:03}", created_ms=number // 2))
        unit.accounts.put_key(some.key("key_999", project_id="p2"))
        unit.commit()


def _fill_attempts(database: SqlDatabase, numbers: list[int]) -> None:
    offers.add(
        database,
        *(offers.message(number) for number in numbers),
        offers.message(999, project_id="p2"),
    )
    offers.finish(database, *((one, offers.attempt(one)) for one in offers.take(database)))


@pytest.mark.parametrize("noun", NOUNS)
def test_every_list_walks_through_its_pages_without_a_gap_or_a_repeat(database: SqlDatabase, noun):
    _fill(database, noun, 25)
    pages = _walk(database, noun, 10)
    assert [len(page) for page in pages] == [10, 10, 5]
    keys = [list_of(database, noun).key(item) for page in pages for item in page]
    assert keys == sorted(keys)
    assert len({str(key) for key in keys}) == 25


@pytest.mark.parametrize("noun", ["events", "visits"])
def test_what_happened_can_be_read_newest_first(database: SqlDatabase, noun):
    _fill(database, noun, 12)
    pages = _walk(database, noun, 5, descending=True)
    keys = [list_of(database, noun).key(item) for page in pages for item in page]
    assert [len(page) for page in pages] == [5, 5, 2]
    assert keys == sorted(keys, reverse=True)


@pytest.mark.parametrize("descending", [False, True])
def test_visits_that_arrive_at_the_same_time_are_each_seen_once(database: SqlDatabase, descending):
    some.add_visits(
        database,
        [
            some.visit(number, arrival_ms=some.START_MS, device_id=f"d{number}")
            for number in range(23)
        ],
    )
    pages = _walk(database, "visits", 5, descending=descending)
    seen = [one.visit_id for page in pages for one in page]
    assert seen == sorted((f"vis_{number:06}" for number in range(23)), reverse=descending)


def test_an_event_comes_back_as_it_was_saved(database: SqlDatabase):
    full = some.event(
        kind="geofence.dwelled",
        customer_id="c1",
        store_id="s1",
        ring="near",
        probability=0.9876543210123,
        edge_m=-12.5,
        accuracy_m=4.0,
        fix_age_s=0.25,
        first_fix=True,
        inferred=True,
        reason="geofence_removed",
        duration_s=61.5,
        dwell_s=60,
        cell="8928308280fffff",
    )
    some.add_events(database, some.event(2), full)
    first, second = database.queries.events.page("p1", None, None, 9)
    kept = {one.id: one for one in (first, second)}
    assert kept[full.id] == type(full)(
        **{name: getattr(full, name) for name in full.__struct_fields__}
        | {"stream_seq": kept[full.id].stream_seq}
    )
    assert kept["evt_000002"].dwell_s is None
    assert first.stream_seq < second.stream_seq


def test_events_are_filtered_by_what_they_say(database: SqlDatabase):
    some.add_events(
        database,
        some.event(
            1, device_id="d1", customer_id="c1", store_id="s1", geofence_id="g1", ring="near"
        ),
        some.event(
            2,
            device_id="d2",
            customer_id="c1",
            store_id="s2",
            geofence_id="g2",
            kind="geofence.exited",
        ),
        some.event(
            3, device_id="d3", customer_id="c2", store_id="s2", geofence_id="g2", visit_id="vis_x"
        ),
    )
    expected = {
        ("device", "d1"): [1],
        ("customer", "c1"): [1, 2],
        ("store", "s2"): [2, 3],
        ("geofence", "g2"): [2, 3],
        ("ring", "near"): [1],
        ("kind", "geofence.exited"): [2],
        ("visit", "vis_x"): [3],
        ("id", "evt_000002"): [2],
        ("device", "nobody"): [],
        ("customer", None): [1, 2, 3],
    }
    found = {given: _ids(database, "events", **dict([given])) for given in expected}
    assert found == {
        given: [f"evt_{number:06}" for number in numbers] for given, numbers in expected.items()
    }
    assert _ids(database, "events", store="s2", customer="c1") == ["evt_000002"]
    assert _ids(database, "events", device=["d1", "d3"]) == ["evt_000001", "evt_000003"]


def test_since_is_inclusive_and_until_is_not(database: SqlDatabase):
    some.add_events(database, *(some.event(number) for number in range(5)))
    some.add_visits(database, [some.visit(number) for number in range(5)])
    window = {"since_ms": some.START_MS + 1, "until_ms": some.START_MS + 3}
    assert _ids(database, "events", **window) == ["evt_000001", "evt_000002"]
    assert _ids(database, "visits", **window) == ["vis_000001", "vis_000002"]


def test_visits_are_filtered_by_who_and_where(database: SqlDatabase):
    some.add_visits(
        database,
        [
            some.visit(1, customer_id="c1", store_id="s1"),
            some.visit(2, device_id="d2", geofence_id="g2"),
        ],
    )
    assert _ids(database, "visits", customer="c1") == ["vis_000001"]
    assert _ids(database, "visits", store="s1") == ["vis_000001"]
    assert _ids(database, "visits", device="d2") == ["vis_000002"]
    assert _ids(database, "visits", geofence="g2", id="vis_000002") == ["vis_000002"]


def _stand(database: SqlDatabase, presence: Presence, visit: Visit) -> Visit:
    """The visit as it is listed when its device and geofence have that presence."""
    state = DeviceState(True, some.START_MS, presences={presence.geofence_uid: presence})
    with database.begin() as unit:
        unit.hot.save({DeviceKey("p1", visit.device_id): state}, {})
        unit.journal.save([], {visit.visit_id: ("p1", visit)})
        unit.commit()
    [found] = database.queries.visits.page("p1", VisitFilter(id=visit.visit_id), None, 9)
    return found


def test_a_visit_that_goes_on_is_listed_as_its_presence_stands(database: SqlDatabase):
    begun = some.visit(1, points=1, best_probability=0.9)
    later = Presence(
        "gf_1",
        True,
        begun.visit_id,
        arrival_ms=begun.arrival_ms,
        last_inside_ms=some.START_MS + 60_000,
        points=7,
        best_probability=0.99,
    )
    found = _stand(database, later, begun)
    assert (found.last_inside_ms, found.points, found.best_probability, found.amended) == (
        some.START_MS + 60_000,
        7,
        0.99,
        False,
    )
    assert (found.arrival_ms, found.departure_ms, found.visit) == (begun.arrival_ms, None, 1)


@pytest.mark.parametrize(
    ("visit", "presence"),
    [
        (
            some.visit(1, points=4, departure_ms=some.START_MS + 9),
            {"visit_id": "vis_000001"},
        ),  # ended
        (some.visit(1, points=4), {"visit_id": "vis_000002"}),  # of another visit there
        (
            some.visit(1, points=4),
            {"visit_id": "vis_000001", "inside": False},
        ),  # outside, in its cool-down
        (
            some.visit(1, points=4, geofence_uid="gf_2"),
            {"visit_id": "vis_000001"},
        ),  # of another geofence
    ],
)
def test_a_presence_says_nothing_about_other_visits(
    database: SqlDatabase, visit: Visit, presence: dict
):
    found = _stand(
        database,
        Presence(**{"geofence_uid": "gf_1", "inside": True, "points": 99} | presence),
        visit,
    )
    assert found.points == 4


def test_the_presences_of_other_projects_and_devices_are_not_read(database: SqlDatabase):
    _stand(database, Presence("gf_1", True, "vis_000001", points=9), some.visit(2, device_id="d2"))
    some.add_visits(database, [some.visit(1)])
    found = database.queries.visits.page("p1", None, None, 9)
    assert [(one.visit_id, one.points) for one in found] == [("vis_000001", 1), ("vis_000002", 1)]


def test_stores_are_filtered_by_brand_and_tag(database: SqlDatabase):
    some.add_stores(
        database,
        some.store("s1", brand="a", tags=("x", "drive in")),
        some.store("s2", brand="b", tags=("xy",)),
        some.store("s3", brand="a"),
    )
    assert _ids(database, "stores", brand="a") == ["s1", "s3"]
    assert _ids(database, "stores", tag="x") == ["s1"]
    assert _ids(database, "stores", tag=["xy", "drive in"]) == ["s1", "s2"]
    assert _ids(database, "stores", tag="x", brand="b") == []


def test_geofences_are_filtered_by_store_ring_tag_and_uids(database: SqlDatabase):
    some.add_geofences(
        database,
        some.geofence("gf_1", external_id="a", store_id="s1", ring="near", tags=("t",)),
        some.geofence("gf_2", external_id="b", store_id="s1", ring="far"),
        some.geofence("gf_3", external_id="c"),
    )
    assert _ids(database, "geofences", store="s1") == ["a", "b"]
    assert _ids(database, "geofences", ring="far") == ["b"]
    assert _ids(database, "geofences", tag="t") == ["a"]
    assert _ids(database, "geofences", uid=["gf_3", "gf_1", "gf_unknown"]) == ["a", "c"]
    assert _ids(database, "geofences", id="c") == ["c"]


def test_a_filter_may_name_thousands_of_items(database: SqlDatabase):
    some.add_geofences(database, some.geofence("gf_1"))
    assert _ids(database, "geofences", uid=[f"gf_{number}" for number in range(20_000)]) == [
        "fence gf_1"
    ]


def test_devices_are_filtered_by_customer(database: SqlDatabase):
    with database.begin() as unit:
        unit.accounts.put_device("p1", some.device("d1", customer_id="c1"))
        unit.accounts.put_device("p1", some.device("d2"))
        unit.commit()
    assert _ids(database, "devices", customer="c1") == ["d1"]


@pytest.mark.parametrize(
    ("noun", "after"),
    [("events", "abc"), ("visits", 5), ("visits", ["a", "b"]), ("stores", 5), ("stores", {"a": 1})],
)
def test_a_cursor_of_another_list_is_refused(database: SqlDatabase, noun, after):
    with pytest.raises(InputError) as caught:
        getattr(database.queries, noun).page("p1", None, after, 9)
    assert caught.value.code == "invalid_cursor"


@pytest.mark.parametrize("after", [2**62, 2**63, 2**70])
def test_a_cursor_far_beyond_the_end_finds_nothing_or_is_the_callers_mistake(
    database: SqlDatabase, after
):
    some.add_events(database, some.event())
    try:
        found = database.queries.events.page("p1", None, after, 9)
    except InputError as error:
        found = [error] if error.code != "invalid" else []
    assert found == []


@pytest.mark.parametrize("text", ["a\x00b", "half of a pair \ud83d"])
def test_a_filter_no_database_can_hold_finds_nothing_or_is_the_callers_mistake(
    database: SqlDatabase, text
):
    some.add_stores(database, some.store(brand="a"))
    try:
        found = _ids(database, "stores", brand=text)
    except InputError as error:
        found = [error] if error.code != "invalid" else []
    assert found == []


def test_text_that_looks_like_sql_is_only_text(database: SqlDatabase):
    odd = "s'; DROP TABLE stores; --%s :x ?"
    some.add_stores(database, some.store(odd, brand=odd, tags=(odd,)))
    assert _ids(database, "stores", brand=odd, tag=odd) == [odd]
