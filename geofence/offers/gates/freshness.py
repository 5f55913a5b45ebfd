"""Did it happen just now? An offer for being near is worth nothing to somebody whose phone reports an hour late."""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed, stopped

NAME = "freshness"
STALE_S = 900


def judge(case: Case) -> GateResult:
    """Stops with `stale`, seconds old against seconds allowed."""
    age_s = max(0, case.now_ms - case.event.ts_ms) // 1000
    return (
        passed(f"{age_s}s", f"{STALE_S}s")
        if age_s <= STALE_S
        else stopped("stale", f"{age_s}s", f"{STALE_S}s")
    )
