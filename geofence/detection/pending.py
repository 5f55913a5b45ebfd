"""Evidence that a phone came or left, accumulated until it is conclusive: functions on `Pending`.

A piece of evidence is a fix with the probability it gives; `geofence/detection/evidence.py` says
what several prove together. Evidence of leaving is kept one by one, because a late ping inside
retracts the pieces before it and no others. A fix that only makes leaving likely proves nothing,
but it marks since when no fix has shown the phone inside.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from geofence.detection.evidence import LEAVING, SURE, effective_sum, log_odds, novelty
from geofence.model.presence import Evidence, Pending

EXIT_GAP_MS = 20_000
# kept one by one: 8 are the usual end; of more, a late ping inside takes back those that are not
MOST_SIGNS = 32


def accumulate(first: Pending | None, kind: Literal["enter", "exit"], sign: Evidence) -> Pending:
    """What waits, with one more fix."""
    if kind == "exit":
        return _leaving(first, sign)
    return _one(kind, sign) if first is None else _more(first, sign)


def retract(first: Pending, inside_ms: int) -> Pending | None:
    """Evidence of leaving without the pieces up to a time at which the phone was inside.

    None where no other is left.
    """
    if inside_ms < first.signs[0].ts_ms if first.signs else inside_ms < first.ts_ms:
        return first
    left: Pending | None = None
    for sign in first.signs:
        if sign.ts_ms > inside_ms:
            left = _leaving(left, sign)
    return left


def is_marker(first: Pending) -> bool:
    """Whether it only marks since when leaving is likely, and proves nothing."""
    return bool(first.signs) and first.best <= 0.0


def is_conclusive(first: Pending, now_ms: int, presence_timeout_ms: int | None) -> bool:
    """Whether the evidence of leaving is proof of it.

    There is enough of it, or nothing else came for twice as long as silence takes.
    """
    if now_ms - first.ts_ms < EXIT_GAP_MS:
        return False
    since_ms = first.signs[0].ts_ms if first.signs else first.ts_ms
    settled = presence_timeout_ms is not None and now_ms - since_ms >= 2 * presence_timeout_ms
    return settled or effective_sum(first.proof, first.fixes) >= LEAVING


def _leaving(first: Pending | None, sign: Evidence) -> Pending:
    kept = () if first is None else first.signs
    signs = (*kept, sign) if len(kept) < MOST_SIGNS else kept
    if sign.probability < SURE:
        weak = Pending(
            "exit", sign.ts_ms, sign.edge_m, sign.probability, sign.accuracy_m, last_ms=sign.ts_ms
        )
        return replace(weak if first is None else first, signs=signs)
    grown = _one("exit", sign) if first is None or is_marker(first) else _more(first, sign)
    return replace(grown, signs=signs)


def _one(kind: Literal["enter", "exit"], sign: Evidence) -> Pending:
    proves = log_odds(sign.probability, sign.edge_m)
    return Pending(
        kind,
        sign.ts_ms,
        sign.edge_m,
        sign.probability,
        sign.accuracy_m,
        proves,
        proves,
        1.0,
        sign.ts_ms,
    )


def _more(first: Pending, sign: Evidence) -> Pending:
    proves = log_odds(sign.probability, sign.edge_m)
    new = novelty(sign.ts_ms - first.last_ms)
    known = min(
        proves, first.best
    )  # of what was proved before only the new counts again; what goes beyond it counts in full
    return replace(
        first,
        proof=first.proof + new * known + proves - known,
        best=max(proves, first.best),
        fixes=first.fixes + new,
        last_ms=sign.ts_ms,
    )
