"""Messages, their attempts, and what holds messages back.

An attempt has one row.
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

messages = sa.Table(
    "messages",
    metadata,
    key("id"),
    text("project_id"),
    text("decision_id"),
    text("campaign_id"),
    text("customer_id"),
    text("device_id"),
    text("geofence_uid"),
    text("channel"),
    text("address"),
    document("content"),
    time_ms("created_ms"),
    time_ms("expires_ms"),
    time_ms("due_ms", nullable=True),
    text("status"),
    text("reason"),
    count("attempt"),
    # takes that ended without an attempt: attempt = untried says that nothing was handed over
    count("untried"),
    time_ms("lease_until_ms", nullable=True),
    time_ms("finished_ms", nullable=True),
    index_where("ix_messages_due", "due_ms IS NOT NULL", "channel", "due_ms"),
    sa.Index("ix_messages_time", "project_id", "created_ms", "id"),
    sa.Index("ix_messages_decision", "decision_id"),
    sa.Index("ix_messages_customer", "project_id", "customer_id"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    key("message_id"),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    text("project_id"),
    time_ms("started_ms"),
    time_ms("finished_ms"),
    text("verdict"),
    text("reason"),
    text("detail"),
    sa.Column("status", sa.Integer),
    text("provider_id", nullable=True),
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    key("project_id"),
    key("channel"),
    key("address_digest"),  # the address itself is not kept
    text("reason"),
    time_ms("created_ms"),
)

channels = sa.Table(
    "channels",
    metadata,
    key("channel"),
    text("paused_reason"),
    time_ms("paused_ms"),
)
