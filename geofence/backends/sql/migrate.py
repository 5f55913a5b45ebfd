"""Bring a database to the schema of this version; any number of processes may try at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from geofence.backends.sql import engine as engines
from geofence.errors import RecordError

if TYPE_CHECKING:
    from alembic.config import Config

# Alembic is imported where it is used: commands that change no schema start without it.
NEWER = "The database was written by a newer version of geofence; run that version or a newer one."
_TURN = 0x67656F66  # "geof": the advisory lock that migrating processes on PostgreSQL take in turn
_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: sa.Engine) -> None:
    """Run the missing migrations in one transaction.

    `RecordError` when the database is newer than the code.
    """
    from alembic import command

    with engines.connect(engine, writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_TURN)))
        config = configuration(connection)
        if _unknown(connection, config):
            raise RecordError(NEWER)
        command.upgrade(config, "head")


def revision(engine: sa.Engine) -> tuple[str, bool]:
    """The revision of a schema, empty where there is none yet, and whether this version knows it.

    Raises `RecordError` when the database does not answer.
    """
    from alembic.migration import MigrationContext

    with engines.connect(engine) as connection, connection.begin():
        heads = MigrationContext.configure(connection).get_current_heads()
        return ", ".join(heads), not _unknown(connection, configuration(connection))


def _unknown(connection: sa.Connection, config: Config) -> set[str]:
    """Revisions of the database that this version does not know."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    return set(MigrationContext.configure(connection).get_current_heads()) - known


def configuration(connection: sa.Connection) -> Config:
    """Alembic's settings, to run on this connection and within its transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
