"""Is the customer who carries this phone known?"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "identified"


def judge(case: Case) -> GateResult:
    """Stops with `customer_unknown`."""
    if case.customer is None:
        return stopped("customer_unknown")
    return passed(case.customer.customer_id)
