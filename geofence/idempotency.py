"""A request that creates something, sent again, gets the answer it got before."""

from __future__ import annotations

from collections.abc import Callable

from geofence.errors import Conflict
from geofence.ports.unit import Unit

KEPT_MS = 24 * 3_600_000


def once(
    unit: Unit,
    project_id: str,
    key: str | None,
    fingerprint: str,
    now_ms: int,
    make: Callable[[], tuple[int, bytes]],
) -> tuple[int, bytes]:
    """(status, body) of `make`, or those remembered under this Idempotency-Key for 24 h.

    No key, no memory.

    `fingerprint` stands for the request's content: the same key with another one raises `Conflict`.
    """
    if key is None:
        return make()
    remembered = unit.accounts.answer(project_id, key, now_ms - KEPT_MS)
    if remembered is not None:
        before, status, body = remembered
        if before != fingerprint:
            raise Conflict(
                "This Idempotency-Key was used with other content.", code="idempotency_key_reused"
            )
        return status, body
    status, body = make()
    unit.accounts.remember_answer(project_id, key, fingerprint, status, body, now_ms)
    return status, body
