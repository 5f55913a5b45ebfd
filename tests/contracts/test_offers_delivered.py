"""Messages and coupons of a decision: handed over once, tried again, redeemed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from geofence.errors import Conflict
from geofence.model.edit import EditResult
from geofence.model.message import OutboxMessage, Outcome
from geofence.offers.redeem import redeem
from geofence.ports.unit import Unit
from geofence.street.worker import Worker
from tests.rigs.closures import run_edit
from tests.rigs.offer_shop import T0, Notebook, Shop, delivered


@pytest.fixture
def shop(record_url: str) -> Iterator[Shop]:
    shop = Shop(record_url)
    yield shop
    shop.close()


def test_a_channel_that_breaks_is_tried_again_and_its_hands_live(shop: Shop) -> None:
    class Broken(Notebook):
        def send(
            self, messages: Sequence[OutboxMessage], now_ms: int
        ) -> Iterator[tuple[str, Outcome]]:
            if not self.handed:
                self.handed.append(messages[0])
                raise ValueError("broken")
            return super().send(messages, now_ms)

    shop.campaign()
    shop.customer()
    shop.walk_in()
    broken = Broken("push")
    broken.retry_s = (0, 0)
    [message] = delivered(shop, 1, broken)
    assert (message.status, [one.verdict for one in shop.page("attempts", message=message.id)]) == (
        "sent",
        ["unknown", "sent"],
    )


def test_what_expires_on_a_channel_nobody_serves_gives_its_cap_back(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in(at_s=60)
    shop.walk_in("other", at_s=2000, north_m=5000)
    [message] = delivered(shop, 1, Notebook("webhook"))
    assert (message.status, message.attempt) == ("expired", 0)


def test_a_delivered_message_is_written_with_its_attempt(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    push = Notebook("push")
    [message] = delivered(shop, 1, push)
    assert (message.status, message.attempt) == ("sent", 1)
    assert [one.id for one in push.handed] == [message.id]
    assert [(one.attempt, one.verdict) for one in shop.page("attempts", message=message.id)] == [
        (1, "sent")
    ]


def test_a_lost_answer_is_tried_again_with_the_same_id(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    push = Notebook("push", "unknown", "retry")
    [message] = delivered(shop, 1, push)
    assert (message.status, message.attempt) == ("sent", 3)
    assert {one.id for one in push.handed} == {message.id}
    assert [one.verdict for one in shop.page("attempts", message=message.id)] == [
        "unknown",
        "retry",
        "sent",
    ]


def test_whoever_left_or_withdrew_or_came_too_late_is_not_written_to(shop: Shop) -> None:
    shop.campaign()
    for name in ("left", "withdrew", "late"):
        shop.customer(name)
    shop.walk_in("late", at_s=60)
    shop.walk_in("left", at_s=1500)
    shop.walk_in("withdrew", at_s=1500)
    shop.walk_in("left", at_s=1560, north_m=5000)
    shop.customer("withdrew", consent=("location", "email"))
    push = Notebook("push")
    found = {one.customer_id: (one.status, one.reason) for one in delivered(shop, 3, push)}
    assert found == {
        "left": ("dropped", "left"),
        "withdrew": ("dropped", "consent_withdrawn"),
        "late": ("expired", "expired"),
    }
    assert push.handed == []


def test_a_message_that_was_never_tried_gives_its_cap_back(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in(at_s=60)
    shop.walk_in(at_s=90, north_m=5000)
    assert delivered(shop, 1, Notebook("push"))[0].reason == "left"
    shop.walk_in(at_s=600)
    assert shop.reasons == ["send", "send"]


def test_a_dead_token_is_forgotten_and_a_misconfigured_channel_keeps_everything(shop: Shop) -> None:
    shop.campaign(pressure={})
    shop.customer("dead")
    shop.walk_in("dead")
    [message] = delivered(shop, 1, Notebook("push", "drop_address"))
    assert (message.status, shop.page("devices", id="phone-dead")[0].push_token) == ("failed", None)
    shop.customer("kept")
    shop.walk_in("kept", at_s=70)
    worker = Worker(shop.street, {"push": (push := Notebook("push", "pause"))}, shop.clock)
    worker.start()
    assert push.seen.acquire(timeout=30)
    worker.stop()
    assert shop.edit(lambda unit: EditResult(unit.outbox.paused())) == {"push": "asked"}
    assert [one.status for one in shop.page("messages", customer="kept")] == ["queued"]
    assert shop.page("devices", id="phone-kept")[0].push_token == "token-kept"


def test_sixty_four_tills_at_once_redeem_a_code_once(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    [coupon] = shop.page("coupons")

    def till(number: int) -> str:
        def work(unit: Unit) -> EditResult:
            return EditResult(
                redeem(
                    unit,
                    "p",
                    coupon.code.lower(),
                    store_id="s1",
                    till=str(number),
                    now_ms=T0 + 100_000,
                )
            )

        try:
            run_edit(shop.street, "p", work).result(60)
        except Conflict as error:
            return error.code
        return "redeemed"

    with ThreadPoolExecutor(64) as pool:
        outcomes = list(pool.map(till, range(64)))
    assert sorted(outcomes) == ["coupon_redeemed"] * 63 + ["redeemed"]


def test_a_code_is_good_to_the_end_of_its_last_day_and_only_where_it_was_issued(shop: Shop) -> None:
    shop.campaign()
    shop.customer()
    shop.walk_in()
    [coupon] = shop.page("coupons")
    midnight_in_berlin_ms = 1_790_287_200_000  # Thursday 2026-09-24, 24:00 at the store
    assert coupon.expires_ms == midnight_in_berlin_ms
    for store_id, now_ms, code in (
        ("s2", T0, "coupon_other_store"),
        ("s1", midnight_in_berlin_ms, "coupon_expired"),
    ):
        with pytest.raises(Conflict) as caught:
            shop.edit(
                lambda unit, s=store_id, n=now_ms: EditResult(
                    redeem(unit, "p", coupon.code, store_id=s, now_ms=n)
                )
            )
        assert caught.value.code == code
