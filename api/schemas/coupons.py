"""Coupons and their redemption at a till."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from api.http.fields import Body, Name, Text
from api.schemas.shown import Moment, shown
from geofence.model.decision import Coupon, CouponStatus, Redemption


class RedemptionIn(Body):
    """A code used at a till.

    `amount` in the currency's smallest unit (cents), `currency` as in ISO 4217.
    """

    store: Name
    till: Annotated[Text, Field(max_length=128)] = ""
    amount: Annotated[int, Field(ge=0, le=10**15)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class CouponOut(msgspec.Struct, frozen=True):
    """A code.

    `stores` null means that any store takes it. `customer_id` null means that the customer was
    erased. The code is valid before `expires_at`.
    """

    code: str
    title: str
    status: CouponStatus
    uses: int
    single_use: bool
    stores: tuple[str, ...] | None
    campaign_id: str
    customer_id: str | None
    decision_id: str
    issued_at: Moment
    expires_at: Moment

    @classmethod
    def of(cls, coupon: Coupon) -> CouponOut:
        """The coupon as clients see it."""
        return shown(cls, coupon)


class CouponPage(msgspec.Struct, frozen=True):
    """A page of codes, by time of issue."""

    data: tuple[CouponOut, ...]
    next_cursor: str | None


class RedemptionOut(msgspec.Struct, frozen=True):
    """A use of a code at a till; `amount` in the currency's smallest unit."""

    id: str
    store: str
    till: str
    amount: int | None
    currency: str | None
    at: Moment

    @classmethod
    def of(cls, use: Redemption) -> RedemptionOut:
        """The use as clients see it."""
        return shown(cls, use)


class RedemptionResult(msgspec.Struct, frozen=True):
    """A code after its redemption, and the redemption itself."""

    coupon: CouponOut
    redemption: RedemptionOut
