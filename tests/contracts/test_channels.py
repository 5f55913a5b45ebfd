"""What every channel promises, run on each against a real receiver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from geofence.delivery.channels import CHANNELS
from tests.rigs.channel_rigs import NOW_MS, RIGS, Rig, message, own_threads, send_one


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as made:
        yield made
        made.channel.close()


def test_every_channel_that_sends_anything_is_tested_here() -> None:
    assert {name for name, kind in CHANNELS.items() if not kind.by_answer} == set(RIGS)


def test_a_message_to_a_receiver_that_is_well_is_sent(rig: Rig) -> None:
    assert send_one(rig.channel, message(1, rig.channel.name, rig.good)).verdict == "sent"


def test_every_message_of_a_batch_gets_exactly_one_outcome(rig: Rig) -> None:
    batch = [message(number, rig.channel.name, rig.good) for number in range(100)]
    outcomes = list(rig.channel.send(batch, NOW_MS))
    assert Counter(message_id for message_id, _ in outcomes) == Counter(sent.id for sent in batch)
    assert {outcome.verdict for _, outcome in outcomes} == {"sent"}


def test_an_empty_batch_gives_no_outcome_at_all(rig: Rig) -> None:
    assert list(rig.channel.send([], NOW_MS)) == []


def test_a_message_past_its_expiry_is_never_handed_over(rig: Rig) -> None:
    late, due = (
        message(1, rig.channel.name, rig.good, NOW_MS),
        message(2, rig.channel.name, rig.good, NOW_MS + 60_000),
    )
    outcomes = dict(rig.channel.send([late, due], NOW_MS))
    assert (outcomes[late.id].verdict, outcomes[late.id].reason) == ("failed", "expired")
    assert outcomes[due.id].verdict == "sent"


def test_a_receiver_that_hangs_delays_nobody_else(rig: Rig) -> None:
    stuck = message(0, rig.channel.name, rig.hanging)
    batch = [stuck, *(message(number, rig.channel.name, rig.good) for number in range(1, 21))]
    outcomes = list(rig.channel.send(batch, NOW_MS))
    assert len(outcomes) == 21
    assert outcomes[-1][0] == stuck.id
    assert {outcome.verdict for _, outcome in outcomes[:-1]} == {"sent"}
    expected = (
        "retry" if rig.channel.name == "webhook" else "unknown"
    )  # subscribers tell a repeated event by its id
    assert (outcomes[-1][1].verdict, outcomes[-1][1].reason) == (expected, "timeout")


def test_closing_ends_every_thread_and_answers_what_is_on_its_way(rig: Rig) -> None:
    batch = [message(number, rig.channel.name, rig.hanging) for number in range(8)]
    outcomes = rig.channel.send(batch, NOW_MS)
    rig.channel.close()
    assert own_threads() == []
    ended = dict(outcomes)
    assert set(ended) == {sent.id for sent in batch}
    assert {outcome.verdict for outcome in ended.values()} <= {"retry", "unknown"}


def test_a_closed_channel_still_gives_each_message_an_outcome(rig: Rig) -> None:
    rig.channel.close()
    outcome = send_one(rig.channel, message(1, rig.channel.name, rig.good))
    assert outcome.verdict == "retry"


def test_the_schedule_of_retries_only_grows(rig: Rig) -> None:
    assert list(rig.channel.retry_s) == sorted(rig.channel.retry_s)
