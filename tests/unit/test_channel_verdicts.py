"""What answers mean, without a network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from geofence.delivery.channels.email import verdict as smtp_verdict
from geofence.delivery.channels.fcm.verdict import judge
from geofence.delivery.channels.webhook import channel as webhook
from geofence.delivery.http.exchange import Answer

FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD = "type.googleapis.com/google.rpc.BadRequest"


def refusal(status: int, rpc: str, *details: dict[str, Any], message: str = "") -> Answer:
    body = json.dumps(
        {"error": {"code": status, "status": rpc, "message": message, "details": details}}
    ).encode()
    return Answer(0, status, body, whole=True, handed_over=True)


def violation(*fields: str) -> dict[str, Any]:
    return {
        "@type": BAD,
        "fieldViolations": [
            {"field": field, "description": "Invalid: ExponentPushToken"} for field in fields
        ],
    }


INVALID = {"@type": FCM, "errorCode": "INVALID_ARGUMENT"}
ARGUMENTS = [
    (
        refusal(
            400,
            "INVALID_ARGUMENT",
            INVALID,
            message="The registration token is not a valid FCM registration token",
        ),
        "drop_address",
    ),
    (refusal(400, "INVALID_ARGUMENT", INVALID, violation("message.token")), "drop_address"),
    (refusal(400, "INVALID_ARGUMENT", violation("message.token")), "drop_address"),
    (
        refusal(
            400, "INVALID_ARGUMENT", INVALID, violation("message.token", "message.android.ttl")
        ),
        "failed",
    ),
    (refusal(400, "INVALID_ARGUMENT", violation("message.data[0].value")), "failed"),
    (refusal(400, "INVALID_ARGUMENT", INVALID, message="Android message is too big"), "failed"),
    (refusal(400, "INVALID_ARGUMENT"), "failed"),
]
NONSENSE = [
    b"",
    b"<html>",
    b"[]",
    b"{}",
    b'{"error": 5}',
    b'{"error": {"details": 7}}',
    b'{"error": {"details": [null]}}',
    b"\xff\xfe{",
]


@pytest.mark.parametrize(("answer", "verdict"), ARGUMENTS)
def test_only_a_token_that_alone_is_to_blame_is_dropped(answer: Answer, verdict: str) -> None:
    assert judge(answer).verdict == verdict


def test_an_unregistered_token_is_reported_from_a_mistyped_project() -> None:
    assert (
        judge(refusal(404, "NOT_FOUND", {"@type": FCM, "errorCode": "UNREGISTERED"})).verdict
        == "drop_address"
    )
    assert judge(refusal(404, "NOT_FOUND")).verdict == "pause"


@pytest.mark.parametrize("body", NONSENSE)
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "unknown"),
        (400, "retry"),
        (401, "pause"),
        (403, "pause"),
        (404, "pause"),
        (429, "retry"),
        (502, "retry"),
    ],
)
def test_nonsense_never_loses_a_message_nor_a_token(body: bytes, status: int, verdict: str) -> None:
    assert judge(Answer(0, status, body, whole=True, handed_over=True)).verdict == verdict


def test_the_text_of_a_provider_never_gets_into_the_detail() -> None:
    outcome = judge(
        refusal(
            400,
            "INVALID_ARGUMENT",
            violation("message.data[0].value", "token abc:SECRET"),
            message="abc:SECRET",
        )
    )
    assert outcome.detail == "HTTP 400 INVALID_ARGUMENT message.data[0].value"


def test_what_never_left_is_a_retry_and_what_did_is_unknown() -> None:
    assert judge(Answer(0, failure="timeout")).verdict == "retry"
    assert judge(Answer(0, failure="timeout", handed_over=True)).verdict == "unknown"


def test_a_subscriber_whose_status_came_and_body_did_not_has_answered() -> None:
    assert (
        webhook.judge(Answer(0, 200, whole=False, handed_over=True, failure="timeout")).verdict
        == "sent"
    )


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (421, b"4.3.2 closing", "retry"),
        (451, b"4.7.1 greylisted", "retry"),
        (550, b"5.1.1 no such user ann@example.com", "suppress"),
        (550, b"no such user", "suppress"),
        (552, b"5.2.2 mailbox full", "suppress"),
        (550, b"5.7.1 blocked", "failed"),
        (554, b"5.7.26 unauthenticated", "failed"),
        (503, b"5.5.1 bad sequence", "failed"),
        (530, b"5.7.0 authentication required", "pause"),
        (-1, b"", "retry"),
    ],
)
def test_a_refused_recipient_is_judged_by_its_codes_and_not_repeated(
    code: int, text: bytes, verdict: str
) -> None:
    outcome = smtp_verdict.judge_recipient(code, text)
    assert outcome.verdict == verdict
    assert "example" not in outcome.detail


def test_a_refused_sender_or_greeting_pauses_unless_it_is_for_now() -> None:
    assert smtp_verdict.judge_sender(553, b"5.7.1 not owned").verdict == "pause"
    assert smtp_verdict.judge_sender(451, b"4.3.0 later").verdict == "retry"
    assert smtp_verdict.judge_greeting(554, b"no service").verdict == "pause"
    assert smtp_verdict.judge_greeting(421, b"too many").verdict == "retry"


def test_refused_content_suppresses_only_for_an_address_code() -> None:
    assert smtp_verdict.judge_content(554, b"5.6.0 content").verdict == "failed"
    assert smtp_verdict.judge_content(554, b"transaction failed").verdict == "failed"
    assert smtp_verdict.judge_content(550, b"5.1.1 unknown").verdict == "suppress"
    assert smtp_verdict.judge_content(452, b"4.2.2 full").verdict == "retry"
