"""Reads of the record that change nothing; each is one short transaction on a pooled connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import backlog, listing, open_visits
from geofence.backends.sql import engine as door
from geofence.backends.sql.rows import columns, from_row
from geofence.backends.sql.schema import events, geofences, keys, projects
from geofence.model.account import Key, Project
from geofence.model.backlog import Backlog
from geofence.model.place import Geofence
from geofence.model.presence import Visit

T = TypeVar("T", bound=msgspec.Struct)


class SqlQueries:
    """Implements `ports.Reading`; safe from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def project(self, project_id: str) -> Project | None:
        """The project of that id."""
        return self._first(
            Project, sa.select(*columns(projects, Project)).where(projects.c.id == project_id)
        )

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        return self._all(
            Project,
            sa.select(*columns(projects, Project)).order_by(projects.c.created_ms, projects.c.id),
        )

    def key_of(self, digest: str) -> Key | None:
        """The key with that SHA-256, revoked or not."""
        return self._first(Key, sa.select(*columns(keys, Key)).where(keys.c.digest == digest))

    def keys(self, project_id: str) -> list[Key]:
        """All keys of a project, oldest first."""
        query = sa.select(*columns(keys, Key)).where(keys.c.project_id == project_id)
        return self._all(Key, query.order_by(keys.c.created_ms, keys.c.id))

    def geofences(self, project_id: str) -> list[Geofence]:
        """All geofences of a project, by uid."""
        query = sa.select(*columns(geofences, Geofence)).where(geofences.c.project_id == project_id)
        return self._all(Geofence, query.order_by(geofences.c.uid))

    def page(
        self, noun: str, project_id: str | None, filters: Mapping[str, Any], after: Any, limit: int
    ) -> list[Any]:
        """Up to `limit` items of a noun that come after a sort key.

        Nouns, filters and keys as in `pages.py`.
        """
        kind, query = listing.query(self._engine.dialect.name, noun, project_id, filters, after)
        if noun != "visits":
            return self._all(kind, query.limit(limit))
        with door.connect(self._engine) as connection:
            found = connection.execute(query.limit(limit)).mappings().all()
        return [
            open_visits.as_it_stands(from_row(Visit, row), row[open_visits.STATE]) for row in found
        ]

    def newest_seq(self, project_id: str) -> int:
        """The highest `stream_seq` given so far, 0 without events."""
        newest = sa.select(sa.func.max(events.c.stream_seq)).where(
            events.c.project_id == project_id
        )
        with door.connect(self._engine) as connection:
            return connection.execute(newest).scalar() or 0

    def health(self) -> Mapping[str, Any]:
        """`database`, its `schema` revision and `unnumbered` events.

        Raises `RecordError` when the record does not answer.
        """
        with door.connect(self._engine) as connection:
            return {
                "database": connection.dialect.name,
                "schema": connection.exec_driver_sql(
                    "SELECT version_num FROM alembic_version"
                ).scalar(),
                "unnumbered": connection.execute(
                    sa.select(sa.func.count()).where(events.c.stream_seq.is_(None))
                ).scalar(),
            }

    def backlogs(self) -> list[Backlog]:
        """What waits in the outbox and which channels are paused, by channel."""
        with door.connect(self._engine) as connection:
            return backlog.backlogs(connection)

    def _all(self, kind: type[T], query: sa.Select[Any]) -> list[T]:
        with door.connect(self._engine) as connection:
            return [from_row(kind, row) for row in connection.execute(query).mappings()]

    def _first(self, kind: type[T], query: sa.Select[Any]) -> T | None:
        found = self._all(kind, query.limit(1))
        return found[0] if found else None
