"""Did the customer hear from the retailer a moment ago?

A holdout decision of another campaign sent nothing, and does not count.
"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "min_gap"


def judge(case: Case) -> GateResult:
    """Stops with `min_gap`, seconds since the last decision against the seconds asked for."""
    gap_s = case.campaign.plan.pressure.min_gap_s
    heard = [
        one.at_ms
        for one in case.sent
        if one.outcome == "send" or one.campaign_id == case.campaign.id
    ]
    if not gap_s or not heard:
        return passed("", f"{gap_s}s")
    since_s = max(0, case.now_ms - max(heard)) // 1000
    if since_s >= gap_s:
        return passed(f"{since_s}s", f"{gap_s}s")
    return stopped("min_gap", f"{since_s}s", f"{gap_s}s")
