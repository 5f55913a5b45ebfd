"""Decisions: one per event, campaign and customer."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import document, key, metadata, text, time_ms

decisions = sa.Table(
    "decisions",
    metadata,
    key("id"),
    text("project_id"),
    text("event_id"),
    text("campaign_id"),
    sa.Column("campaign_version", sa.Integer, nullable=False),
    text("customer_id"),  # empty where unknown, so that the unique key holds there, too
    text("device_id"),
    text("store_id", nullable=True),
    text("ring", nullable=True),
    text("geofence_id"),
    text("visit_id"),
    text("outcome"),
    text("reason"),
    time_ms("at_ms"),
    time_ms("event_ms"),
    document("trace"),
    text("variant", nullable=True),
    sa.UniqueConstraint("event_id", "campaign_id", "customer_id", name="uq_decisions_fact"),
    sa.Index("ix_decisions_customer", "project_id", "customer_id", "at_ms"),
    sa.Index("ix_decisions_time", "project_id", "at_ms", "id"),
    sa.Index("ix_decisions_visit", "project_id", "visit_id"),
)
