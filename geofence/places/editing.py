"""Edits of stores and geofences within a unit, with their effect on rings, uids and the index."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Literal, TypeVar

from msgspec.structs import replace

from geofence import ids
from geofence.errors import Conflict, InputError, NotFound
from geofence.model.edit import EditResult
from geofence.model.place import Geofence, Ring, Store
from geofence.places.opening_hours import check_hours
from geofence.ports.unit import Unit
from regions.geojson import canonical
from regions.geometry.time_zone import time_zone
from regions.region import RegionError
from regions.validation.validate import check_circle

T = TypeVar("T", Store, Geofence)
Fill = Callable[[T | None, T], T | None]
"""(old, new) -> what is written: `new` with what it takes over from `old`, which is None for a new
place. None refuses a new place, for a file that can only update."""
Outcome = Literal["created", "updated", "unchanged", "no_store", "unknown_id"]
WRITTEN = ("created", "updated")


def ready_store(store: Store) -> Store:
    """The store, checked, with the time zone of its position when it names none.

    Needs no unit; raises `InputError`.
    """
    if store.opening_hours is not None:
        check_hours(store.opening_hours)
    names = [ring.name for ring in store.rings]
    if len(set(names)) != len(names):
        raise InputError("Two rings have one name.", errors=(("/rings", "ring names must differ"),))
    for place, ring in enumerate(store.rings):
        if len(ring_id(store.external_id, ring.name)) > 128:
            raise InputError(
                "A ring's name is too long.",
                errors=((f"/rings/{place}/name", "store and ring together: 127 characters"),),
            )
        _check_ring(store, ring, f"/rings/{place}")
    return replace(store, time_zone=store.time_zone or time_zone(store.lat, store.lon))


def ready_geofence(geofence: Geofence) -> Geofence:
    """The geofence with its region checked and in canonical form.

    Needs no unit; raises `InputError`.
    """
    return replace(geofence, region=_checked(geofence.region, "/region"))


def put_store(unit: Unit, project_id: str, store: Store, now_ms: int) -> EditResult:
    """Insert or replace a store that is ready; its rings become geofences named `<store>/<ring>`.

    A ring kept by name keeps its uid, so devices inside stay inside. `value` is (created, store);
    an upsert of the same content changes nothing.
    """
    edited = put_stores(unit, project_id, [store], now_ms)
    outcome, kept = edited.value[0]
    return edited._replace(value=(outcome == "created", kept))


def put_stores(
    unit: Unit,
    project_id: str,
    stores: Sequence[Store],
    now_ms: int,
    fill: Fill[Store] | None = None,
) -> EditResult:
    """`put_store` for many stores with different ids.

    `value` is a list of (outcome, store), one for each in order. `fill` runs before old and new are
    compared.
    """
    unit.edit(project_id)
    known = unit.places.stores(project_id, [store.external_id for store in stores])
    put = judge(known, stores, fill)
    fresh = [
        _timed(known.get(one.external_id), one, now_ms)
        for outcome, one in put
        if outcome in WRITTEN
    ]
    unit.places.put_stores(project_id, fresh)
    changed, removed = _set_rings(unit, project_id, fresh, now_ms)
    kept = {store.external_id: store for store in fresh}
    return EditResult(
        [(outcome, kept.get(one.external_id, one)) for outcome, one in put], changed, removed
    )


def judge(
    known: Mapping[str, T], given: Sequence[T], fill: Fill[T] | None = None
) -> list[tuple[Outcome, T]]:
    """What writing these places does, given the known ones of the same ids.

    Returns (outcome, the place that is stored) for each, in order.
    """
    judged: list[tuple[Outcome, T]] = []
    for new in given:
        old = known.get(new.external_id)
        filled = fill(old, new) if fill else new
        if filled is None:
            judged.append(("unknown_id", new))
        elif old is None:
            judged.append(("created", filled))
        else:
            judged.append(("unchanged", old) if _same(old, filled) else ("updated", filled))
    return judged


def delete_store(unit: Unit, project_id: str, external_id: str, now_ms: int) -> EditResult:
    """Remove a store with its rings; its other geofences stay, without a store.

    Raises `NotFound`.
    """
    unit.edit(project_id)
    if not unit.places.stores(project_id, [external_id]):
        raise NotFound
    rings: list[str] = []
    freed: list[Geofence] = []
    for geofence in unit.places.geofences_of_stores(project_id, [external_id]).get(external_id, ()):
        if is_ring(geofence.external_id):
            rings.append(geofence.uid)
        else:
            freed.append(replace(geofence, store_id=None, ring=None, updated_ms=now_ms))
    unit.places.delete_geofences(project_id, rings)
    unit.places.put_geofences(project_id, freed)
    unit.places.delete_store(project_id, external_id)
    return EditResult(None, tuple(one for one in freed if one.enabled), tuple(rings))


def put_geofence(unit: Unit, project_id: str, geofence: Geofence, now_ms: int) -> EditResult:
    """Insert or replace by external id a geofence that is ready; chooses its `uid`.

    `value` is (created, geofence). Raises `Conflict` for a store's ring and `InputError` for an
    unknown store.
    """
    refuse_ring(geofence.external_id)
    edited = put_geofences(unit, project_id, [geofence], now_ms)
    outcome, kept = edited.value[0]
    if outcome == "no_store":
        raise InputError(
            "There is no store of that name.",
            errors=(("/store", "must be the external id of a store"),),
        )
    return edited._replace(value=(outcome == "created", kept))


def put_geofences(
    unit: Unit,
    project_id: str,
    geofences: Sequence[Geofence],
    now_ms: int,
    fill: Fill[Geofence] | None = None,
) -> EditResult:
    """`put_geofence` for many geofences with different ids, none of them a store's ring.

    `value` is a list of (outcome, geofence). A geofence whose store is unknown has the outcome
    `no_store` and is not written; the others are.
    """
    unit.edit(project_id)
    known = unit.places.geofences(project_id, [one.external_id for one in geofences])
    stores = unit.places.stores(
        project_id, {one.store_id for one in geofences if one.store_id is not None}
    )
    put = judge_geofences(known, stores, geofences, fill)
    fresh = {
        one.external_id: _kept(known.get(one.external_id), one, now_ms)
        for outcome, one in put
        if outcome in WRITTEN
    }
    unit.places.put_geofences(project_id, list(fresh.values()))
    changed = tuple(one for one in fresh.values() if one.enabled)
    removed = tuple(one.uid for one in fresh.values() if not one.enabled)
    return EditResult(
        [(outcome, fresh.get(one.external_id, one)) for outcome, one in put], changed, removed
    )


def judge_geofences(
    known: Mapping[str, Geofence],
    stores: Container[str],
    given: Sequence[Geofence],
    fill: Fill[Geofence] | None = None,
) -> list[tuple[Outcome, Geofence]]:
    """`judge`, and `no_store` for a geofence that names a store outside `stores`."""
    judged = judge(known, given, fill)
    return [
        ("no_store", one)
        if one.store_id is not None and one.store_id not in stores and outcome != "unknown_id"
        else (outcome, one)
        for outcome, one in judged
    ]


def delete_geofence(unit: Unit, project_id: str, external_id: str) -> EditResult:
    """Remove a geofence and end visits there.

    Raises `NotFound`, and `Conflict` for a store's ring.
    """
    unit.edit(project_id)
    old = unit.places.geofences(project_id, [external_id]).get(external_id)
    if old is None:
        raise NotFound
    refuse_ring(external_id)
    unit.places.delete_geofences(project_id, [old.uid])
    return EditResult(None, (), (old.uid,))


def ring_id(store_id: str, ring: str) -> str:
    """The external id of a store's ring."""
    return f"{store_id}/{ring}"


