"""Event x campaign x customer.

Send, hold out, or silent with its reason; and the code that may come with it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["send", "holdout", "silent"]
CouponStatus = Literal["issued", "stashed", "reserved", "redeemed", "void"]


class Judgement(msgspec.Struct, frozen=True):
    """What one gate said.

    Its name, whether it let pass, the measured value and the threshold as words for people.
    """

    gate: str
    passed: bool
    reason: str = ""
    measured: str = ""
    threshold: str = ""


class Decision(msgspec.Struct, frozen=True):
    """Made once per event, campaign and customer.

    `reason` is the stable token of the gate that stopped it, `send` otherwise.

    `customer_id` is empty where nobody is known. `at_ms` is when it was made, `event_ms` when its
    event happened (epoch ms UTC). `trace` is what the gates said, in order, up to the first that
    stopped it.
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
    trace: tuple[Judgement, ...] = ()
    variant: str | None = None


class Coupon(msgspec.Struct, frozen=True):
    """A code issued with a `send` decision.

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
