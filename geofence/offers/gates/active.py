"""Is the campaign active today?

Drafts are never asked. Dates are inclusive, in the store's time zone.
"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "active"


def judge(case: Case) -> GateResult:
    """Stops with `campaign_paused` or `campaign_dates`."""
    if case.campaign.status != "active":
        return stopped(f"campaign_{case.campaign.status}")
    schedule, today = case.campaign.plan.schedule, case.local.date().isoformat()
    if (schedule.from_ or today) <= today <= (schedule.until or today):
        return passed(today)
    dates = f"{schedule.from_ or ''}..{schedule.until or ''}"
    return stopped("campaign_dates", today, dates)
