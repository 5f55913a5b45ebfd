"""A project's index version, and the advisory locks of processes that share a PostgreSQL record.

Locks are always taken in this order, so that no two units wait for each other:

1. `edit`: one editor per project, so what an edit read still holds when it writes;
2. `bump` against `hold`: an edit that changes geofences or campaigns waits for the units that carry
   pings past them, so no presence begins at a geofence that the edit removes;
3. `devices`: one unit at a time writes a device;
4. `customers`: one unit at a time decides about a customer.

`answer` locks one Idempotency-Key. SQLite has one writer, and needs none of these locks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import blake2b

import sqlalchemy as sa

from geofence.backends.sql.schema.accounts import projects
from geofence.model.presence import DeviceKey

_EXCLUSIVE, _SHARED = "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"


def edit(connection: sa.Connection, project_id: str) -> None:
    """Wait until no other unit edits this project's places or campaigns; other units then wait."""
    _lock(connection, _EXCLUSIVE, [_number(b"project", "edit", project_id)])


def hold(connection: sa.Connection, project_ids: Iterable[str]) -> None:
    """Delay the commit of other units' edits of these projects; several units may hold."""
    _lock(connection, _SHARED, {_number(b"project", "index", one) for one in project_ids})


def bump(connection: sa.Connection, project_id: str) -> None:
    """Raise the version, once no unit holds it."""
    _lock(connection, _EXCLUSIVE, [_number(b"project", "index", project_id)])
    connection.execute(
        sa.update(projects)
        .where(projects.c.id == project_id)
        .values(index_version=projects.c.index_version + 1)
    )


def read(connection: sa.Connection, project_id: str) -> int:
    """The version as this transaction sees it, 0 for an unknown project."""
    version = sa.select(projects.c.index_version).where(projects.c.id == project_id)
    return connection.execute(version).scalar() or 0


def devices(connection: sa.Connection, keys: Iterable[DeviceKey]) -> None:
    """Wait until no other unit writes these devices."""
    _lock(connection, _EXCLUSIVE, {_number(b"", *key) for key in keys})


def numbered(connection: sa.Connection, numbers: Collection[int]) -> None:
    """As `devices`, by the digests that a `DeviceTable` keeps."""
    _lock(connection, _EXCLUSIVE, numbers)


def customers(connection: sa.Connection, ids: Iterable[tuple[str, str]]) -> None:
    """Wait until no other unit decides about these customers, (project id, customer id)."""
    _lock(connection, _EXCLUSIVE, {_number(b"customer", *one) for one in ids})


def answer(connection: sa.Connection, project_id: str, key: str) -> None:
    """Wait until no other unit answers this Idempotency-Key."""
    if connection.dialect.name == "postgresql":
        name = f"{project_id}\x1f{key}"
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))")
        connection.execute(lock, {"name": name})


def _lock(connection: sa.Connection, function: str, numbers: Collection[int]) -> None:
    """Take the locks in the order of their numbers, the same in every unit."""
    if connection.dialect.name == "postgresql" and numbers:
        lock = sa.text(
            f"SELECT {function}(n)"  # noqa: S608 - the names of two functions, both above
            " FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS t(n, i)"
        )
        connection.execute(lock, {"numbers": sorted(numbers)})


def _number(kind: bytes, *parts: str) -> int:
    """The 64-bit number of a lock; `kind` keeps the numbers of different subjects apart."""
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8, person=kind).digest(), "big", signed=True)
