"""A project's index version, and who waits for whom where several processes share a PostgreSQL record.

Three kinds of locks, always taken in this order, so that nobody waits in a circle:

1. editors of one project among themselves (`edit`): what an edit read is still so when it writes;
2. whoever changes its geofences or campaigns (`bump`) against those who carry pings past them (`hold`): no presence begins at a
   geofence behind the back of the edit that removes it;
3. devices.

SQLite has one writer, and needs none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import sqlalchemy as sa

from geofence.backends.sql.schema import projects


def edit(connection: sa.Connection, project_id: str) -> None:
    """Wait until no other unit edits this project's places or campaigns.

    Others wait until this unit ends.
    """
    _lock(connection, "pg_advisory_xact_lock", [_number("edit", project_id)])


def hold(connection: sa.Connection, project_ids: Iterable[str]) -> None:
    """Until this unit ends nobody else's edit of these projects is committed.

    Several units may hold.
    """
    _lock(
        connection,
        "pg_advisory_xact_lock_shared",
        sorted(_number("index", one) for one in set(project_ids)),
    )


def bump(connection: sa.Connection, project_id: str) -> None:
    """Raise the version, once no unit holds it."""
    _lock(connection, "pg_advisory_xact_lock", [_number("index", project_id)])
    connection.execute(
        sa.update(projects)
        .where(projects.c.id == project_id)
        .values(index_version=projects.c.index_version + 1)
    )


def read(connection: sa.Connection, project_id: str) -> int:
    """The version as this transaction sees it, 0 for an unknown project."""
    return (
        connection.execute(
            sa.select(projects.c.index_version).where(projects.c.id == project_id)
        ).scalar()
        or 0
    )


def _lock(connection: sa.Connection, function: str, numbers: list[int]) -> None:
    if connection.dialect.name == "postgresql" and numbers:
        lock = sa.text(
            f"SELECT {function}(n)"  # noqa: S608 - the names of two functions, both above
            " FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS t(n, i)"
        )
        connection.execute(lock, {"numbers": numbers})


def _number(kind: str, project_id: str) -> int:
    digest = blake2b(
        f"{kind}\x1f{project_id}".encode("utf-8", "surrogatepass"), digest_size=8, person=b"project"
    ).digest()
    return int.from_bytes(digest, "big", signed=True)
