"""Customers, campaigns and coupons within a unit."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from geofence.backends.sql import erasure, locks
from geofence.backends.sql.offers import SqlOffers
from geofence.backends.sql.presences import SqlPresences
from geofence.backends.sql.rows import COUNTED, columns, from_row, to_row, upsert
from geofence.backends.sql.schema_offers import (
    campaign_versions,
    campaigns,
    coupons,
    customers,
    redemptions,
)
from geofence.errors import Conflict
from geofence.model.campaign import Campaign, Plan
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Redemption


class SqlCommerce:
    """Implements `ports.Commerce`."""

    def __init__(
        self, connection: sa.Connection, presences: SqlPresences, offers: SqlOffers
    ) -> None:
        self._connection, self._presences, self._offers = connection, presences, offers

    def customer(self, project_id: str, customer_id: str) -> Customer | None:
        """The customer of that id."""
        query = sa.select(*columns(customers, Customer)).where(
            customers.c.project_id == project_id, customers.c.customer_id == customer_id
        )
        row = self._connection.execute(query).mappings().first()
        return from_row(Customer, row) if row else None

    def put_customer(self, project_id: str, customer: Customer) -> None:
        """Insert or replace; `created_ms` stays."""
        upsert(self._connection, customers, [to_row(customers, customer, project_id=project_id)])

    def delete_customer(self, project_id: str, customer_id: str) -> None:
        """Erase the person from every table and from hot state, as `erasure` says.

        Codes stay, spent and without a person.
        """
        if not customer_id:
            return  # decisions about nobody are nobody's
        carried = erasure.lock_devices(self._connection, self._presences, project_id, customer_id)
        self._offers.lock(project_id, [customer_id])
        erasure.erase(self._connection, project_id, customer_id)
        for key in carried:
            self._presences.adopt(key, None)

    def campaign(self, project_id: str, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""
        query = sa.select(*columns(campaigns, Campaign)).where(
            campaigns.c.project_id == project_id, campaigns.c.id == campaign_id
        )
        row = self._connection.execute(query).mappings().first()
        return from_row(Campaign, row) if row else None

    def put_campaign(self, project_id: str, campaign: Campaign) -> None:
        """Insert or replace, keep its plan as a version, and bump the project's `index_version`.

        A plan may ask for dwell.

        `created_ms` stays. Raises `Conflict` when this version exists with another plan: somebody
        else changed it meanwhile.
        """
        self._bump(project_id)  # first: writers of one project's campaigns wait here for each other
        upsert(self._connection, campaigns, [to_row(campaigns, campaign, project_id=project_id)])
        version = to_row(campaign_versions, campaign, project_id=project_id)
        upsert(self._connection, campaign_versions, [version], keep=("plan",))
        v = campaign_versions.c
        kept = sa.select(v.plan).where(
            v.project_id == project_id, v.id == campaign.id, v.version == campaign.version
        )
        if msgspec.convert(self._connection.execute(kept).scalar_one(), Plan) != campaign.plan:
            raise Conflict("This campaign was changed meanwhile; read it and change it again.")

    def delete_campaign(self, project_id: str, campaign_id: str) -> None:
        """Remove it with its versions, and bump `index_version`.

        Its decisions, messages and coupons stay.
        """
        self._bump(project_id)
        for table in (campaigns, campaign_versions):
            self._connection.execute(
                sa.delete(table).where(table.c.project_id == project_id, table.c.id == campaign_id)
            )

    def coupon(self, project_id: str, code: str) -> Coupon | None:
        """The coupon with that code, its row locked until the unit ends."""
        query = sa.select(*columns(coupons, Coupon)).where(
            coupons.c.project_id == project_id, coupons.c.code == code
        )
        row = self._connection.execute(query.with_for_update()).mappings().first()
        return from_row(Coupon, row) if row else None

    def redeem(self, coupon: Coupon, redemption: Redemption | None) -> bool:
        """Write the coupon as it is now, and its redemption.

        False when the database says a single-use code was used already.

        The index of single-use redemptions decides; then nothing is written, and the unit goes on.
        Whether the code may be used is for the caller to say, who holds the row of `coupon`.
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

    def _bump(self, project_id: str) -> None:
        locks.bump(self._connection, project_id)
