"""Coupons: codes looked up, redeemed once, made void at a till.

More than 30 unknown codes a minute by one API key are answered with 429, and so are its other
questions about codes until the minute is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.dependencies import OpenServices, body_of, edit, read_one, reply
from api.http.auth import Caller, allow
from api.http.describe import describe
from api.http.fields import Name
from api.routes.keys import OnceKey, own_name
from api.schemas.coupons import CouponOut, RedemptionIn, RedemptionOut, RedemptionResult
from api.services import Services
from geofence import ids
from geofence.errors import NotFound
from geofence.offers import coupon_codes
from geofence.offers.edits import RedeemCoupon, Redeemed, VoidCoupon
from geofence.ports.listing import CouponFilter

T = TypeVar("T")

router = APIRouter(prefix="/v1/coupons", tags=["coupons"])
Code = Annotated[Name, Path(description="As typed: case, spaces and dashes do not matter.")]
Till = Annotated[Caller, Depends(allow("redeem"))]
Asker = Annotated[Caller, Depends(allow("redeem", "read"))]
Voider = Annotated[Caller, Depends(allow("redeem", "manage"))]


@router.get("/{code}", **describe(CouponOut, 200, refuses=[404, 422, 429]))
async def get_coupon(code: Code, services: OpenServices, caller: Asker) -> Response:
    """A code as it is now."""
    found = await _known(
        services,
        caller,
        lambda: read_one(
            services.database.queries.coupons,
            caller.project_id,
            CouponFilter(id=coupon_codes.read_code(code)),
        ),
    )
    return reply(CouponOut.of(found))


@router.post(
    "/{code}/redeem", **describe(RedemptionResult, 200, refuses=[404, 409, 429], body=RedemptionIn)
)
async def redeem_coupon(
    code: Code,
    services: OpenServices,
    caller: Till,
    body: Annotated[RedemptionIn, Depends(body_of(RedemptionIn))],
    idempotency_key: OnceKey = None,
) -> Response:
    """Use a code at a store.

    Where several tills use a single-use code at the same time, one of them succeeds.
    """
    fingerprint = ids.of_facts(
        "req", "POST redeem", coupon_codes.read_code(code), body.model_dump_json()
    )

    redemption = RedeemCoupon(
        code=code,
        store_id=body.store,
        till=body.till,
        amount=body.amount,
        currency=body.currency,
        once_key=own_name(caller, idempotency_key),
        fingerprint=fingerprint,
    )
    status, kept = await _known(
        services, caller, lambda: edit(services, caller.project_id, redemption)
    )
    return Response(_redeemed(kept), status, media_type="application/json")


@router.post("/{code}/void", **describe(CouponOut, 200, refuses=[404, 409, 422, 429]))
async def void_coupon(code: Code, services: OpenServices, caller: Voider) -> Response:
    """Take a code back; one that was redeemed stays redeemed."""

    voided = await _known(
        services, caller, lambda: edit(services, caller.project_id, VoidCoupon(code=code))
    )
    return reply(CouponOut.of(voided))


def _redeemed(kept: bytes) -> bytes:
    """The answer to a redemption, from what is remembered of it."""
    try:
        done = msgspec.json.decode(kept, type=Redeemed)
    except msgspec.ValidationError:
        return kept  # an earlier version remembered the answer itself, for 24 hours
    return msgspec.json.encode(
        RedemptionResult(CouponOut.of(done.spent), RedemptionOut.of(done.use))
    )


async def _known(services: Services, caller: Caller, ask: Callable[[], Awaitable[T]]) -> T:
    """The answer about a code; unknown ones are counted against the key."""
    services.guesses.check(caller.key.id)
    try:
        return await ask()
    except NotFound:
        services.guesses.missed(caller.key.id)
        raise NotFound("There is no such code.", code="coupon_unknown") from None
