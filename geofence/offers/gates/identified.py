"""Do we know whose phone it is?"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed, stopped

NAME = "known"


def judge(case: Case) -> GateResult:
    """Stops with `customer_unknown`."""
    return (
        passed(case.customer.customer_id)
        if case.customer is not None
        else stopped("customer_unknown", "", "")
    )
