"""Alembic's entry: runs on the connection it is given, never opens one."""

from __future__ import annotations

from alembic import context

from geofence.backends.sql import (
    schema_offers,
)  # with its tables the metadata of `schema` is complete

context.configure(
    connection=context.config.attributes["connection"], target_metadata=schema_offers.metadata
)
with context.begin_transaction():
    context.run_migrations()
