"""What an SMTP reply means for a message (RFC 5321 codes, RFC 3463 enhanced codes)."""

from __future__ import annotations

import re

from geofence.model.message import Outcome

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_AUTH = {530, 534, 535, 538}
_OUR_MISTAKE = {
    500,
    502,
    503,
    504,
    555,
}  # commands out of order or unknown: says nothing about the address


def judge_greeting(code: int, text: bytes) -> Outcome:
    """A refusal before any message: the relay does not want us, now or at all."""
    return _soft(code, text) or Outcome(
        "pause",
        "auth_failed" if code in _AUTH else "relay_refused",
        _detail(code, text),
        status=code,
    )


def judge_sender(code: int, text: bytes) -> Outcome:
    """A refusal of MAIL FROM.

    The sender is the same for every message, so the channel is misconfigured.
    """
    return _soft(code, text) or Outcome(
        "pause",
        "auth_failed" if code in _AUTH else "sender_refused",
        _detail(code, text),
        status=code,
    )


def judge_recipient(code: int, text: bytes) -> Outcome:
    """A refusal of RCPT TO.

    4yz again later, 5yz never write there again, unless it is about policy (5.7.x) or about us.
    """
    soft = _soft(code, text)
    if soft:
        return soft
    if code in _AUTH:
        return Outcome("pause", "auth_failed", _detail(code, text), status=code)
    if _subject(text) == 7:
        return Outcome("failed", "policy", _detail(code, text), status=code)
    if code in _OUR_MISTAKE:
        return Outcome("failed", "protocol", _detail(code, text), status=code)
    return Outcome("suppress", "recipient_refused", _detail(code, text), status=code)


def judge_content(code: int, text: bytes) -> Outcome:
    """A refusal after DATA.

    Only an enhanced code about the address (5.1.x, 5.2.x) speaks against the recipient here.
    """
    if _subject(text) in (1, 2) and code >= 500:
        return judge_recipient(code, text)
    reason = "policy" if _subject(text) == 7 else "content_refused"
    return _soft(code, text) or Outcome("failed", reason, _detail(code, text), status=code)


def _soft(code: int, text: bytes) -> Outcome | None:
    """4yz, and codes that are none, are tried again."""
    if 500 <= code < 600:
        return None
    return Outcome(
        "retry",
        "later" if 400 <= code < 500 else "nonsense",
        _detail(code, text),
        status=max(code, 0),
    )


def _subject(text: bytes) -> int | None:
    """The middle number of the enhanced code a reply starts with.

    1 address, 2 mailbox, 7 policy.
    """
    found = _ENHANCED.search(text[:200].decode("latin-1"))
    return int(found[2]) if found else None


def _detail(code: int, text: bytes) -> str:
    """Codes only: the words of a reply often repeat the address."""
    found = _ENHANCED.search(text[:200].decode("latin-1"))
    return f"SMTP {code} {found[0]}" if found else f"SMTP {code}"
