"""Webhooks to a subscriber on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from geofence.delivery.channels.webhook.channel import LIMITS, RETRY_S, Webhook
from tests.rigs.channel_rigs import NOW_MS, SECRET, message, send_one
from tests.rigs.receiver import Receiver, free_port, running_receiver

ANSWERS = [
    (200, "sent", "accepted"),
    (204, "sent", "accepted"),
    (410, "drop_address", "gone"),
    (301, "retry", "redirected"),
    (400, "retry", "refused"),
    (404, "retry", "refused"),
    (429, "retry", "throttled"),
    (500, "retry", "receiver_error"),
    (503, "retry", "receiver_error"),
]
OTHER_SECRET = "whsec_OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2"
PRIVATE = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0.0.0.0",  # noqa: S104 - dialled, not bound
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "10.1.2.3",
    "192.168.0.1",
    "172.16.0.1",
    "100.64.0.1",
    "224.0.0.1",
    "[fe80::1]",
    "[fc00::1]",
]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as made:
        yield made


@pytest.fixture
def channel() -> Iterator[Webhook]:
    made = Webhook(allow_private=True, limits=LIMITS._replace(connect_s=1, total_s=1))
    yield made
    made.close()


@pytest.mark.parametrize(("status", "verdict", "reason"), ANSWERS)
def test_an_answer_of_the_subscriber_leads_to_this_verdict(
    channel: Webhook, receiver: Receiver, status: int, verdict: str, reason: str
) -> None:
    outcome = send_one(channel, message(1, "webhook", receiver.url(f"/status/{status}")))
    assert (outcome.verdict, outcome.reason, outcome.status) == (verdict, reason, status)


def test_the_signature_covers_id_time_and_body(channel: Webhook, receiver: Receiver) -> None:
    sent = message(1, "webhook", receiver.url())
    assert send_one(channel, sent).verdict == "sent"
    [got] = receiver.got
    assert Verifier(SECRET).verify(got.body, got.headers) == json.loads(got.body)
    assert got.headers["webhook-id"] == sent.id
    assert json.loads(got.body)["type"] == "geofence.entered"
    assert json.loads(got.body)["data"] == {"id": "evt_1"}
    for changed in ({"webhook-id": "msg_other"}, {"webhook-timestamp": str(NOW_MS // 1000 - 1)}):
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRET).verify(got.body, got.headers | changed)


def test_the_body_is_the_same_on_every_attempt_and_the_time_is_the_attempts_own(
    channel: Webhook, receiver: Receiver
) -> None:
    for now_ms in (NOW_MS, NOW_MS + 5_000):
        assert send_one(channel, message(1, "webhook", receiver.url()), now_ms).verdict == "sent"
    first, second = receiver.got
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 5


def test_while_a_secret_is_replaced_both_sign(channel: Webhook, receiver: Receiver) -> None:
    assert (
        send_one(
            channel, message(1, "webhook", receiver.url(), secret=[SECRET, OTHER_SECRET])
        ).verdict
        == "sent"
    )
    [got] = receiver.got
    for secret in (SECRET, OTHER_SECRET):
        assert Verifier(secret).verify(got.body, got.headers)["type"] == "geofence.entered"


def test_a_secret_may_come_from_the_settings_by_url(receiver: Receiver) -> None:
    channel = Webhook(allow_private=True, secrets={receiver.url(): SECRET})
    assert send_one(channel, message(1, "webhook", receiver.url(), secret=None)).verdict == "sent"
    channel.close()
    assert Verifier(SECRET).verify(receiver.got[0].body, receiver.got[0].headers)["data"] == {
        "id": "evt_1"
    }


@pytest.mark.parametrize(
    ("secret", "reason"), [(None, "no_secret"), ("", "no_secret"), ("whsec_!", "invalid_payload")]
)
def test_nothing_is_sent_unsigned(
    channel: Webhook, receiver: Receiver, secret: str | None, reason: str
) -> None:
    outcome = send_one(channel, message(1, "webhook", receiver.url(), secret=secret))
    assert (outcome.verdict, outcome.reason) == ("failed", reason)
    assert receiver.got == []


def test_a_redirect_is_not_followed_even_to_an_allowed_address(
    channel: Webhook, receiver: Receiver
) -> None:
    receiver.headers["Location"] = receiver.url("/elsewhere")
    outcome = send_one(channel, message(1, "webhook", receiver.url("/status/307")))
    assert (outcome.verdict, outcome.reason) == ("retry", "redirected")
    assert [got.path for got in receiver.got] == ["/status/307"]


@pytest.mark.parametrize("host", PRIVATE)
def test_a_private_address_is_never_dialled_in_any_spelling(receiver: Receiver, host: str) -> None:
    channel = Webhook(limits=LIMITS._replace(connect_s=1, total_s=1))
    outcome = send_one(channel, message(1, "webhook", receiver.url(host=host)))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("failed", "refused_address")
    assert receiver.got == []


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "", "nonsense", "https://"]
)
def test_what_is_no_web_address_fails_without_a_request(channel: Webhook, url: str) -> None:
    assert send_one(channel, message(1, "webhook", url)).verdict in ("failed", "retry")


def test_retry_after_is_followed_up_to_six_hours(channel: Webhook, receiver: Receiver) -> None:
    waits = []
    for wait in ("120", "9999999"):
        receiver.headers["Retry-After"] = wait
        waits.append(
            send_one(channel, message(1, "webhook", receiver.url("/status/429"))).retry_after_s
        )
    assert waits == [120, 6 * 3600]


def test_a_subscriber_that_is_not_there_is_tried_again_by_schedule(channel: Webhook) -> None:
    outcome = send_one(channel, message(1, "webhook", f"http://127.0.0.1:{free_port()}/"))
    assert (outcome.verdict, outcome.reason, outcome.retry_after_s) == (
        "retry",
        "unreachable",
        None,
    )


@pytest.mark.parametrize(("path", "reason"), [("/hang", "timeout"), ("/drop", "lost")])
def test_an_answer_that_is_lost_is_tried_again_but_not_by_itself(
    channel: Webhook, receiver: Receiver, path: str, reason: str
) -> None:
    assert send_one(channel, message(1, "webhook", receiver.url())).verdict == "sent"
    outcome = send_one(channel, message(2, "webhook", receiver.url(path)))
    assert (outcome.verdict, outcome.reason) == ("retry", reason)
    assert [got.path for got in receiver.got] == ["/ok", path]


def test_a_long_answer_is_not_read_to_its_end(channel: Webhook, receiver: Receiver) -> None:
    assert send_one(channel, message(1, "webhook", receiver.url("/long"))).verdict == "sent"


def test_a_dead_subscriber_with_many_messages_does_not_hold_up_another(receiver: Receiver) -> None:
    channel = Webhook(
        allow_private=True, limits=LIMITS._replace(total_s=1, wait_s=1, in_flight=16, per_host=4)
    )
    with running_receiver() as dead:
        batch = [message(number, "webhook", dead.url("/hang")) for number in range(12)]
        batch += [message(number, "webhook", receiver.url()) for number in range(12, 24)]
        outcomes = list(channel.send(batch, NOW_MS))
        channel.close()
    assert [outcome.verdict for _, outcome in outcomes] == ["sent"] * 12 + ["retry"] * 12
    assert {outcome.reason for _, outcome in outcomes[12:]} <= {"timeout", "waited"}


def test_the_schedule_is_the_published_one() -> None:
    assert RETRY_S == (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600)
