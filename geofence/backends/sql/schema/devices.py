"""Devices and their presences: hot state."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import (
    document,
    index_where,
    key,
    metadata,
    number,
    text,
    time_ms,
)

devices = sa.Table(
    "devices",
    metadata,
    key("project_id"),
    key("device_id"),
    text("customer_id", nullable=True),
    text("platform", nullable=True),
    text("push_token", nullable=True),
    text("locale", nullable=True),
    text("time_zone", nullable=True),
    document("attributes", nullable=True),
    time_ms("created_ms"),
    time_ms("seen_ms", nullable=True),
    time_ms("watermark_ms", nullable=True),
    time_ms("fix_ms", nullable=True),
    number("lat", nullable=True),
    number("lon", nullable=True),
    number("fix_accuracy_m", nullable=True),
    time_ms("odd_ms", nullable=True),
    number("odd_lat", nullable=True),
    number("odd_lon", nullable=True),
    sa.Index("ix_devices_customer", "project_id", "customer_id"),
    # by token: the look before each push, and dead tokens
    index_where("ix_devices_push_token", "push_token IS NOT NULL", "project_id", "push_token"),
)

presences = sa.Table(
    "presences",
    metadata,
    key("project_id"),
    key("device_id"),
    key("geofence_uid"),
    # a Presence in MessagePack: read and written whole, never queried
    sa.Column("state", sa.LargeBinary, nullable=False),
    time_ms("due_ms", nullable=True),
    sa.Index("ix_presences_geofence", "geofence_uid"),
    sa.Index("ix_presences_due", "due_ms"),
)
