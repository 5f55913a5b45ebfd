"""Bring a database to the schema of this version; any number of processes may try at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from geofence.backends.sql import engine as engines
from geofence.errors import RecordError

_TURN = 0x67656F66  # "geof": the advisory lock that migrating processes on PostgreSQL take in turn
_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine) -> None:
    """Run the missing migrations in one transaction.

    `RecordError` when the database is newer than the code.
    """
    with engines.connect(engine, writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))
        config = configuration(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if set(MigrationContext.configure(connection).get_current_heads()) - known:
            raise RecordError(
                "The database was written by a newer version of geofence; run that version or a"
                " newer one."
            )
        command.upgrade(config, "head")


def configuration(connection: sa.Connection) -> Config:
    """Alembic's settings, to run on this connection and within its transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
