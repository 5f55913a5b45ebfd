"""Stores and geofences within a unit, many at once.

A file of a hundred thousand is read and written in few statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from geofence.backends.sql import locks
from geofence.backends.sql.rows import chunks, columns, from_row, to_row, upsert
from geofence.backends.sql.schema.places import geofences, stores
from geofence.errors import RecordError
from geofence.model.place import Geofence, Store

AT_ONCE = 1000  # names per statement

T = TypeVar("T", Store, Geofence)


class SqlPlaces:
    """Implements `ports.places.Places`.

    The first write of a unit bumps the project's `index_version`; writers of one project wait for
    each other until the unit ends, so versions grow in the order of commits.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._bumped: set[str] = set()

    def stores(self, project_id: str, external_ids: Collection[str]) -> dict[str, Store]:
        """Those that exist, by external id."""
        return {
            store.external_id: store
            for store in self._among(Store, stores, stores.c.external_id, project_id, external_ids)
        }

    def put_stores(self, project_id: str, stores_: Sequence[Store]) -> None:
        """Insert or replace the stores' own rows (not their geofences); `created_ms` stays."""
        if not stores_:
            return
        self._bump(project_id)
        upsert(
            self._connection,
            stores,
            [to_row(stores, store, project_id=project_id) for store in stores_],
        )

    def delete_store(self, project_id: str, external_id: str) -> None:
        """Remove the store's own row (not its geofences)."""
        self._bump(project_id)
        self._connection.execute(
            sa.delete(stores).where(
                stores.c.project_id == project_id, stores.c.external_id == external_id
            )
        )

    def geofences(self, project_id: str, external_ids: Collection[str]) -> dict[str, Geofence]:
        """Those that exist, by external id."""
        found = self._among(Geofence, geofences, geofences.c.external_id, project_id, external_ids)
        return {geofence.external_id: geofence for geofence in found}

    def geofences_of_stores(
        self, project_id: str, store_ids: Collection[str]
    ) -> dict[str, list[Geofence]]:
        """Every geofence that names one of these stores, by store and there by external id.

        A store without any has no entry.
        """
        found: dict[str, list[Geofence]] = defaultdict(list)
        for geofence in self._among(
            Geofence, geofences, geofences.c.store_id, project_id, store_ids
        ):
            found[str(geofence.store_id)].append(geofence)
        return {
            store_id: sorted(some, key=lambda one: one.external_id)
            for store_id, some in found.items()
        }

    def put_geofences(self, project_id: str, geofences_: Sequence[Geofence]) -> None:
        """Insert or replace by uid; `created_ms` stays.

        `RecordError` when a name or a uid is taken.
        """
        if not geofences_:
            return
        self._bump(project_id)
        rows = [to_row(geofences, geofence, project_id=project_id) for geofence in geofences_]
        if upsert(self._connection, geofences, rows) < len(rows):
            raise RecordError("This geofence uid is taken.")

    def delete_geofences(self, project_id: str, uids: Sequence[str]) -> None:
        """Remove; presences there are ended by the street in the same unit."""
        if not uids:
            return
        self._bump(project_id)
        gone = sa.delete(geofences).where(
            geofences.c.project_id == project_id, geofences.c.uid == sa.bindparam("gone")
        )
        self._connection.execute(gone, [{"gone": uid} for uid in uids])

    def _among(
        self,
        kind: type[T],
        table: sa.Table,
        column: sa.ColumnElement[Any],
        project_id: str,
        names: Collection[str],
    ) -> Iterator[T]:
        """Rows of a project whose column is one of these names, in any order.

        Asked for one, SQLite reads the whole project for it.
        """
        query = sa.select(*columns(table, kind)).where(table.c.project_id == project_id)
        for some in chunks(sorted(set(names)), AT_ONCE):
            for row in self._connection.execute(query.where(column.in_(some))).mappings():
                yield from_row(kind, row)

    def _bump(self, project_id: str) -> None:
        if project_id in self._bumped:
            return
        self._bumped.add(project_id)
        locks.bump(self._connection, project_id)
