"""What follows an event: customers, campaigns, decisions, messages and coupons."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _bool(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Json, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def upgrade() -> None:
    """Create every table, and the index of push tokens."""
    _customers()
    _campaigns()
    _decisions()
    _messages()
    _attempts()
    _coupons()
    _redemptions()
    _addresses()


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _customers() -> None:
    op.create_table(
        "customers",
        _text("project_id"),
        _text("customer_id"),
        _text("email", nullable=True),
        _json("attributes"),
        _json("tags"),
        _json("consent"),
        _json("quiet_hours", nullable=True),
        _text("locale", nullable=True),
        _int("created_ms"),
        _int("updated_ms"),
        sa.PrimaryKeyConstraint("project_id", "customer_id"),
    )


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        _text("project_id"),
        _text("id"),
        _json("plan"),
        _text("status"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("salt"),
        _int("created_ms"),
        _int("updated_ms"),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_table(
        "campaign_versions",
        _text("project_id"),
        _text("id"),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        _json("plan"),
        sa.PrimaryKeyConstraint("project_id", "id", "version"),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        _text("id"),
        _text("project_id"),
        _text("event_id"),
        _text("campaign_id"),
        sa.Column("campaign_version", sa.Integer(), nullable=False),
        _text("customer_id"),
        _text("device_id"),
        _text("store_id", nullable=True),
        _text("ring", nullable=True),
        _text("geofence_id"),
        _text("visit_id"),
        _text("outcome"),
        _text("reason"),
        _int("at_ms"),
        _int("event_ms"),
        _json("trace"),
        _text("variant", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_id", "campaign_id", "customer_id", name="uq_decisions_fact"),
    )
    op.create_index("ix_decisions_customer", "decisions", ["project_id", "customer_id", "at_ms"])
    op.create_index("ix_decisions_time", "decisions", ["project_id", "at_ms", "id"])
    op.create_index("ix_decisions_visit", "decisions", ["project_id", "visit_id"])


def _messages() -> None:
    op.create_table(
        "messages",
        _text("id"),
        _text("project_id"),
        _text("decision_id"),
        _text("campaign_id"),
        _text("customer_id"),
        _text("device_id"),
        _text("geofence_uid"),
        _text("channel"),
        _text("address"),
        _json("content"),
        _int("created_ms"),
        _int("expires_ms"),
        _int("due_ms", nullable=True),
        _text("status"),
        _text("reason"),
        _count("attempt"),
        _count("untried"),
        _int("lease_until_ms", nullable=True),
        _int("finished_ms", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_messages_due", "messages", ["channel", "due_ms"], **_only("due_ms IS NOT NULL")
    )
    op.create_index("ix_messages_time", "messages", ["project_id", "created_ms", "id"])
    op.create_index("ix_messages_decision", "messages", ["decision_id"])
    op.create_index("ix_messages_customer", "messages", ["project_id", "customer_id"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        _text("message_id"),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        _text("project_id"),
        _int("started_ms"),
        _int("finished_ms"),
        _text("verdict"),
        _text("reason"),
        _text("detail"),
        sa.Column("status", sa.Integer(), nullable=True),
        _text("provider_id", nullable=True),
        sa.PrimaryKeyConstraint("message_id", "attempt"),
    )


def _coupons() -> None:
    op.create_table(
        "coupons",
        _text("project_id"),
        _text("code"),
        _text("campaign_id"),
        _text("customer_id"),
        _text("decision_id"),
        _int("issued_ms"),
        _int("expires_ms"),
        _bool("single_use"),
        _json("stores", nullable=True),
        _text("status"),
        _count("uses"),
        _text("title"),
        sa.PrimaryKeyConstraint("project_id", "code"),
        sa.UniqueConstraint("decision_id"),
    )
    op.create_index("ix_coupons_customer", "coupons", ["project_id", "customer_id"])
    op.create_index("ix_coupons_time", "coupons", ["project_id", "issued_ms", "code"])


def _redemptions() -> None:
    op.create_table(
        "redemptions",
        _text("id"),
        _text("project_id"),
        _text("code"),
        _bool("single_use"),
        _text("store_id"),
        _int("at_ms"),
        _text("till"),
        _int("amount", nullable=True),
        _text("currency", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_redemptions_code", "redemptions", ["project_id", "code"])
    op.create_index(
        "uq_redemptions_single_use",
        "redemptions",
        ["project_id", "code"],
        unique=True,
        **_only("single_use"),
    )


def _addresses() -> None:
    op.create_table(
        "suppressions",
        _text("project_id"),
        _text("channel"),
        _text("address_digest"),
        _text("reason"),
        _int("created_ms"),
        sa.PrimaryKeyConstraint("project_id", "channel", "address_digest"),
    )
    op.create_table(
        "channels",
        _text("channel"),
        _text("paused_reason"),
        _int("paused_ms"),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_index(
        "ix_devices_push_token",
        "devices",
        ["project_id", "push_token"],
        **_only("push_token IS NOT NULL"),
    )
