"""Was there something from us a moment ago? A held-out decision of another campaign was silence, and does not count."""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed, stopped

NAME = "gap"


def judge(case: Case) -> GateResult:
    """Stops with `min_gap`, seconds since the last one against seconds asked for."""
    gap_s = case.campaign.plan.pressure.min_gap_s
    heard = [
        one.at_ms
        for one in case.sent
        if one.outcome == "send" or one.campaign_id == case.campaign.id
    ]
    if not gap_s or not heard:
        return passed("", f"{gap_s}s")
    since_s = max(0, case.now_ms - max(heard)) // 1000
    return (
        passed(f"{since_s}s", f"{gap_s}s")
        if since_s >= gap_s
        else stopped("min_gap", f"{since_s}s", f"{gap_s}s")
    )
