"""Is it one of the customer's quiet hours, in the time zone of the store?"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed
from geofence.offers.gates.schedule import within

NAME = "quiet_hours"


def judge(case: Case) -> GateResult:
    """Stops with `quiet_hours`; no message waits until they end."""
    hours = case.customer.quiet_hours if case.customer is not None else None
    if hours is None or not case.campaign.plan.pressure.respect_quiet_hours:
        return passed()
    clock, window = case.local.strftime("%H:%M"), f"{hours.start}-{hours.until}"
    if within(clock, hours.start, hours.until):
        return GateResult("", False, f"quiet_hours={window}", clock, window)
    return passed(clock, window)
