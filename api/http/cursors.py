"""What each list is sorted by: the fields whose values a cursor carries."""

from __future__ import annotations

from typing import Any

Key = str | int | list[str | int]

_SORTED_BY: dict[str, tuple[tuple[str, type], ...]] = {
    "stores": (("external_id", str),),
    "geofences": (("external_id", str),),
    "devices": (("device_id", str),),
    "events": (("stream_seq", int),),
    "visits": (("arrival_ms", int), ("visit_id", str)),
    "customers": (("customer_id", str),),
    "campaigns": (("id", str),),
    "decisions": (("at_ms", int), ("id", str)),
    "messages": (("created_ms", int), ("id", str)),
    "attempts": (("message_id", str), ("attempt", int)),
    "coupons": (("issued_ms", int), ("code", str)),
    "lint": (("place", int),),
}


def sort_key(noun: str, item: Any) -> Key:
    """The item's place in its list."""
    values = [getattr(item, name) for name, _ in _SORTED_BY[noun]]
    return values[0] if len(values) == 1 else values


def is_key_of(noun: str, key: Key) -> bool:
    """Whether this can be a place in the noun's list."""
    parts = key if isinstance(key, list) else [key]
    return isinstance(key, list) == (len(_SORTED_BY[noun]) > 1) and [
        type(part) for part in parts
    ] == [kind for _, kind in _SORTED_BY[noun]]
