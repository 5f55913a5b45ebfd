"""What an answer of FCM means for a message.

Decided by `error.details[].errorCode`, not by the HTTP status alone.

Source: the reference of FCM HTTP v1, `ErrorCode`, and google.rpc `BadRequest`.
"""

from __future__ import annotations

import re

import msgspec

from geofence.delivery.http.exchange import Answer
from geofence.model.message import Outcome

MAX_RETRY_AFTER_S = 3600.0

_RETRY = {"QUOTA_EXCEEDED": "quota", "UNAVAILABLE": "unavailable", "INTERNAL": "internal"}
_PAUSE = {"SENDER_ID_MISMATCH": "sender_mismatch", "THIRD_PARTY_AUTH_ERROR": "third_party_auth"}
_FIELD = re.compile(r"message(\.\w+|\[\d+\]){0,4}")
_TOKEN_WORDS = re.compile(r"registration[ _]token", re.IGNORECASE)


class _Violation(msgspec.Struct):
    field: str = ""


class _Detail(msgspec.Struct):
    errorCode: str | None = None  # noqa: N815 - spelled as FCM spells it
    fieldViolations: list[_Violation] = []  # noqa: N815 - spelled as google.rpc spells it


class _Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    details: list[_Detail] = []


class _Refusal(msgspec.Struct):
    error: _Error


class _Accepted(msgspec.Struct):
    name: str = ""


_refusal = msgspec.json.Decoder(_Refusal)
_accepted = msgspec.json.Decoder(_Accepted)


def judge(answer: Answer) -> Outcome:
    """The outcome that follows from an answer, or from its absence.

    `detail` holds codes and field paths only.
    """
    if answer.status == 0:
        return lost(answer)
    if answer.status == 200:
        return _success(answer)
    try:
        error = _refusal.decode(answer.body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _nonsense(answer)
    code = next((detail.errorCode for detail in error.details if detail.errorCode), "")
    return _refused(answer, error, code)


def lost(answer: Answer) -> Outcome:
    """No answer.

    Unknown once the request was handed over, else it never left and may simply be tried again.
    """
    if answer.handed_over:
        return Outcome("unknown", answer.failure or "lost", "handed over, the answer did not come")
    return Outcome("retry", answer.failure or "lost", "not handed over")


def capped(seconds: float | None) -> float | None:
    """A Retry-After we are ready to follow."""
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER_S)


def _success(answer: Answer) -> Outcome:
    try:
        name = _accepted.decode(answer.body).name if answer.whole else ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        name = ""
    if not name:
        return Outcome(
            "unknown", answer.failure or "no_name", "status 200 without a message name", status=200
        )
    return Outcome("sent", "accepted", provider_id=name, status=200)


def _refused(answer: Answer, error: _Error, code: str) -> Outcome:
    status, detail = answer.status, f"{status_words(answer)} {code or error.status}"[:200].strip()
    if code == "UNREGISTERED":
        return Outcome("drop_address", "unregistered", detail, status=status)
    if code in _PAUSE:
        return Outcome("pause", _PAUSE[code], detail, status=status)
    if code in _RETRY:
        return Outcome("retry", _RETRY[code], detail, capped(answer.retry_after_s), status=status)
    if status == 400 and "INVALID_ARGUMENT" in (code, error.status):
        return _invalid(error, detail)
    return _by_status(answer, detail)


def _invalid(error: _Error, detail: str) -> Outcome:
    """INVALID_ARGUMENT: the token is dead only when nothing but the token is to blame."""
    fields = [
        violation.field
        for part in error.details
        for violation in part.fieldViolations
        if violation.field
    ]
    blamed = (
        set(fields) == {"message.token"} if fields else bool(_TOKEN_WORDS.search(error.message))
    )
    if blamed:
        return Outcome("drop_address", "invalid_token", detail, status=400)
    known = [field for field in fields if _FIELD.fullmatch(field)]
    return Outcome("failed", "invalid_payload", " ".join([detail, *known])[:200], status=400)


def _by_status(answer: Answer, detail: str) -> Outcome:
    """Where no errorCode helps.

    The caller's rights and address pause the channel, everything else is tried again.
    """
    reasons = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
    if answer.status in reasons:
        return Outcome("pause", reasons[answer.status], detail, status=answer.status)
    if 300 <= answer.status < 400:
        return Outcome("pause", "redirected", detail, status=answer.status)
    if answer.status == 413:
        return Outcome("failed", "payload_too_large", detail, status=413)
    reason = "quota" if answer.status == 429 else "provider_error"
    return Outcome("retry", reason, detail, capped(answer.retry_after_s), status=answer.status)


def _nonsense(answer: Answer) -> Outcome:
    return _by_status(answer, f"{status_words(answer)} without a readable error")


def status_words(answer: Answer) -> str:
    """`HTTP 503`."""
    return f"HTTP {answer.status}"
