"""Stores and geofences as rows of a file, with columns that an import reads back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from geofence.model.place import Geofence, Profile, Ring, Store
from regions.readers.item import Item

NO_RINGS = "none"
_PARTS = ";|,:[{"


def items_of_stores(stores: Iterable[Store], *, with_id: bool = False) -> Iterator[Item]:
    """Each store as a Point, with `rings` as `near:150;wide:800` or, where needed, as a list.

    `with_id` sets the id of the feature, too, for formats that have one.
    """
    for number, store in enumerate(stores, 1):
        properties = {
            "external_id": store.external_id,
            "name": store.name,
            "brand": store.brand,
            "address": store.address,
            "time_zone": store.time_zone,
            "opening_hours": store.opening_hours,
            "tags": _tags(store.tags),
            "rings": _rings(store.rings),
            "metadata": store.metadata or None,
        }
        yield Item(
            number,
            properties,
            {"type": "Point", "coordinates": _position(store)},
            store.external_id if with_id else None,
        )


def items_of_geofences(geofences: Iterable[Geofence], *, with_id: bool = False) -> Iterator[Item]:
    """Each geofence with its region in canonical form."""
    for number, fence in enumerate(geofences, 1):
        properties = {
            "external_id": fence.external_id,
            "name": fence.name,
            "store": fence.store_id,
            "ring": fence.ring,
            "tags": _tags(fence.tags),
            "profile": _profile(fence.profile),
            "active_from": _moment(fence.active_from_ms),
            "active_until": _moment(fence.active_until_ms),
            "enabled": fence.enabled,
            "metadata": fence.metadata or None,
        }
        yield Item(number, properties, fence.region, fence.external_id if with_id else None)


def _position(store: Store) -> list[float]:
    return [store.lat, store.lon][::-1]  # GeoJSON's order


def _tags(tags: tuple[str, ...]) -> str | list[str] | None:
    if any(mark in tag for tag in tags for mark in _PARTS):
        return list(tags)
    return ";".join(tags) or None


def _rings(rings: tuple[Ring, ...]) -> str | list[dict[str, Any]]:
    if any(
        ring.profile is not None
        or any(mark in ring.name for mark in _PARTS)
        or ring.name != ring.name.strip()
        for ring in rings
    ):
        return [
            {"name": ring.name, "radius_m": ring.radius_m, "profile": _profile(ring.profile)}
            for ring in rings
        ]
    return (
        ";".join(f"{ring.name}:{ring.radius_m!r}".removesuffix(".0") for ring in rings) or NO_RINGS
    )


def _profile(profile: Profile | None) -> str | dict[str, Any] | None:
    if profile is None:
        return None
    if profile == Profile(name=profile.name):
        return profile.name
    fields = msgspec.to_builtins(profile)
    return {name: value for name, value in fields.items() if value is not None and value != []}


def _moment(ms: int | None) -> str | None:
    if ms is None:
        return None
    seconds, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
