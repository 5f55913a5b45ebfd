"""Is this customer in the campaign's control group? Split at the moment the offer would have fired, so lift is fair."""

from __future__ import annotations

import hashlib

from geofence.model.case import Case
from geofence.model.verdict import GateResult, passed

NAME = "holdout"


def judge(case: Case) -> GateResult:
    """Stops with `holdout`; always the same customers for the same campaign."""
    share = case.campaign.plan.holdout
    drawn = draw(case)
    return (
        GateResult("holdout", f"{drawn:.4f}", f"{share:g}")
        if drawn < share
        else passed(f"{drawn:.4f}", f"{share:g}")
    )


def draw(case: Case) -> float:
    """A number in [0, 1) made from the customer and the campaign's salt."""
    customer_id = "" if case.customer is None else case.customer.customer_id
    digest = hashlib.sha256(f"{case.campaign.salt}\x1f{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
