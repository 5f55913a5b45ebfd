"""A code at a till: looked up, redeemed once, or made void."""

from __future__ import annotations

from msgspec.structs import replace

from geofence import ids
from geofence.errors import Conflict, NotFound
from geofence.model.decision import Coupon, Redemption
from geofence.offers import coupon_codes
from geofence.ports.unit import Unit


def look_up(unit: Unit, project_id: str, typed: str) -> Coupon:
    """The coupon of a typed code; its row is locked until the unit ends.

    Raises:
        NotFound: There is no such code.
    """
    coupon = unit.coupons.locked(project_id, coupon_codes.read_code(typed))
    if coupon is None:
        raise NotFound("There is no such code.", code="coupon_unknown")
    return coupon


def redeem(
    unit: Unit,
    project_id: str,
    typed: str,
    *,
    store_id: str,
    till: str = "",
    amount: int | None = None,
    currency: str | None = None,
    now_ms: int,
) -> tuple[Coupon, Redemption]:
    """Use a code at a store. `amount` is in the currency's smallest unit.

    Raises:
        NotFound: There is no such code.
        Conflict: It cannot be used: `coupon_redeemed`, `coupon_expired`, `coupon_void` or
            `coupon_other_store`.
    """
    coupon = look_up(unit, project_id, typed)
    if coupon.status == "void":
        raise Conflict("This code was made void.", code="coupon_void")
    if coupon.status == "redeemed" and coupon.single_use:
        raise Conflict("This code was redeemed already.", code="coupon_redeemed")
    if now_ms >= coupon.expires_ms:
        raise Conflict("This code is past its last day.", code="coupon_expired")
    if coupon.stores is not None and store_id not in coupon.stores:
        raise Conflict("This code is for another store.", code="coupon_other_store")
    spent = replace(coupon, status="redeemed", uses=coupon.uses + 1)
    use = Redemption(
        ids.new("red"), project_id, coupon.code, store_id, now_ms, till, amount, currency
    )
    if not unit.coupons.redeem(spent, use):
        raise Conflict("This code was redeemed already.", code="coupon_redeemed")
    return spent, use


def void(unit: Unit, project_id: str, typed: str) -> Coupon:
    """Make a code void.

    Raises:
        NotFound: There is no such code.
        Conflict: It was redeemed.
    """
    coupon = look_up(unit, project_id, typed)
    if coupon.status == "redeemed":
        raise Conflict("This code was redeemed already.", code="coupon_redeemed")
    empty = replace(coupon, status="void")
    unit.coupons.redeem(empty, None)
    return empty
