"""Edits of an import: a chunk of stores or geofences at once."""

from __future__ import annotations

from geofence.importing.geofences import kept_geofence
from geofence.importing.row import PLACE
from geofence.importing.stores import kept_store
from geofence.model.edit import EditArguments, EditResult
from geofence.model.place import Geofence, Store
from geofence.places import editing
from geofence.ports.unit import Unit


class ImportStores(EditArguments, frozen=True, tag="stores.import"):
    """Stores to insert or replace, all of different names.

    `fields_present` has the fields of each that the file has a column for; the others stay.
    """

    stores: list[Store]
    fields_present: list[frozenset[str]]


class ImportGeofences(EditArguments, frozen=True, tag="geofences.import"):
    """Geofences to insert or replace, as `ImportStores`."""

    geofences: list[Geofence]
    fields_present: list[frozenset[str]]


def import_stores(edit: ImportStores, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is a list of (outcome, store), in order."""
    return editing.put_stores(unit, project_id, edit.stores, now_ms, fill_stores(edit))


def import_geofences(edit: ImportGeofences, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is a list of (outcome, geofence), in order."""
    return editing.put_geofences(unit, project_id, edit.geofences, now_ms, fill_geofences(edit))


def fill_stores(edit: ImportStores) -> editing.Fill[Store]:
    """What each store takes over from the one that it replaces.

    A row without a position makes no new store.
    """
    names = [one.external_id for one in edit.stores]
    present = dict(zip(names, edit.fields_present, strict=True))

    def fill(old: Store | None, new: Store) -> Store | None:
        fields = present[new.external_id]
        if old is None:
            return new if PLACE in fields else None
        return kept_store(old, new, fields)

    return fill


def fill_geofences(edit: ImportGeofences) -> editing.Fill[Geofence]:
    """What each geofence takes over from the one that it replaces.

    A row without a position makes no new geofence.
    """
    names = [one.external_id for one in edit.geofences]
    present = dict(zip(names, edit.fields_present, strict=True))

    def fill(old: Geofence | None, new: Geofence) -> Geofence | None:
        fields = present[new.external_id]
        if old is None:
            return new if PLACE in fields else None
        return kept_geofence(old, new, fields)

    return fill
