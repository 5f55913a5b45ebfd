"""What detection tells late leads to no offer, and nothing is offered twice for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from geofence.model.ping import PingIn
from tests.rigs.offer_shop import HOME, T0, Shop


@pytest.fixture
def shop(record_url: str) -> Iterator[Shop]:
    shop = Shop(record_url)
    yield shop
    shop.close()


def at(at_s: float, north_m: float, device: str = "phone-ann") -> PingIn:
    return PingIn(HOME[0] + north_m / 111_195, HOME[1], T0 + int(at_s * 1000), device)


def test_a_day_of_offline_pings_gives_visits_and_a_reason_for_each_silence_but_no_offer(
    shop: Shop,
) -> None:
    shop.campaign()
    shop.customer()
    stays = [(3600 * hour, 3600 * hour + 1800) for hour in (2, 6, 10)]
    day = [
        at(at_s, 0 if any(a <= at_s < b for a, b in stays) else 5000)
        for at_s in range(0, 12 * 3600, 300)
    ]
    shop.street.submit_pings("p", list(enumerate([*day, at(12 * 3600, 5000, "other")]))).result(60)
    near = shop.page("visits", ring="near")
    assert [
        ((one.arrival_ms - T0) // 1000, (one.departure_ms - T0) // 1000) for one in near
    ] == stays
    assert len(shop.reasons) == 3
    assert all(reason.startswith("stale=") for reason in shop.reasons)
    assert shop.page("messages") == []


def test_a_visit_amended_by_a_late_ping_leads_to_nothing_new(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in(at_s=0, north_m=5000)
    shop.walk_in(at_s=120)
    before = [one.id for one in shop.decisions]
    shop.walk_in(at_s=60)
    assert len(shop.page("events", kind="visit.amended")) == 2
    assert [one.id for one in shop.decisions] == before
    assert len(before) == 1


def test_driving_through_leads_to_no_offer(shop: Shop) -> None:
    shop.campaign(trigger={"event": "entered", "ring": "near"})
    shop.customer()
    for at_s, north_m in ((0, -700), (60, 700)):
        shop.walk_in(at_s=at_s, north_m=north_m)
    assert shop.decisions == []


def test_a_dwell_campaign_that_begins_while_a_phone_is_inside_and_quiet_is_reported_by_its_timer(
    shop: Shop,
) -> None:
    shop.customer()
    shop.walk_in(at_s=0)
    shop.clock.saw(T0 + 300_000)
    shop.campaign(trigger={"event": "dwelled", "ring": "near", "dwell_s": 600})
    shop.street.submit_pings("p", [(0, at(700, 5000, "other"))]).result(30)
    shop.street.submit_pings("p", [(0, at(701, 5000, "other"))]).result(30)
    assert [(one.kind, one.ts_ms - T0) for one in shop.page("events", kind="geofence.dwelled")] == [
        ("geofence.dwelled", 600_000)
    ]
    assert [one.outcome for one in shop.decisions] == ["send"]


def test_whoever_has_left_by_the_end_of_the_batch_is_shown_no_offer_for_being_near(
    shop: Shop,
) -> None:
    shop.campaign()
    shop.customer()
    walk = [at(0, 2000), at(60, 10), at(120, 2000)]
    gone = (
        shop.street.submit_pings(
            "p", list(enumerate(walk)), include=frozenset({"events", "offers"})
        )
        .result(30)
        .devices["phone-ann"]
    )
    assert [event.kind for event in gone.events if event.ring == "near"] == [
        "geofence.entered",
        "geofence.exited",
    ]
    assert gone.offers == ()
    again = (
        shop.street.submit_pings(
            "p", list(enumerate(walk)), include=frozenset({"events", "offers"})
        )
        .result(30)
        .devices["phone-ann"]
    )
    assert again.offers == ()


def test_whoever_is_still_inside_is_shown_the_offer_again_with_the_repeated_ping(
    shop: Shop,
) -> None:
    shop.campaign()
    shop.customer()
    shown = [
        shop.street.submit_pings("p", [(0, at(60, 10))], include=frozenset({"events", "offers"}))
        .result(30)
        .devices["phone-ann"]
        .offers
        for _ in range(2)
    ]
    assert len(shown[0]) == 1
    assert shown[0] == shown[1]
