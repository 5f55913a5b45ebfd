"""Projects, keys, and the answers kept for an Idempotency-Key."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import document, key, metadata, text, time_ms

projects = sa.Table(
    "projects",
    metadata,
    key("id"),
    text("name"),
    document("profile"),
    time_ms("created_ms"),
    sa.Column("index_version", sa.BigInteger, nullable=False, server_default="0"),
)

keys = sa.Table(
    "keys",
    metadata,
    key("id"),
    sa.Column("project_id", sa.String, nullable=False, index=True),
    text("kind"),
    document("scopes"),
    sa.Column("digest", sa.String, nullable=False, unique=True),
    text("tail"),
    text("name"),
    time_ms("created_ms"),
    time_ms("revoked_ms", nullable=True),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    key("project_id"),
    key("key"),
    text("fingerprint"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    time_ms("created_ms"),
)
