"""Is this customer in the campaign's control group?

The split happens at the moment the offer would be sent, so that the measured lift is unbiased.
"""

from __future__ import annotations

import hashlib

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed

NAME = "holdout"


def judge(case: Case) -> GateResult:
    """Stops with `holdout`; always the same customers for the same campaign."""
    share, drawn = case.campaign.plan.holdout, draw(case)
    if drawn < share:
        return GateResult("", False, "holdout", f"{drawn:.4f}", f"{share:g}")
    return passed(f"{drawn:.4f}", f"{share:g}")


def draw(case: Case) -> float:
    """A number in [0, 1) derived from the customer and the campaign's salt (SHA-256)."""
    customer_id = "" if case.customer is None else case.customer.customer_id
    digest = hashlib.sha256(f"{case.campaign.salt}\x1f{customer_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
