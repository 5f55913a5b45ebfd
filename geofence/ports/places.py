"""Stores and geofences."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from geofence.model.place import Geofence, Store


class Places(Protocol):
    """Stores and geofences of a project within a unit.

    Writers bump the project's `index_version`.
    """

    def stores(self, project_id: str, external_ids: Collection[str]) -> dict[str, Store]:
        """Those that exist, by external id."""

    def put_stores(self, project_id: str, stores: Sequence[Store]) -> None:
        """Insert or replace the stores' own rows (not their geofences)."""

    def delete_store(self, project_id: str, external_id: str) -> None:
        """Remove the store's own row (not its geofences)."""

    def geofences(self, project_id: str, external_ids: Collection[str]) -> dict[str, Geofence]:
        """Those that exist, by external id."""

    def geofences_of_stores(
        self, project_id: str, store_ids: Collection[str]
    ) -> dict[str, list[Geofence]]:
        """Every geofence that names one of these stores, by store and there by external id.

        A store without any has no entry.
        """

    def put_geofences(self, project_id: str, geofences: Sequence[Geofence]) -> None:
        """Insert or replace by uid; `created_ms` stays.

        Raises:
            RecordError: A name or a uid is taken.
        """

    def delete_geofences(self, project_id: str, uids: Sequence[str]) -> None:
        """Remove; the street ends the presences there in the same unit."""
