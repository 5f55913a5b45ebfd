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
    """Rank of a trigger, higher for the more specific one.

    Named stores rank above a tag, a brand and every store; a named ring above any ring.
    """
    stores = 3 if wanted.ids else 2 if wanted.tag else 1 if wanted.brand else 0
    return (stores, int(ring is not None))
