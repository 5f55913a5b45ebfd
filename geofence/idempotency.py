"""A request that creates something, sent again, gets the answer it got before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from geofence.errors import Conflict, NotFound
from geofence.ports.unit import Unit

T = TypeVar("T")
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


def is_unchanged(stored: T | None, expected: T | None) -> bool:
    """Whether an edit made from the `expected` thing may be stored; always where none is expected.

    Raises:
        NotFound: One is expected, and none is stored any more.
    """
    if expected is None:
        return True
    if stored is None:
        raise NotFound
    return stored == expected
