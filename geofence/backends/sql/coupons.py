"""Coupons and their redemptions within a unit."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from geofence.backends.sql.rows import COUNTED, columns, from_row, to_row
from geofence.backends.sql.schema.coupons import coupons, redemptions
from geofence.model.decision import Coupon, Redemption


class SqlCoupons:
    """Implements `ports.coupons.Coupons`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def locked(self, project_id: str, code: str) -> Coupon | None:
        """The coupon with that code, its row locked until the unit ends."""
        query = sa.select(*columns(coupons, Coupon)).where(
            coupons.c.project_id == project_id, coupons.c.code == code
        )
        row = self._connection.execute(query.with_for_update()).mappings().first()
        return from_row(Coupon, row) if row else None

    def redeem(self, coupon: Coupon, redemption: Redemption | None) -> bool:
        """Write the coupon as it is now, and its redemption.

        The caller holds the coupon's row, and says whether the code may be used. The index of
        single-use redemptions has the last word: where it refuses, nothing is written, the unit
        goes on, and the answer is False.
        """
        if redemption is not None and not self._write_use(coupon, redemption):
            return False
        kept = sa.update(coupons).where(
            coupons.c.project_id == coupon.project_id, coupons.c.code == coupon.code
        )
        self._connection.execute(kept.values(to_row(coupons, coupon)))
        return True

    def _write_use(self, coupon: Coupon, redemption: Redemption) -> bool:
        row = to_row(redemptions, redemption, single_use=coupon.single_use)
        insert = (
            postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        )(redemptions)
        once = insert.values(row).on_conflict_do_nothing(
            index_elements=["project_id", "code"], index_where=sa.text("single_use")
        )
        return bool(self._connection.execute(once, execution_options=COUNTED).rowcount)
