"""Is it a quiet hour of the customer's, on the clock of the store they stand at?"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed
from geofence.offers.gates.schedule import within

NAME = "quiet"


def judge(case: Case) -> GateResult:
    """Stops with `quiet_hours`; nothing waits for them to end."""
    hours = case.customer.quiet_hours if case.customer is not None else None
    if hours is None or not case.campaign.plan.pressure.respect_quiet_hours:
        return passed()
    clock, told = case.local.strftime("%H:%M"), f"{hours.start}-{hours.until}"
    return (
        GateResult(f"quiet_hours={told}", clock, told)
        if within(clock, hours.start, hours.until)
        else passed(clock, told)
    )
