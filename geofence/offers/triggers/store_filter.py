"""Which stores a trigger means."""

from __future__ import annotations

from geofence.model.campaign import StoreFilter
from geofence.model.place import Store


def at_store(store: Store, wanted: StoreFilter) -> bool:
    """Whether all conditions of the filter hold for this store."""
    return (
        (wanted.brand is None or wanted.brand == store.brand)
        and (wanted.tag is None or wanted.tag in store.tags)
        and (not wanted.ids or store.external_id in wanted.ids)
    )


def how_specific(wanted: StoreFilter, ring: str | None) -> tuple[int, int]:
    """Sorts specific before general.

    Named stores, then a tag, a brand, every store; a named ring before any ring.
    """
    stores = 3 if wanted.ids else 2 if wanted.tag else 1 if wanted.brand else 0
    return (stores, int(ring is not None))
