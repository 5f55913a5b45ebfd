"""What detection remembers more.

The last fixes' trust, how far an inferred end may be moved, and events that a visit has often.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ONCE = sa.text("kind IN ('geofence.entered', 'geofence.dwelled', 'geofence.exited')")

_LATER = sa.text("by_ms IS NOT NULL")


def upgrade() -> None:
    """Add the columns.

    Let the unique fact of a visit hold for those events only that happen once in it.
    """
    op.add_column("devices", sa.Column("fix_accuracy_m", sa.Float(), nullable=True))
    op.add_column("devices", sa.Column("odd_ms", sa.BigInteger(), nullable=True))
    op.add_column("devices", sa.Column("odd_lat", sa.Float(), nullable=True))
    op.add_column("devices", sa.Column("odd_lon", sa.Float(), nullable=True))
    op.add_column("visits", sa.Column("after_ms", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("by_ms", sa.BigInteger(), nullable=True))
    with op.batch_alter_table(
        "events"
    ) as events:  # SQLite drops no constraint: it copies the table
        events.drop_constraint("uq_events_fact", type_="unique")
    op.create_index(
        "ix_events_by",
        "events",
        ["project_id", "device_id", "by_ms"],
        sqlite_where=_LATER,
        postgresql_where=_LATER,
    )
    op.create_index(
        "uq_events_fact",
        "events",
        ["visit_id", "kind", "dwell_s"],
        unique=True,
        sqlite_where=_ONCE,
        postgresql_where=_ONCE,
    )
