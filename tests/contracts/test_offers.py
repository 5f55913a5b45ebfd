"""From an event to one offer, on a real record of each kind.

Who gets a message, who gets none and why, and none twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geofence.errors import InputError
from geofence.model.customer import Consent, Customer, QuietHours
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Ring, Store
from geofence.offers.campaigns import put_campaign, set_status
from geofence.offers.plan import read_plan
from geofence.places.editing import put_store
from geofence.street.decide import ORDER
from tests.rigs.offer_shop import HOME, PLAN, T0, Shop


@pytest.fixture
def shop(record_url: str) -> Iterator[Shop]:
    shop = Shop(record_url)
    yield shop
    shop.close()


def test_walking_in_is_one_decision_one_coupon_one_push(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    [decision], [message], [coupon] = shop.decisions, shop.page("messages"), shop.page("coupons")
    assert (decision.outcome, decision.reason, decision.variant) == ("send", "send", "a")
    assert (message.channel, message.address, message.content["title"]) == (
        "push",
        "token-ann",
        "Hi Ann",
    )
    assert message.content["body"] == coupon.code
    assert message.expires_ms == decision.at_ms + 900_000
    assert (coupon.decision_id, coupon.stores) == (decision.id, ("s1",))


def test_the_trace_names_every_gate_in_its_order(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    assert tuple(judged.gate for judged in shop.decisions[0].trace) == ORDER


def test_the_offer_is_in_the_answer_and_again_in_the_answer_to_a_repeat(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    first = shop.walk_in(include=["events", "offers"]).devices["phone-ann"].offers
    again = shop.walk_in(include=["events", "offers"])
    assert again.duplicates == 1
    assert len(first) == 1
    assert again.devices["phone-ann"].offers == first
    assert len(shop.decisions) == 1


def test_an_unknown_customer_or_one_without_consent_gets_no_message_and_the_reason_is_kept(
    shop: Shop,
) -> None:
    shop.campaign()
    shop.customer("bob", consent=("push", "email"))
    shop.customer("cat", consent=("location",))
    for name in ("nobody", "bob", "cat"):
        shop.walk_in(name)
    assert sorted(shop.reasons) == [
        "consent_missing=location",
        "consent_missing=push,email",
        "customer_unknown",
    ]
    assert shop.page("messages") == []


def test_without_consent_to_push_the_email_goes_out(shop: Shop) -> None:
    shop.campaign()
    shop.customer("dan", consent=("location", "email"))
    shop.walk_in("dan")
    [message] = shop.page("messages")
    assert (message.channel, message.address, message.content["subject"]) == (
        "email",
        "dan@example.org",
        "2 for 1",
    )
    assert message.content["unsubscribe_url"] == f"https://shop.example/p/{message.id}"


def test_the_cap_counts_in_a_rolling_window(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    for at_s in (60, 40_000, 86_459, 86_461):
        shop.walk_in(at_s=at_s)
        shop.walk_in(at_s=at_s + 0.5, north_m=2000)
    assert shop.reasons == ["send", "cap_customer_1d=1/1", "cap_customer_1d=1/1", "send"]


def test_one_winner_per_ping_by_priority_and_the_loser_says_to_whom(shop: Shop) -> None:
    shop.campaign("plain")
    shop.campaign("loud", priority=5)
    shop.customer()
    shop.walk_in()
    assert sorted((one.campaign_id, one.reason) for one in shop.decisions) == [
        ("loud", "send"),
        ("plain", "lost_to=loud"),
    ]


def test_the_nearest_ring_wins_and_escalation_goes_only_inward(shop: Shop) -> None:
    wide = {"event": "entered", "ring": "wide"}
    shop.campaign("near", pressure={})
    shop.campaign("wide", trigger=wide, pressure={})
    shop.customer()
    shop.walk_in(at_s=60, north_m=400)
    shop.walk_in(at_s=120, north_m=0)
    shop.walk_in(at_s=180, north_m=400)
    shop.walk_in(at_s=240, north_m=0)
    found = [
        (one.campaign_id, one.reason)
        for one in sorted(shop.decisions, key=lambda one: one.event_ms)
    ]
    assert found == [("wide", "send"), ("near", "send"), ("near", "approach_told=near")]
    shop.walk_in(at_s=300, north_m=5000)
    shop.walk_in(at_s=360, north_m=0)
    assert sorted(
        (one.campaign_id, one.reason) for one in shop.decisions if one.event_ms == T0 + 360_000
    ) == [
        ("near", "send"),
        ("wide", "lost_to=near"),
    ]


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        ({"days": ["tue"]}, "day=mon/tue"),
        ({"between": ["08:00", "12:00"]}, "hour=16:14/08:00-12:00"),
        ({"until": "2026-09-20"}, "campaign_dates=2026-09-21/..2026-09-20"),
        ({"between": ["16:00", "17:00"], "days": ["mon"], "only_when_open": True}, "send"),
    ],
)
def test_the_schedule_is_read_on_the_stores_own_clock(
    shop: Shop, schedule: dict[str, Any], reason: str
) -> None:
    shop.campaign(schedule=schedule)
    shop.customer()
    shop.walk_in()
    assert shop.reasons == [reason]


def test_a_closed_store_sends_nobody_an_offer_where_that_was_asked_for(shop: Shop) -> None:
    shop.campaign(schedule={"only_when_open": True})
    shop.customer()
    shop.walk_in(at_s=4 * 3600)
    assert shop.reasons == ["store_closed=20:13"]


def test_quiet_hours_are_the_customers_on_the_stores_clock(shop: Shop) -> None:
    shop.campaign()
    shop.customer(quiet_hours=QuietHours("15:00", "17:00"))
    shop.walk_in()
    assert shop.reasons == ["quiet_hours=15:00-17:00"]


def test_a_paused_campaign_says_so_and_a_draft_is_never_asked(shop: Shop) -> None:
    shop.campaign()
    shop.edit(lambda unit: put_campaign(unit, "p", "draft", read_plan(PLAN, T0), T0))
    shop.edit(lambda unit: set_status(unit, "p", "lunch", "paused", T0))
    shop.customer()
    shop.walk_in()
    assert [(one.campaign_id, one.reason) for one in shop.decisions] == [
        ("lunch", "campaign_paused")
    ]


def test_a_dwell_that_a_campaign_asks_for_comes_by_the_timer_and_leads_to_the_offer(
    shop: Shop,
) -> None:
    shop.campaign(trigger={"event": "dwelled", "ring": "near", "dwell_s": 300})
    shop.customer()
    shop.walk_in()
    shop.walk_in("somebody", at_s=361, north_m=5000)
    shop.walk_in("somebody", at_s=362, north_m=5000)
    [decision] = shop.decisions
    assert (decision.reason, decision.event_ms) == ("send", T0 + 360_000)


def test_two_stores_entered_by_one_ping_still_keep_the_cap_and_the_gap(shop: Shop) -> None:
    shop.campaign(pressure={"per_customer": {"count": 1, "window_s": 604_800}, "min_gap_s": 3600})
    shop.customer()
    shop.edit(
        lambda unit: put_store(
            unit, "p", Store("s2", "Next door", *HOME, rings=(Ring("near", 120),)), T0
        )
    )
    shop.walk_in()
    assert sorted(shop.reasons) == ["min_gap=0s/3600s", "send"]
    assert len(shop.page("coupons")) == 1


def test_an_odd_attribute_silences_its_template_and_not_the_shoppers_events(shop: Shop) -> None:
    push = {"channel": "push", "title": "{{ customer.attributes.since | round }}", "body": "b"}
    shop.campaign(variants=[{"name": "a", "messages": [push]}])
    shop.customer()
    odd = Customer(
        "ann",
        consent={p: Consent(True, T0) for p in ("location", "push")},
        attributes={"since": "9e999999999"},
    )
    shop.edit(lambda unit: EditResult(unit.customers.put("p", odd)))
    shop.walk_in()
    assert [event.kind for event in shop.page("events")][:1] == ["geofence.entered"]
    assert shop.reasons in (["template_failed"], ["send"])
    assert shop.walk_in(at_s=120, north_m=5000).accepted == 1


def test_a_template_may_not_name_a_code_that_the_offer_does_not_have(shop: Shop) -> None:
    with pytest.raises(InputError) as caught:
        shop.campaign(offer={"title": "2 for 1"})
    assert (
        "/variants/0/messages/0/body",
        "There is no `coupon.code`: the offer has no coupon.",
    ) in caught.value.errors


@pytest.mark.parametrize(
    "source",
    [
        "{{ (1..30000000) | join: ',' | size }}",
        "{{ 'a' | replace: 'a', 'aaaaaaaaaa' }}",
        "{% for a in customer.attributes %}{% endfor %}" * 4,
        "{{ store.name | date: '%999999999d' }}",
    ],
)
def test_templates_that_could_hold_up_the_writer_are_refused(source: str) -> None:
    plan = PLAN | {
        "variants": [{"name": "a", "messages": [{"channel": "push", "title": "t", "body": source}]}]
    }
    with pytest.raises(InputError) as caught:
        read_plan(plan, T0)
    assert [pointer for pointer, _ in caught.value.errors] == ["/variants/0/messages/0/body"]


def test_held_out_customers_are_always_the_same_and_hear_nothing(shop: Shop) -> None:
    shop.campaign(holdout=0.5, pressure={})
    for number in range(40):
        shop.customer(f"c{number}")
        shop.walk_in(f"c{number}", at_s=60 + number)
    held = {one.customer_id for one in shop.decisions if one.outcome == "holdout"}
    assert 5 < len(held) < 35
    assert {message.customer_id for message in shop.page("messages")} == {
        f"c{number}" for number in range(40)
    } - held
    assert len(shop.page("coupons")) == 40 - len(held)


def test_campaigns_that_cannot_work_are_refused_with_the_field_named() -> None:
    wrong = PLAN | {
        "trigger": {"event": "entered", "dwell_s": 60},
        "schedule": {"from": "2026-02-30", "until": "2026-01-01", "between": ["09:00", "09:00"]},
        "variants": [
            {
                "name": "a",
                "messages": [
                    {"channel": "push", "title": "{{ customer.shoe_size }}", "body": "{% if %}"}
                ],
            }
        ],
    }
    with pytest.raises(InputError) as caught:
        read_plan(wrong, T0)
    pointers = {pointer for pointer, _ in caught.value.errors}
    assert pointers == {
        "/trigger/dwell_s",
        "/schedule/from",
        "/schedule/until",
        "/schedule/between",
        "/variants/0/messages/0/title",
        "/variants/0/messages/0/body",
    }


def test_events_of_long_ago_lead_to_no_offer(shop: Shop, tmp_path: Path) -> None:
    shop.campaign()
    shop.customer()
    old = PingIn(*HOME, T0, "phone-ann")
    new = PingIn(HOME[0] + 1, HOME[1], T0 + 3_600_000, "other")
    shop.street.submit_pings("p", [(0, old), (1, new)]).result(30)
    assert shop.reasons == ["stale=3600s/900s"]
