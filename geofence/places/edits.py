"""Edits of stores and geofences."""

from __future__ import annotations

from geofence.idempotency import is_unchanged
from geofence.model.edit import EditArguments, EditResult
from geofence.model.place import Geofence, Store
from geofence.places import editing
from geofence.ports.unit import Unit


class PutStore(EditArguments, frozen=True, tag="store.put"):
    """Insert or replace a store that `editing.ready_store` has made.

    Where one is `expected`, only that one is replaced.
    """

    store: Store
    expected: Store | None = None


class DeleteStore(EditArguments, frozen=True, tag="store.delete"):
    """Remove a store with its rings."""

    store_id: str


class PutGeofence(EditArguments, frozen=True, tag="geofence.put"):
    """Insert or replace a geofence that `editing.ready_geofence` has made.

    Where one is `expected`, only that one is replaced.
    """

    geofence: Geofence
    expected: Geofence | None = None


class DeleteGeofence(EditArguments, frozen=True, tag="geofence.delete"):
    """Remove a geofence that belongs to no store's rings."""

    geofence_id: str


def put_store(edit: PutStore, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (created, store), or None where another store is stored than expected."""
    name = edit.store.external_id
    if edit.expected is not None:
        unit.edit(project_id)
        stored = unit.places.stores(project_id, [name]).get(name)
        if not is_unchanged(stored, edit.expected):
            return EditResult(None)
    return editing.put_store(unit, project_id, edit.store, now_ms)


def delete_store(edit: DeleteStore, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """Raises `NotFound`."""
    return editing.delete_store(unit, project_id, edit.store_id, now_ms)


def put_geofence(edit: PutGeofence, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (created, geofence), or None where another one is stored than expected.

    Raises as `editing.put_geofence` does.
    """
    name = edit.geofence.external_id
    if edit.expected is not None:
        unit.edit(project_id)
        stored = unit.places.geofences(project_id, [name]).get(name)
        if not is_unchanged(stored, edit.expected):
            return EditResult(None)
    return editing.put_geofence(unit, project_id, edit.geofence, now_ms)


def delete_geofence(edit: DeleteGeofence, unit: Unit, project_id: str, _: int) -> EditResult:
    """Raises `NotFound`, and `Conflict` for a store's ring."""
    return editing.delete_geofence(unit, project_id, edit.geofence_id)
