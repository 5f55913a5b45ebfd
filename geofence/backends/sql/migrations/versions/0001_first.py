"""The first schema."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _int(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _real(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=nullable)


def _bool(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Json, nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)


def upgrade() -> None:
    """Create every table."""
    _projects_and_keys()
    _places()
    _devices_and_presences()
    _visits()
    _events()
    _bookkeeping()


def _projects_and_keys() -> None:
    op.create_table(
        "projects",
        _text("id"),
        _text("name"),
        _json("profile"),
        _int("created_ms"),
        sa.Column("index_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "keys",
        _text("id"),
        _text("project_id"),
        _text("kind"),
        _json("scopes"),
        _text("digest"),
        _text("tail"),
        _text("name"),
        _int("created_ms"),
        _int("revoked_ms", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("ix_keys_project_id", "keys", ["project_id"])


def _places() -> None:
    op.create_table(
        "stores",
        _text("project_id"),
        _text("external_id"),
        _text("name"),
        _real("lat"),
        _real("lon"),
        _text("brand", nullable=True),
        _text("address", nullable=True),
        _text("time_zone", nullable=True),
        _text("opening_hours", nullable=True),
        _json("tags"),
        _json("metadata"),
        _json("rings"),
        _int("created_ms"),
        _int("updated_ms"),
        sa.PrimaryKeyConstraint("project_id", "external_id"),
    )
    op.create_table(
        "geofences",
        _text("uid"),
        _text("project_id"),
        _text("external_id"),
        _json("region"),
        _text("store_id", nullable=True),
        _text("ring", nullable=True),
        _text("name", nullable=True),
        _json("tags"),
        _json("metadata"),
        _json("profile", nullable=True),
        _int("active_from_ms", nullable=True),
        _int("active_until_ms", nullable=True),
        _bool("enabled"),
        _int("created_ms"),
        _int("updated_ms"),
        sa.PrimaryKeyConstraint("uid"),
        sa.UniqueConstraint("project_id", "external_id", name="uq_geofences_external_id"),
    )
    op.create_index("ix_geofences_store", "geofences", ["project_id", "store_id"])


def _devices_and_presences() -> None:
    op.create_table(
        "devices",
        _text("project_id"),
        _text("device_id"),
        _text("customer_id", nullable=True),
        _text("platform", nullable=True),
        _text("push_token", nullable=True),
        _text("locale", nullable=True),
        _text("time_zone", nullable=True),
        _json("attributes", nullable=True),
        _int("created_ms"),
        _int("seen_ms", nullable=True),
        _int("watermark_ms", nullable=True),
        _int("fix_ms", nullable=True),
        _real("lat", nullable=True),
        _real("lon", nullable=True),
        sa.PrimaryKeyConstraint("project_id", "device_id"),
    )
    op.create_index("ix_devices_customer", "devices", ["project_id", "customer_id"])
    op.create_table(
        "presences",
        _text("project_id"),
        _text("device_id"),
        _text("geofence_uid"),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        _int("due_ms", nullable=True),
        sa.PrimaryKeyConstraint("project_id", "device_id", "geofence_uid"),
    )
    op.create_index("ix_presences_geofence", "presences", ["geofence_uid"])
    op.create_index("ix_presences_due", "presences", ["due_ms"])


def _visits() -> None:
    op.create_table(
        "visits",
        _text("visit_id"),
        _text("project_id"),
        _text("device_id"),
        _text("geofence_uid"),
        _text("geofence_id"),
        _text("customer_id", nullable=True),
        _text("store_id", nullable=True),
        _text("ring", nullable=True),
        _int("arrival_ms"),
        _int("before_ms", nullable=True),
        _int("last_inside_ms"),
        _int("departure_ms", nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        _real("best_probability"),
        _flag("inferred"),
        _flag("amended"),
        _text("reason", nullable=True),
        _count("visit"),
        sa.PrimaryKeyConstraint("visit_id"),
    )
    op.create_index(
        "ix_visits_pair", "visits", ["project_id", "device_id", "geofence_uid", "arrival_ms"]
    )
    op.create_index("ix_visits_arrival", "visits", ["project_id", "arrival_ms"])


def _events() -> None:
    op.create_table(
        "events",
        _text("id"),
        _int("stream_seq", nullable=True),
        _text("project_id"),
        _text("kind"),
        _text("device_id"),
        _text("customer_id", nullable=True),
        _text("geofence_uid"),
        _text("geofence_id"),
        _text("store_id", nullable=True),
        _text("ring", nullable=True),
        _text("visit_id"),
        _int("ts_ms"),
        _int("recorded_ms"),
        _count("place"),
        _text("profile"),
        _real("probability", nullable=True),
        _real("edge_m", nullable=True),
        _real("accuracy_m", nullable=True),
        _real("fix_age_s", nullable=True),
        _flag("first_fix"),
        _flag("inferred"),
        _text("reason", nullable=True),
        _real("duration_s", nullable=True),
        _count("dwell_s"),
        _text("cell", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stream_seq"),
        sa.UniqueConstraint("visit_id", "kind", "dwell_s", name="uq_events_fact"),
    )
    op.create_index("ix_events_project", "events", ["project_id", "stream_seq"])
    op.create_index("ix_events_device", "events", ["project_id", "device_id", "ts_ms"])


def _bookkeeping() -> None:
    op.create_table(
        "idempotency",
        _text("project_id"),
        _text("key"),
        _text("fingerprint"),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _int("created_ms"),
        sa.PrimaryKeyConstraint("project_id", "key"),
    )
    counters = op.create_table(
        "counters",
        _text("name"),
        _int("value"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.bulk_insert(counters, [{"name": "events", "value": 0}])
