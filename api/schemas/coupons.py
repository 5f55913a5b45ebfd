"""Coupons and their redemption at a till."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, Field, field_validator
from pydantic_core.core_schema import ValidationInfo

from api.http.fields import Body, Name, Text, example
from api.schemas.shown import Moment, shown
from geofence.model.decision import Coupon, CouponStatus, Redemption


def _whole(amount: Any) -> Any:
    """Refuses `3.80` in the words of a till: it may mean 3 or 380."""
    if isinstance(amount, float | str):
        raise ValueError(
            "must be a whole number in the currency's smallest unit, without a point: "
            "380 for 3.80 EUR, 380 for 380 JPY"
        )
    return amount


class RedemptionIn(Body):
    """A code used at a till.

    `amount` is in the currency's smallest unit: 380 for 3.80 EUR, 380 for 380 JPY. It needs a
    `currency`, as in ISO 4217.
    """

    model_config = example(store="s-1", till="till-3", amount=380, currency="EUR")

    store: Annotated[Name, Field(description="External id of the store.")]
    till: Annotated[Text, Field(max_length=128, description="The till's own name.")] = ""
    amount: Annotated[
        int | None,
        Field(
            ge=0,
            le=10**15,
            description="Sum in the currency's smallest unit: 380 is 3.80 euros.",
        ),
        BeforeValidator(_whole),
    ] = None
    currency: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z]{3}$",
            validate_default=True,
            description="Currency as in ISO 4217; needed with an amount.",
        ),
    ] = None

    @field_validator("currency")
    @classmethod
    def _of_the_amount(cls, currency: str | None, others: ValidationInfo) -> str | None:
        if currency is None and others.data.get("amount") is not None:
            raise ValueError("is needed with an amount, as EUR")
        return currency


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
