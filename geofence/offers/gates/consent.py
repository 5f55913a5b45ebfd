"""Did the customer agree to location, and can every variant reach them by one of its channels?"""

from __future__ import annotations

from geofence.delivery.reach import lacking, sendable
from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "consent"


def judge(case: Case) -> GateResult:
    """Stops with `consent_missing=<purposes>` or `address_missing=<channels>`."""
    if case.customer is None or not case.customer.agreed("location"):
        return stopped("consent_missing", "location")
    for variant in case.campaign.plan.variants:
        if not sendable(case, variant):
            lacks = lacking(case, variant)
            kind = "consent" if any(lack.startswith("consent:") for lack in lacks) else "address"
            channels = dict.fromkeys(
                lack.partition(":")[2] for lack in lacks if lack.startswith(kind)
            )
            return stopped(f"{kind}_missing", ",".join(channels))
    return passed("location and a channel")
