"""Coupons and redemptions.

One coupon per decision; one redemption per single-use code, by an index of those codes alone.
"""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import (
    count,
    document,
    index_where,
    key,
    metadata,
    text,
    time_ms,
)

coupons = sa.Table(
    "coupons",
    metadata,
    key("project_id"),
    key("code"),
    text("campaign_id"),
    text("customer_id"),
    sa.Column("decision_id", sa.String, nullable=False, unique=True),
    time_ms("issued_ms"),
    time_ms("expires_ms"),
    sa.Column("single_use", sa.Boolean, nullable=False),
    document("stores", nullable=True),
    text("status"),
    count("uses"),
    text("title"),
    sa.Index("ix_coupons_customer", "project_id", "customer_id"),
    sa.Index("ix_coupons_time", "project_id", "issued_ms", "code"),
)

redemptions = sa.Table(
    "redemptions",
    metadata,
    key("id"),
    text("project_id"),
    text("code"),
    sa.Column("single_use", sa.Boolean, nullable=False),
    text("store_id"),
    time_ms("at_ms"),
    text("till"),
    sa.Column("amount", sa.BigInteger),
    text("currency", nullable=True),
    sa.Index("ix_redemptions_code", "project_id", "code"),
    index_where("uq_redemptions_single_use", "single_use", "project_id", "code", unique=True),
)
