"""The tables of what follows an event: customers, campaigns, decisions, messages and coupons.

They join `schema.metadata`.

Four unique keys are promises: one decision per event, campaign and customer; one coupon per
decision; one row per attempt; and one redemption per single-use code, by an index that holds the
single-use ones alone.
"""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema import Json, devices, metadata

__all__ = [
    "attempts",
    "campaign_versions",
    "campaigns",
    "channels",
    "coupons",
    "customers",
    "decisions",
    "messages",
    "metadata",  # complete, for whoever imports it from here
    "redemptions",
    "suppressions",
]


def _ms(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=nullable)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _index_where(name: str, condition: str, *columns: str, unique: bool = False) -> sa.Index:
    """An index of some rows only."""
    return sa.Index(
        name,
        *columns,
        unique=unique,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )


customers = sa.Table(
    "customers",
    metadata,
    _key("project_id"),
    _key("customer_id"),
    _text("email", nullable=True),
    sa.Column("attributes", Json, nullable=False),
    sa.Column("tags", Json, nullable=False),
    sa.Column("consent", Json, nullable=False),
    sa.Column("quiet_hours", Json),
    _text("locale", nullable=True),
    _ms("created_ms", nullable=False),
    _ms("updated_ms", nullable=False),
)

campaigns = sa.Table(
    "campaigns",
    metadata,
    _key("project_id"),
    _key("id"),
    sa.Column("plan", Json, nullable=False),
    _text("status"),
    sa.Column("version", sa.Integer, nullable=False),
    _text("salt"),
    _ms("created_ms", nullable=False),
    _ms("updated_ms", nullable=False),
)

campaign_versions = sa.Table(
    "campaign_versions",
    metadata,
    _key("project_id"),
    _key("id"),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("plan", Json, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    _key("id"),
    _text("project_id"),
    _text("event_id"),
    _text("campaign_id"),
    sa.Column("campaign_version", sa.Integer, nullable=False),
    _text(
        "customer_id"
    ),  # empty where nobody is known, so that the unique key below holds for them, too
    _text("device_id"),
    _text("store_id", nullable=True),
    _text("ring", nullable=True),
    _text("geofence_id"),
    _text("visit_id"),
    _text("outcome"),
    _text("reason"),
    _ms("at_ms", nullable=False),
    _ms("event_ms", nullable=False),
    sa.Column("trace", Json, nullable=False),
    _text("variant", nullable=True),
    sa.UniqueConstraint("event_id", "campaign_id", "customer_id", name="uq_decisions_fact"),
    sa.Index("ix_decisions_customer", "project_id", "customer_id", "at_ms"),
    sa.Index("ix_decisions_time", "project_id", "at_ms", "id"),
    sa.Index("ix_decisions_visit", "project_id", "visit_id"),
)

messages = sa.Table(
    "messages",
    metadata,
    _key("id"),
    _text("project_id"),
    _text("decision_id"),
    _text("campaign_id"),
    _text("customer_id"),
    _text("device_id"),
    _text("geofence_uid"),
    _text("channel"),
    _text("address"),
    sa.Column("content", Json, nullable=False),
    _ms("created_ms", nullable=False),
    _ms("expires_ms", nullable=False),
    _ms("due_ms"),
    _text("status"),
    _text("reason"),
    _number("attempt"),
    _number(
        "untried"
    ),  # takes given back without a try: attempt = untried says that nothing was ever handed over
    _ms("lease_until_ms"),
    _ms("finished_ms"),
    _index_where("ix_messages_due", "due_ms IS NOT NULL", "channel", "due_ms"),
    sa.Index("ix_messages_time", "project_id", "created_ms", "id"),
    sa.Index("ix_messages_decision", "decision_id"),
    sa.Index("ix_messages_customer", "project_id", "customer_id"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _key("message_id"),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    _text("project_id"),
    _ms("started_ms", nullable=False),
    _ms("finished_ms", nullable=False),
    _text("verdict"),
    _text("reason"),
    _text("detail"),
    sa.Column("status", sa.Integer),
    _text("provider_id", nullable=True),
)

coupons = sa.Table(
    "coupons",
    metadata,
    _key("project_id"),
    _key("code"),
    _text("campaign_id"),
    _text("customer_id"),
    sa.Column("decision_id", sa.String, nullable=False, unique=True),
    _ms("issued_ms", nullable=False),
    _ms("expires_ms", nullable=False),
    sa.Column("single_use", sa.Boolean, nullable=False),
    sa.Column("stores", Json),
    _text("status"),
    _number("uses"),
    _text("title"),
    sa.Index("ix_coupons_customer", "project_id", "customer_id"),
    sa.Index("ix_coupons_time", "project_id", "issued_ms", "code"),
)

redemptions = sa.Table(
    "redemptions",
    metadata,
    _key("id"),
    _text("project_id"),
    _text("code"),
    sa.Column("single_use", sa.Boolean, nullable=False),
    _text("store_id"),
    _ms("at_ms", nullable=False),
    _text("till"),
    sa.Column("amount", sa.BigInteger),
    _text("currency", nullable=True),
    sa.Index("ix_redemptions_code", "project_id", "code"),
    _index_where("uq_redemptions_single_use", "single_use", "project_id", "code", unique=True),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    _key("project_id"),
    _key("channel"),
    _key("address_digest"),  # the address itself is never kept: a digest is enough to know it again
    _text("reason"),
    _ms("created_ms", nullable=False),
)

channels = sa.Table(
    "channels",
    metadata,
    _key("channel"),
    _text("paused_reason"),
    _ms("paused_ms", nullable=False),
)

sa.Index(  # by token: the second look before each push, and dead tokens
    "ix_devices_push_token",
    devices.c.project_id,
    devices.c.push_token,
    sqlite_where=sa.text("push_token IS NOT NULL"),
    postgresql_where=sa.text("push_token IS NOT NULL"),
)
