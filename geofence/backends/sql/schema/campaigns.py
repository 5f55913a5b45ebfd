"""Campaigns and the versions of their plans."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import document, key, metadata, text, time_ms

campaigns = sa.Table(
    "campaigns",
    metadata,
    key("project_id"),
    key("id"),
    document("plan"),
    text("status"),
    sa.Column("version", sa.Integer, nullable=False),
    text("salt"),
    time_ms("created_ms"),
    time_ms("updated_ms"),
)

campaign_versions = sa.Table(
    "campaign_versions",
    metadata,
    key("project_id"),
    key("id"),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    document("plan"),
)
