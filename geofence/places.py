"""Edits of stores and geofences within a unit: what follows for rings, uids and the index."""

from __future__ import annotations

from msgspec.structs import replace

from geofence import ids
from geofence.edits import Edited
from geofence.errors import Conflict, InputError, NotFound
from geofence.hours import check_hours
from geofence.model.place import Geofence, Ring, Store
from geofence.ports import Unit
from regions.geojson import canonical
from regions.region import RegionError
from regions.zone import time_zone


def ready_store(store: Store) -> Store:
    """The store, checked, with the time zone of its position when it names none. Needs no unit; raises `InputError`."""
    if store.opening_hours is not None:
        check_hours(store.opening_hours)
    names = [ring.name for ring in store.rings]
    if len(set(names)) != len(names):
        raise InputError("Two rings have one name.", errors=(("/rings", "ring names must differ"),))
    for place, ring in enumerate(store.rings):
        if len(ring_id(store.external_id, ring.name)) > 128:
            raise InputError("A ring's name is too long.", errors=((f"/rings/{place}/name", "store and ring together: 127 characters"),))
        _checked(_circle(store, ring), f"/rings/{place}")
    return replace(store, time_zone=store.time_zone or time_zone(store.lat, store.lon))


def ready_geofence(geofence: Geofence) -> Geofence:
    """The geofence with its region checked and in the one form that is kept. Needs no unit; raises `InputError`."""
    return replace(geofence, region=_checked(geofence.region, "/region"))


def put_store(unit: Unit, project_id: str, store: Store, now_ms: int) -> Edited:
    """Insert or replace a store that is ready; its rings become geofences named `<store>/<ring>`.

    A ring kept by name keeps its uid, so who is inside stays inside. `value` is (created, store); an upsert of the same
    content changes nothing.
    """
    old = unit.places.store(project_id, store.external_id)
    if old is not None and _same(old, store):
        return Edited((False, old))
    kept = replace(store, created_ms=old.created_ms if old else now_ms, updated_ms=now_ms)
    unit.places.put_store(project_id, kept)
    changed, removed = _set_rings(unit, project_id, kept, now_ms)
    return Edited((old is None, kept), changed, removed)


def delete_store(unit: Unit, project_id: str, external_id: str, now_ms: int) -> Edited:
    """Remove a store with its rings; other geofences that name it stay and forget it. Raises `NotFound`."""
    if unit.places.store(project_id, external_id) is None:
        raise NotFound
    rings: list[str] = []
    freed: list[Geofence] = []
    for geofence in unit.places.geofences_of_store(project_id, external_id):
        if is_ring(geofence.external_id):
            rings.append(geofence.uid)
        else:
            freed.append(replace(geofence, store_id=None, ring=None, updated_ms=now_ms))
    unit.places.delete_geofences(project_id, rings)
    for geofence in freed:
        unit.places.put_geofence(project_id, geofence)
    unit.places.delete_store(project_id, external_id)
    return Edited(None, tuple(one for one in freed if one.enabled), tuple(rings))


def put_geofence(unit: Unit, project_id: str, geofence: Geofence, now_ms: int) -> Edited:
    """Insert or replace by external id a geofence that is ready; its `uid` is chosen here. `value` is (created, geofence).

    Raises `Conflict` for a store's ring and `InputError` for a store that is not there.
    """
    refuse_ring(geofence.external_id)
    if geofence.store_id is not None and unit.places.store(project_id, geofence.store_id) is None:
        raise InputError("There is no store of that name.", errors=(("/store", "must be the external id of a store"),))
    old = unit.places.geofence(project_id, geofence.external_id)
    if old is not None and _same(old, geofence):
        return Edited((False, old))
    kept = _kept(old, geofence, now_ms)
    unit.places.put_geofence(project_id, kept)
    return Edited((old is None, kept), (kept,)) if kept.enabled else Edited((old is None, kept), (), (kept.uid,))


def delete_geofence(unit: Unit, project_id: str, external_id: str) -> Edited:
    """Remove a geofence; visits there end. Raises `NotFound`, and `Conflict` for a store's ring."""
    old = unit.places.geofence(project_id, external_id)
    if old is None:
        raise NotFound
    refuse_ring(external_id)
    unit.places.delete_geofences(project_id, [old.uid])
    return Edited(None, (), (old.uid,))


def ring_id(store_id: str, ring: str) -> str:
    """The external id of a store's ring."""
    return f"{store_id}/{ring}"


def is_ring(external_id: str) -> bool:
    """Whether a geofence of that name belongs to a store: only such names hold a slash."""
    return "/" in external_id


def refuse_ring(external_id: str) -> None:
    """Raises `Conflict` for the name of a store's ring."""
    if is_ring(external_id):
        raise Conflict("A name with a slash belongs to a ring of a store: change the store's rings instead.", code="ring_of_store")


def _set_rings(unit: Unit, project_id: str, store: Store, now_ms: int) -> tuple[tuple[Geofence, ...], tuple[str, ...]]:
    old = {one.external_id: one for one in unit.places.geofences_of_store(project_id, store.external_id) if is_ring(one.external_id)}
    wanted = [_ring_geofence(store, ring) for ring in store.rings]
    removed = tuple(old[name].uid for name in sorted(old.keys() - {one.external_id for one in wanted}))
    unit.places.delete_geofences(project_id, removed)
    fresh = [one for one in wanted if one.external_id not in old or not _same(old[one.external_id], one)]
    changed = tuple(_kept(old.get(one.external_id), one, now_ms) for one in fresh)
    for geofence in changed:
        unit.places.put_geofence(project_id, geofence)
    return changed, removed


def _ring_geofence(store: Store, ring: Ring) -> Geofence:
    return Geofence(
        uid="",
        external_id=ring_id(store.external_id, ring.name),
        region=_circle(store, ring),
        store_id=store.external_id,
        ring=ring.name,
        name=store.name,
        tags=store.tags,
        profile=ring.profile,
    )


def _circle(store: Store, ring: Ring) -> dict[str, object]:
    return {"type": "circle", "lat": store.lat, "lon": store.lon, "radius_m": ring.radius_m}


def _checked(region: dict[str, object], pointer: str) -> dict[str, object]:
    try:
        return canonical(region)
    except RegionError as error:
        raise InputError(error.detail, code=error.code, errors=((pointer + error.pointer, error.detail),)) from None


def _kept(old: Geofence | None, new: Geofence, now_ms: int) -> Geofence:
    uid = old.uid if old else ids.new("gf")
    return replace(new, uid=uid, created_ms=old.created_ms if old else now_ms, updated_ms=now_ms)


def _same(old: Store | Geofence, new: Store | Geofence) -> bool:
    """Whether an upsert would change nothing but its own time."""
    times = {"created_ms": old.created_ms, "updated_ms": old.updated_ms}
    return old == (replace(new, uid=old.uid, **times) if isinstance(old, Geofence) else replace(new, **times))