def is_ring(external_id: str) -> bool:
    """Whether a geofence with this id is a ring of a store: only such ids hold a slash."""
    return "/" in external_id


def refuse_ring(external_id: str) -> None:
    """Raise `Conflict` for the id of a store's ring."""
    if is_ring(external_id):
        raise Conflict(
            "A name with a slash belongs to a ring of a store: change the store's rings instead.",
            code="ring_of_store",
        )


def _set_rings(
    unit: Unit, project_id: str, stores: Sequence[Store], now_ms: int
) -> tuple[tuple[Geofence, ...], tuple[str, ...]]:
    """Make the ring geofences of these stores match their rings.

    Returns the geofences that changed, and the uids of those that were deleted.
    """
    old = _rings_of(unit, project_id, [store.external_id for store in stores])
    rings = (_ring_geofence(store, ring) for store in stores for ring in store.rings)
    wanted = {one.external_id: one for one in rings}
    removed = tuple(old[name].uid for name in sorted(old.keys() - wanted.keys()))
    unit.places.delete_geofences(project_id, removed)
    fresh = [one for name, one in wanted.items() if name not in old or not _same(old[name], one)]
    changed = tuple(_kept(old.get(one.external_id), one, now_ms) for one in fresh)
    unit.places.put_geofences(project_id, changed)
    return changed, removed


def _rings_of(unit: Unit, project_id: str, store_ids: Sequence[str]) -> dict[str, Geofence]:
    """The ring geofences of these stores by external id."""
    held = unit.places.geofences_of_stores(project_id, store_ids)
    return {
        one.external_id: one for some in held.values() for one in some if is_ring(one.external_id)
    }


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
        raise InputError(
            error.detail, code=error.code, errors=((pointer + error.pointer, error.detail),)
        ) from None


def _check_ring(store: Store, ring: Ring, pointer: str) -> None:
    try:
        check_circle(store.lat, store.lon, ring.radius_m)
    except RegionError as error:
        raise InputError(
            error.detail, code=error.code, errors=((pointer + error.pointer, error.detail),)
        ) from None


def _kept(old: Geofence | None, new: Geofence, now_ms: int) -> Geofence:
    return replace(_timed(old, new, now_ms), uid=old.uid if old else ids.new("gf"))


def _timed(old: T | None, new: T, now_ms: int) -> T:
    return replace(new, created_ms=old.created_ms if old else now_ms, updated_ms=now_ms)


def _same(old: Store | Geofence, new: Store | Geofence) -> bool:
    """Whether an upsert would change nothing except its times."""
    times = {"created_ms": old.created_ms, "updated_ms": old.updated_ms}
    return old == (
        replace(new, uid=old.uid, **times) if isinstance(old, Geofence) else replace(new, **times)
    )
