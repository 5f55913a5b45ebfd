"""Step 6: the message after an attempt: sent, to be retried, given up, or its address forgotten.

Pure functions of a message and an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from geofence.model.message import Attempt, OutboxMessage, Outcome

LEASE_MS = 60_000
LONGEST_WAIT_S = 3600.0  # of a provider's own Retry-After
PAUSE_RETRY_S = 60.0
RETRIED = ("retry", "unknown")
UNTRIED = ("waited", "closed")


def settle(
    message: OutboxMessage,
    outcome: Outcome,
    started_ms: int,
    now_ms: int,
    retry_s: Sequence[int],
    jitter: float,
) -> tuple[OutboxMessage, Attempt | None]:
    """The message after an attempt, and the attempt's row.

    A retry that would come after the expiry is not planned: the message ends as `expired`. A
    message with an `unknown` outcome is sent again under the same id, and the phone replaces what
    arrives twice.

    Args:
        message: As it was taken from the outbox.
        outcome: What the channel reported.
        started_ms: When the attempt began (epoch ms UTC).
        now_ms: When it ended (epoch ms UTC).
        retry_s: The channel's schedule: seconds after the 1st, 2nd ... attempt.
        jitter: In [0, 1); spreads retries by up to a fifth.

    Returns:
        The message, and None instead of an attempt where nothing was handed over.
    """
    if outcome.verdict == "retry" and outcome.reason in UNTRIED:
        # nothing was handed over: that is no attempt, and takes nothing from the schedule
        return replace(message, due_ms=now_ms, lease_until_ms=None), None
    attempt = Attempt(
        message.id,
        message.project_id,
        message.attempt,
        started_ms,
        now_ms,
        outcome.verdict,
        outcome.reason,
        outcome.detail,
        outcome.status,
        outcome.provider_id,
    )
    if outcome.verdict in RETRIED:
        return _again(message, outcome, now_ms, retry_s, jitter), attempt
    if outcome.verdict == "pause":
        # nothing is wrong with the message: it waits in the held queue until that is opened
        return replace(
            message,
            due_ms=now_ms + int(PAUSE_RETRY_S * 1000),
            lease_until_ms=None,
            reason=outcome.reason,
        ), attempt
    if outcome.verdict == "sent":
        return _ended(message, "sent", "", now_ms), attempt
    expired = outcome.reason == "expired"
    return _ended(message, "expired" if expired else "failed", outcome.reason, now_ms), attempt


def dropped(message: OutboxMessage, reason: str, now_ms: int) -> OutboxMessage:
    """The message that the look before sending stopped."""
    return _ended(message, "dropped", reason, now_ms)


def _again(
    message: OutboxMessage, outcome: Outcome, now_ms: int, retry_s: Sequence[int], jitter: float
) -> OutboxMessage:
    tries = message.attempt - message.untried
    if outcome.retry_after_s is not None:
        wait_s = min(outcome.retry_after_s, LONGEST_WAIT_S)
    elif tries > len(retry_s):
        return _ended(message, "failed", f"gave_up:{outcome.reason}", now_ms)
    else:
        wait_s = float(retry_s[tries - 1])
    due_ms = now_ms + int(wait_s * (1.0 + 0.2 * jitter) * 1000)
    if due_ms >= message.expires_ms:
        return _ended(message, "expired", outcome.reason, now_ms)
    return replace(message, due_ms=due_ms, lease_until_ms=None, reason=outcome.reason)


def _ended(message: OutboxMessage, status: str, reason: str, now_ms: int) -> OutboxMessage:
    return replace(
        message, status=status, reason=reason, due_ms=None, lease_until_ms=None, finished_ms=now_ms
    )
