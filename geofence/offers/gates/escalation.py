"""Did the customer hear something on this approach already?

Escalation goes only inward: a nearer ring may send after a wider one.
"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "escalation"


def judge(case: Case) -> GateResult:
    """Stops with `approach_told=<campaign>`."""
    here_m = case.rings.get(case.event.ring or "", 0.0)
    for one in case.approach:
        if here_m >= case.rings.get(one.ring or "", 0.0):
            return stopped("approach_told", one.campaign_id)
    return passed(len(case.approach))
