"""Is the event recent? An offer for being near is worthless when the phone reports an hour late."""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "freshness"
STALE_S = 900


def judge(case: Case) -> GateResult:
    """Stops with `stale`, the event's age in seconds against the allowed age."""
    age_s = max(0, case.now_ms - case.event.ts_ms) // 1000
    if age_s <= STALE_S:
        return passed(f"{age_s}s", f"{STALE_S}s")
    return stopped("stale", f"{age_s}s", f"{STALE_S}s")
