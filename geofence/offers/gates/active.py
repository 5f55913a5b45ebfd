"""Is the campaign on? A draft is never asked.

A paused one says so; dates are the store's own and inclusive.
"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed, stopped

NAME = "running"


def judge(case: Case) -> GateResult:
    """Stops with `campaign_paused` or `campaign_dates`."""
    if case.campaign.status != "active":
        return stopped(f"campaign_{case.campaign.status}", "", "")
    schedule, today = case.campaign.plan.schedule, case.local.date().isoformat()
    if (schedule.from_ or today) <= today <= (schedule.until or today):
        return passed(today)
    return stopped("campaign_dates", today, f"{schedule.from_ or ''}..{schedule.until or ''}")
