"""Customers."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import document, key, metadata, text, time_ms

customers = sa.Table(
    "customers",
    metadata,
    key("project_id"),
    key("customer_id"),
    text("email", nullable=True),
    document("attributes"),
    document("tags"),
    document("consent"),
    document("quiet_hours", nullable=True),
    text("locale", nullable=True),
    time_ms("created_ms"),
    time_ms("updated_ms"),
)
