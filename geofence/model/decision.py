"""Event x campaign x customer.

Send, hold out, or silent with its reason; and the code that may come with it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["send", "holdout", "silent"]
CouponStatus = Literal["issued", "redeemed", "void"]


# Names of gates in traces that were stored before they had their present names.
RENAMED_GATES = {
    "approach": "escalation",
    "cap": "frequency_cap",
    "gap": "min_gap",
    "hours": "schedule",
    "known": "identified",
    "quiet": "quiet_hours",
    "running": "active",
}


class GateResult(msgspec.Struct, frozen=True):
    """What one gate found: a pass, or a stop with a stable reason.

    Args:
        gate: The gate's name. A name stored by an earlier version is read as its present name.
        passed: Whether the case may go on.
        reason: The stable token of a stop, with its values (`min_gap=5s/60s`); empty for a pass.
        measured: What the gate measured, as text for people; also on a pass.
        threshold: What it was compared with, as text for people; also on a pass.
    """

    gate: str
    passed: bool
    reason: str = ""
    measured: str = ""
    threshold: str = ""

    def __post_init__(self) -> None:
        if self.gate in RENAMED_GATES:
            msgspec.structs.force_setattr(self, "gate", RENAMED_GATES[self.gate])


def passed(measured: object = "", threshold: object = "") -> GateResult:
    """A pass, with what was measured. `decide` adds the gate's name."""
    return GateResult("", True, "", str(measured), str(threshold))


def stopped(token: str, measured: object = "", threshold: object = "") -> GateResult:
    """A stop. Its reason is `token`, or `token=measured/threshold` where there are values."""
    values = "/".join(str(value) for value in (measured, threshold) if value != "")
    reason = f"{token}={values}" if values else token
    return GateResult("", False, reason, str(measured), str(threshold))


class Decision(msgspec.Struct, frozen=True):
    """Made once per event, campaign and customer.

    `reason` is the stable token of the gate that stopped it, `send` otherwise.

    `customer_id` is empty where the customer is unknown. `at_ms` is when it was made, `event_ms`
    when its event happened (epoch ms UTC). `trace` is what the gates said, in order, up to the
    first that stopped it.
    """

    id: str
    project_id: str
    event_id: str
    campaign_id: str
    campaign_version: int
    customer_id: str
    device_id: str
    store_id: str | None
    ring: str | None
    geofence_id: str
    visit_id: str
    outcome: Outcome
    reason: str
    at_ms: int
    event_ms: int = 0
    trace: tuple[GateResult, ...] = ()
    variant: str | None = None


class Coupon(msgspec.Struct, frozen=True):
    """A code that was issued with a `send` decision.

    `stores` None means any store; `expires_ms` epoch ms UTC, exclusive.
    """

    code: str
    project_id: str
    campaign_id: str
    customer_id: str
    decision_id: str
    issued_ms: int
    expires_ms: int
    single_use: bool = True
    stores: tuple[str, ...] | None = None
    status: CouponStatus = "issued"
    uses: int = 0
    title: str = ""


class Redemption(msgspec.Struct, frozen=True):
    """A use of a code at a till. `amount` in the currency's smallest unit (cents)."""

    id: str
    project_id: str
    code: str
    store_id: str
    at_ms: int
    till: str = ""
    amount: int | None = None
    currency: str | None = None
