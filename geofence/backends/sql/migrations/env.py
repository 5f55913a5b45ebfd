"""Alembic's entry: runs on the connection it is given, never opens one."""

from __future__ import annotations

from alembic import context

from geofence.backends.sql.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
