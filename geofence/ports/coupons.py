"""Coupons and their redemptions."""

from __future__ import annotations

from typing import Protocol

from geofence.model.decision import Coupon, Redemption


class Coupons(Protocol):
    """Coupons of a project within a unit."""

    def locked(self, project_id: str, code: str) -> Coupon | None:
        """The coupon with that code, its row locked until the unit ends."""

    def redeem(self, coupon: Coupon, redemption: Redemption | None) -> bool:
        """Write the coupon as it is now, and its redemption.

        Returns:
            False when a single-use code was redeemed before; then nothing is written.
        """
