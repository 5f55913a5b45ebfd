"""Did they agree: to location, and to a channel of every variant that they can be reached by?"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed, stopped

NAME = "consent"


def judge(case: Case) -> GateResult:
    """Stops with `consent_missing=location|push|email` or `address_missing=push|email`."""
    if case.customer is None or not case.customer.agreed("location"):
        return stopped("consent_missing", "location", "")
    for variant in case.campaign.plan.variants:
        if not case.sendable(variant):
            lacks = case.lacking(variant)
            kind = "consent" if any(lack.startswith("consent:") for lack in lacks) else "address"
            channels = dict.fromkeys(
                lack.partition(":")[2] for lack in lacks if lack.startswith(kind)
            )
            return stopped(f"{kind}_missing", ",".join(channels), "")
    return passed("location and a channel")
