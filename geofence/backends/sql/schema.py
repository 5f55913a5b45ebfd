"""The tables, once for SQLite and PostgreSQL.

Times are epoch ms UTC in BIGINT, documents JSON (JSONB on PostgreSQL).

The unique keys are the promise: an event, a visit, a device exists once because the database says
so, not because code checked first.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def _ms(name: str, *, nullable: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("profile", Json, nullable=False),
    _ms("created_ms", nullable=False),
    sa.Column("index_version", sa.BigInteger, nullable=False, server_default="0"),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("digest", sa.String, nullable=False, unique=True),
    sa.Column("tail", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    _ms("created_ms", nullable=False),
    _ms("revoked_ms"),
)

stores = sa.Table(
    "stores",
    metadata,
    sa.Column("project_id", sa.String, primary_key=True),
    sa.Column("external_id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("lat", sa.Float, nullable=False),
    sa.Column("lon", sa.Float, nullable=False),
    sa.Column("brand", sa.String),
    sa.Column("address", sa.String),
    sa.Column("time_zone", sa.String),
    sa.Column("opening_hours", sa.String),
    sa.Column("tags", Json, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("rings", Json, nullable=False),
    _ms("created_ms", nullable=False),
    _ms("updated_ms", nullable=False),
)

geofences = sa.Table(
    "geofences",
    metadata,
    sa.Column("uid", sa.String, primary_key=True),
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("external_id", sa.String, nullable=False),
    sa.Column("region", Json, nullable=False),
    sa.Column("store_id", sa.String),
    sa.Column("ring", sa.String),
    sa.Column("name", sa.String),
    sa.Column("tags", Json, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("profile", Json),
    _ms("active_from_ms"),
    _ms("active_until_ms"),
    sa.Column("enabled", sa.Boolean, nullable=False),
    _ms("created_ms", nullable=False),
    _ms("updated_ms", nullable=False),
    sa.UniqueConstraint("project_id", "external_id", name="uq_geofences_external_id"),
    sa.Index("ix_geofences_store", "project_id", "store_id"),
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("project_id", sa.String, primary_key=True),
    sa.Column("device_id", sa.String, primary_key=True),
    sa.Column("customer_id", sa.String),
    sa.Column("platform", sa.String),
    sa.Column("push_token", sa.String),
    sa.Column("locale", sa.String),
    sa.Column("time_zone", sa.String),
    sa.Column("attributes", Json),
    _ms("created_ms", nullable=False),
    _ms("seen_ms"),
    _ms("watermark_ms"),
    _ms("fix_ms"),
    sa.Column("lat", sa.Float),
    sa.Column("lon", sa.Float),
    sa.Column("fix_accuracy_m", sa.Float),
    _ms("odd_ms"),
    sa.Column("odd_lat", sa.Float),
    sa.Column("odd_lon", sa.Float),
    sa.Index("ix_devices_customer", "project_id", "customer_id"),
)

presences = sa.Table(
    "presences",
    metadata,
    sa.Column("project_id", sa.String, primary_key=True),
    sa.Column("device_id", sa.String, primary_key=True),
    sa.Column("geofence_uid", sa.String, primary_key=True),
    sa.Column(
        "state", sa.LargeBinary, nullable=False
    ),  # a Presence in MessagePack: read and written whole, never queried
    _ms("due_ms"),
    sa.Index("ix_presences_geofence", "geofence_uid"),
    sa.Index("ix_presences_due", "due_ms"),
)

visits = sa.Table(
    "visits",
    metadata,
    sa.Column("visit_id", sa.String, primary_key=True),
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("device_id", sa.String, nullable=False),
    sa.Column("geofence_uid", sa.String, nullable=False),
    sa.Column("geofence_id", sa.String, nullable=False),
    sa.Column("customer_id", sa.String),
    sa.Column("store_id", sa.String),
    sa.Column("ring", sa.String),
    _ms("arrival_ms", nullable=False),
    _ms("before_ms"),
    _ms("last_inside_ms", nullable=False),
    _ms("departure_ms"),
    _ms("after_ms"),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("best_probability", sa.Float, nullable=False),
    _flag("inferred"),
    _flag("amended"),
    sa.Column("reason", sa.String),
    sa.Column("visit", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_visits_pair", "project_id", "device_id", "geofence_uid", "arrival_ms"),
    sa.Index("ix_visits_arrival", "project_id", "arrival_ms"),
)

# a visit may be amended and hold stops again and again; those events, and crossings, are told apart
# by their id alone
_ONCE = sa.text("kind IN ('geofence.entered', 'geofence.dwelled', 'geofence.exited')")
_LATER = sa.text("by_ms IS NOT NULL")

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column(
        "stream_seq", sa.BigInteger, unique=True
    ),  # NULL until the sequencer has seen it (PostgreSQL only)
    sa.Column("project_id", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("device_id", sa.String, nullable=False),
    sa.Column("customer_id", sa.String),
    sa.Column("geofence_uid", sa.String, nullable=False),
    sa.Column("geofence_id", sa.String, nullable=False),
    sa.Column("store_id", sa.String),
    sa.Column("ring", sa.String),
    sa.Column("visit_id", sa.String, nullable=False),  # empty where no visit was opened
    _ms("ts_ms", nullable=False),
    _ms("recorded_ms", nullable=False),
    sa.Column("place", sa.Integer, nullable=False, server_default="0"),  # within its unit of work
    sa.Column("profile", sa.String, nullable=False),
    sa.Column("probability", sa.Float),
    sa.Column("edge_m", sa.Float),
    sa.Column("accuracy_m", sa.Float),
    sa.Column("fix_age_s", sa.Float),
    _flag("first_fix"),
    _flag("inferred"),
    sa.Column("reason", sa.String),
    sa.Column("duration_s", sa.Float),
    sa.Column("dwell_s", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cell", sa.String),
    _ms("by_ms"),  # the ping that told it, where that is not the one of `ts_ms`; 0 for none
    sa.Index(
        "uq_events_fact",
        "visit_id",
        "kind",
        "dwell_s",
        unique=True,
        sqlite_where=_ONCE,
        postgresql_where=_ONCE,
    ),
    sa.Index("ix_events_project", "project_id", "stream_seq"),
    sa.Index("ix_events_device", "project_id", "device_id", "ts_ms"),
    sa.Index(
        "ix_events_by",
        "project_id",
        "device_id",
        "by_ms",
        sqlite_where=_LATER,
        postgresql_where=_LATER,
    ),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("project_id", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("fingerprint", sa.String, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _ms("created_ms", nullable=False),
)

counters = sa.Table(  # numbers that only grow, such as the last `stream_seq` given
    "counters",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
