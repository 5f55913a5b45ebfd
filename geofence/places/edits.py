"""Edits of stores and geofences."""

from __future__ import annotations

from geofence.model.edit import EditArguments, EditResult
from geofence.model.place import Geofence, Store
from geofence.places import editing
from geofence.ports.unit import Unit


class PutStore(EditArguments, frozen=True, tag="store.put"):
    """Insert or replace a store that `editing.ready_store` has made."""

    store: Store


class DeleteStore(EditArguments, frozen=True, tag="store.delete"):
    """Remove a store with its rings."""

    store_id: str


class PutGeofence(EditArguments, frozen=True, tag="geofence.put"):
    """Insert or replace a geofence that `editing.ready_geofence` has made."""

    geofence: Geofence


class DeleteGeofence(EditArguments, frozen=True, tag="geofence.delete"):
    """Remove a geofence that belongs to no store's rings."""

    geofence_id: str


def put_store(edit: PutStore, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (created, store)."""
    return editing.put_store(unit, project_id, edit.store, now_ms)


def delete_store(edit: DeleteStore, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """Raises `NotFound`."""
    return editing.delete_store(unit, project_id, edit.store_id, now_ms)


def put_geofence(edit: PutGeofence, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (created, geofence). Raises as `editing.put_geofence` does."""
    return editing.put_geofence(unit, project_id, edit.geofence, now_ms)


def delete_geofence(edit: DeleteGeofence, unit: Unit, project_id: str, _: int) -> EditResult:
    """Raises `NotFound`, and `Conflict` for a store's ring."""
    return editing.delete_geofence(unit, project_id, edit.geofence_id)
