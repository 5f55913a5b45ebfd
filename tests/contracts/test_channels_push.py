"""Push against a local server that speaks FCM HTTP v1 and its OAuth."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.sandbox import Sandbox
from geofence.delivery.channels.fcm.channel import Fcm
from geofence.delivery.http.exchange import Limits
from geofence.errors import InputError
from tests.rigs.channel_rigs import NOW_MS, SOON, message, send_one
from tests.rigs.receiver import free_port

ERRORS = [
    ("unregistered", "drop_address", "unregistered"),
    ("invalid-token", "drop_address", "invalid_token"),
    ("invalid-payload", "failed", "invalid_payload"),
    ("quota", "retry", "quota"),
    ("unavailable", "retry", "unavailable"),
    ("internal", "retry", "internal"),
    ("sender-mismatch", "pause", "sender_mismatch"),
    ("auth-error", "pause", "third_party_auth"),
    ("unauthorized", "pause", "unauthorized"),
    ("not-found", "pause", "not_found"),
    ("redirect", "pause", "redirected"),
    ("html", "unknown", "no_name"),
    ("empty", "unknown", "no_name"),
    ("nameless", "unknown", "no_name"),
    ("truncated", "unknown", "lost"),
    ("drop", "unknown", "lost"),
    ("endless", "unknown", "too_long"),
    ("hang", "unknown", "timeout"),
    ("slow=50", "sent", "accepted"),
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as made:
        yield made


@pytest.fixture
def channel(sandbox: Sandbox) -> Iterator[Fcm]:
    made = Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=SOON)
    yield made
    made.close()


@pytest.mark.parametrize(("behaviour", "verdict", "reason"), ERRORS)
def test_an_answer_of_the_provider_leads_to_this_verdict(
    channel: Fcm, behaviour: str, verdict: str, reason: str
) -> None:
    token = f"{behaviour}:dXyz-secret-token"
    outcome = send_one(channel, message(1, "push", token))
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert "secret-token" not in repr(outcome)


def test_the_wait_the_provider_asks_for_is_read_as_seconds_and_as_a_date_and_capped(
    channel: Fcm,
) -> None:
    tokens = ["quota=7:a", "quota-date=90:a", "quota=999999:a", "quota:a"]
    batch = [message(number, "push", token) for number, token in enumerate(tokens)]
    waits = {
        message_id: outcome.retry_after_s for message_id, outcome in channel.send(batch, NOW_MS)
    }
    seconds, date, capped, none = (waits[sent.id] for sent in batch)
    assert seconds == 7
    assert 80 <= (date or 0) <= 90
    assert (capped, none) == (3600, None)


def test_a_request_whose_answer_is_lost_is_not_sent_a_second_time_on_a_kept_connection(
    sandbox: Sandbox,
) -> None:
    channel = Fcm(
        sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=SOON._replace(per_host=1)
    )
    assert send_one(channel, message(1, "push", "token")).verdict == "sent"
    assert send_one(channel, message(2, "push", "drop:token")).verdict == "unknown"
    channel.close()
    assert [item.to for item in sandbox.attempts()] == ["token", "drop:token"]


def test_the_provider_sees_ids_time_to_live_and_strings(sandbox: Sandbox, channel: Fcm) -> None:
    data = {"store": 17, "open": True, "tags": ["a"], "none": None}
    sent = message(1, "push", "token", NOW_MS + 90_500, data=data)
    outcome = send_one(channel, sent)
    [seen] = sandbox.wait_for(1, 5)
    assert str(outcome.provider_id).startswith("projects/")
    assert (seen.message_id, seen.title, seen.body) == (sent.id, "2 for 1", "Coffee")
    assert seen.content["data"] == {
        "store": "17",
        "open": "true",
        "tags": '["a"]',
        "message_id": sent.id,
        "link": "app://offers/1",
    }
    assert seen.content["android"]["ttl"] == "90s"
    assert (
        seen.content["android"]["collapse_key"]
        == seen.content["android"]["notification"]["tag"]
        == sent.id
    )
    assert seen.content["apns"]["headers"]["apns-collapse-id"] == sent.id
    assert seen.content["apns"]["headers"]["apns-expiration"] == str((NOW_MS + 90_500) // 1000)


def test_a_payload_over_the_limit_fails_without_being_sent(sandbox: Sandbox, channel: Fcm) -> None:
    outcome = send_one(channel, message(1, "push", "token", body="x" * 4097))
    assert (outcome.verdict, outcome.reason) == ("failed", "payload_too_large")
    assert sandbox.attempts() == []


def test_a_message_without_a_token_fails_alone(channel: Fcm) -> None:
    outcomes = [
        outcome.verdict
        for _, outcome in channel.send(
            [message(1, "push", ""), message(2, "push", "token")], NOW_MS
        )
    ]
    assert outcomes == ["failed", "sent"]


def test_content_that_is_no_json_fails_alone(channel: Fcm) -> None:
    bad = message(1, "push", "token", data={"x": object()})
    assert (
        dict(channel.send([bad, message(2, "push", "token")], NOW_MS))[bad.id].reason
        == "invalid_payload"
    )


def test_a_provider_that_is_not_there_is_tried_again(sandbox: Sandbox) -> None:
    channel = Fcm(sandbox.credentials_path, endpoint=f"http://127.0.0.1:{free_port()}", limits=SOON)
    outcome = send_one(channel, message(1, "push", "token"))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("retry", "unreachable")


def test_a_provider_whose_name_does_not_resolve_is_tried_again(sandbox: Sandbox) -> None:
    channel = Fcm(sandbox.credentials_path, endpoint="http://fcm.invalid", limits=SOON)
    outcome = send_one(channel, message(1, "push", "token"))
    channel.close()
    assert outcome.verdict == "retry"


def test_messages_that_wait_too_long_for_a_place_are_given_back(sandbox: Sandbox) -> None:
    limits = Limits(connect_s=1, total_s=1, wait_s=0.2, in_flight=1, per_host=1)
    channel = Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=limits)
    batch = [message(number, "push", "hang:token") for number in range(4)]
    reasons = sorted(
        (outcome.verdict, outcome.reason) for _, outcome in channel.send(batch, NOW_MS)
    )
    channel.close()
    assert reasons == [("retry", "waited")] * 3 + [("unknown", "timeout")]


def test_the_access_token_is_fetched_once_for_all_threads(sandbox: Sandbox, channel: Fcm) -> None:
    threads = [
        threading.Thread(
            target=lambda n=n: list(channel.send([message(n, "push", "token")], NOW_MS))
        )
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.inbox()) == 16
    assert sandbox.account.granted == 1


def test_a_token_that_has_run_out_is_renewed_before_it_is_used(tmp_path: Path) -> None:
    with Sandbox.start(
        directory=tmp_path, token_lifetime_s=1
    ) as sandbox:  # always "about to end": renewed for every batch
        channel = Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=SOON)
        verdicts = [
            send_one(channel, message(number, "push", "token")).verdict for number in range(3)
        ]
        channel.close()
        assert verdicts == ["sent"] * 3
        assert sandbox.account.granted == 3


def test_a_token_that_was_good_and_is_refused_is_replaced(sandbox: Sandbox, channel: Fcm) -> None:
    assert send_one(channel, message(1, "push", "token")).verdict == "sent"
    sandbox.account.forget_tokens()
    refused = send_one(channel, message(2, "push", "token"))
    assert (refused.verdict, refused.reason, refused.retry_after_s) == (
        "retry",
        "token_expired",
        0.0,
    )
    assert send_one(channel, message(2, "push", "token")).verdict == "sent"


def test_a_service_account_the_token_server_refuses_pauses_the_channel(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    with Sandbox.start(directory=tmp_path / "other") as other:
        info = json.loads(Path(other.credentials_path).read_text())
    strange = tmp_path / "strange.json"
    strange.write_text(json.dumps(info | {"token_uri": f"{sandbox.fcm_endpoint}/token"}))
    channel = Fcm(strange, endpoint=sandbox.fcm_endpoint, limits=SOON)
    outcome = send_one(channel, message(1, "push", "token"))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("pause", "credentials_refused")
    assert sandbox.attempts() == []


@pytest.mark.parametrize("behaviour", ["hang=3", "unavailable"])
def test_a_token_server_that_is_ill_means_try_again(
    sandbox: Sandbox, channel: Fcm, behaviour: str
) -> None:
    sandbox.script("oauth", behaviour)
    outcome = send_one(channel, message(1, "push", "token"))
    assert outcome.verdict == "retry"
    assert outcome.reason in ("token_unreachable", "token_unavailable")


def test_a_mistyped_project_pauses_and_drops_no_token(sandbox: Sandbox, tmp_path: Path) -> None:
    mistyped = tmp_path / "mistyped.json"
    mistyped.write_text(
        json.dumps(
            json.loads(Path(sandbox.credentials_path).read_text())
            | {"project_id": "geofence-sandbx"}
        )
    )
    channel = Fcm(mistyped, endpoint=sandbox.fcm_endpoint, limits=SOON)
    outcome = send_one(channel, message(1, "push", "token"))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("pause", "not_found")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"type": "service_account", "private_key": "SECRET"}']
)
def test_a_file_that_is_no_service_account_is_refused_without_repeating_it(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "account.json"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        Fcm(path)
    assert refused.value.code == "fcm_credentials"
    assert "SECRET" not in str(refused.value)


def test_credentials_that_are_not_there_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read") as refused:
        Fcm(tmp_path / "nothing.json")
    assert refused.value.code == "fcm_credentials"
