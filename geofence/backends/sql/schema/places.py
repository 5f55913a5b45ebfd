"""Stores and geofences."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import document, key, metadata, number, text, time_ms

stores = sa.Table(
    "stores",
    metadata,
    key("project_id"),
    key("external_id"),
    text("name"),
    number("lat"),
    number("lon"),
    text("brand", nullable=True),
    text("address", nullable=True),
    text("time_zone", nullable=True),
    text("opening_hours", nullable=True),
    document("tags"),
    document("metadata"),
    document("rings"),
    time_ms("created_ms"),
    time_ms("updated_ms"),
)

geofences = sa.Table(
    "geofences",
    metadata,
    key("uid"),
    text("project_id"),
    text("external_id"),
    document("region"),
    text("store_id", nullable=True),
    text("ring", nullable=True),
    text("name", nullable=True),
    document("tags"),
    document("metadata"),
    document("profile", nullable=True),
    time_ms("active_from_ms", nullable=True),
    time_ms("active_until_ms", nullable=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    time_ms("created_ms"),
    time_ms("updated_ms"),
    sa.UniqueConstraint("project_id", "external_id", name="uq_geofences_external_id"),
    sa.Index("ix_geofences_store", "project_id", "store_id"),
)
