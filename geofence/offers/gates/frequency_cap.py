"""Did this customer hear this campaign often enough? Rolling windows, by decision time."""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "frequency_cap"


def judge(case: Case) -> GateResult:
    """Stops with `cap_customer_<window>=count/limit`."""
    cap = case.campaign.plan.pressure.per_customer
    if cap is None:
        return passed()
    after_ms = case.now_ms - cap.window_s * 1000
    count = sum(one.campaign_id == case.campaign.id and one.at_ms > after_ms for one in case.sent)
    if count < cap.count:
        return passed(count, cap.count)
    return stopped(f"cap_customer_{window_text(cap.window_s)}", count, cap.count)


def window_text(window_s: int) -> str:
    """A window in its largest whole unit: 604800 is 7d."""
    for size, letter in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if window_s % size == 0:
            return f"{window_s // size}{letter}"
    return f"{window_s}s"
