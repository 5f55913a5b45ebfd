"""Stores and geofences within a unit."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from geofence.backends.sql.rows import columns, from_row, to_row, upsert
from geofence.backends.sql.schema import geofences, projects, stores
from geofence.errors import RecordError
from geofence.model.place import Geofence, Store


class SqlPlaces:
    """Implements `ports.Places`.

    The first write of a unit bumps the project's `index_version`; that row stays locked until the unit ends, so writers of
    one project wait for each other and versions grow in the order of commits.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._bumped: set[str] = set()

    def store(self, project_id: str, external_id: str) -> Store | None:
        """The store of that name."""
        query = sa.select(*columns(stores, Store)).where(stores.c.project_id == project_id, stores.c.external_id == external_id)
        row = self._connection.execute(query).mappings().first()
        return from_row(Store, row) if row else None

    def put_store(self, project_id: str, store: Store) -> None:
        """Insert or replace the store's own row (not its geofences); `created_ms` stays."""
        self._bump(project_id)
        upsert(self._connection, stores, [to_row(stores, store, project_id=project_id)])

    def delete_store(self, project_id: str, external_id: str) -> None:
        """Remove the store's own row (not its geofences)."""
        self._bump(project_id)
        self._connection.execute(sa.delete(stores).where(stores.c.project_id == project_id, stores.c.external_id == external_id))

    def geofence(self, project_id: str, external_id: str) -> Geofence | None:
        """The geofence of that name."""
        found = self._geofences(project_id, geofences.c.external_id == external_id)
        return found[0] if found else None

    def geofences_of_store(self, project_id: str, store_id: str) -> list[Geofence]:
        """Every geofence that names this store, by external id."""
        return self._geofences(project_id, geofences.c.store_id == store_id)

    def put_geofence(self, project_id: str, geofence: Geofence) -> None:
        """Insert or replace by uid; `created_ms` stays. `RecordError` when the name or the uid is taken."""
        self._bump(project_id)
        if not upsert(self._connection, geofences, [to_row(geofences, geofence, project_id=project_id)]):
            raise RecordError("This geofence uid is taken.")

    def delete_geofences(self, project_id: str, uids: Sequence[str]) -> None:
        """Remove; presences there are ended by the street in the same unit."""
        if not uids:
            return
        self._bump(project_id)
        gone = sa.delete(geofences).where(geofences.c.project_id == project_id, geofences.c.uid == sa.bindparam("gone"))
        self._connection.execute(gone, [{"gone": uid} for uid in uids])

    def _geofences(self, project_id: str, condition: sa.ColumnElement[bool]) -> list[Geofence]:
        query = sa.select(*columns(geofences, Geofence)).where(geofences.c.project_id == project_id, condition)
        rows = self._connection.execute(query.order_by(geofences.c.external_id)).mappings()
        return [from_row(Geofence, row) for row in rows]

    def _bump(self, project_id: str) -> None:
        if project_id in self._bumped:
            return
        self._bumped.add(project_id)
        self._connection.execute(sa.update(projects).where(projects.c.id == project_id).values(index_version=projects.c.index_version + 1))
