"""Finds misspelt fields of pings: `latitude`, `accuracy`, `timestamp` and their kin.

Unknown fields of a ping are ignored, so a misspelt one would vanish without a word. A body whose
pings are all readable is only looked at in its first 2 KiB: a client that misspells a field does so
in every ping. Only where a name is found there, and where a ping is rejected, all items are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from api.http.problems import FieldWarning

_LOOKED_AT_BYTES = 2048
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "lat": ("latitude", "Latitude", "Lat"),
    "lon": ("lng", "long", "longitude", "Longitude", "Lon"),
    "ts": ("timestamp", "time", "tst", "datetime", "recorded_at", "location_timestamp"),
    "device_id": ("deviceId", "deviceID", "device", "deviceid", "tracker_id"),
    "customer_id": ("customerId", "customerID", "customer", "user_id", "userId"),
    "accuracy_m": ("accuracy", "acc", "horizontal_accuracy", "horizontalAccuracy"),
    "speed_mps": ("speed", "velocity", "vel"),
    "heading_deg": ("heading", "course", "bearing"),
    "altitude_m": ("altitude", "alt", "elevation"),
    "battery": ("battery_level", "batteryLevel", "batt"),
    "mocked": ("is_mock", "isMock", "mock", "isMocked"),
    "hint_version": ("hintVersion",),
}
NEAR_MISSES = {wrong: right for right, spellings in _SPELLINGS.items() for wrong in spellings}
_NAMES = frozenset(NEAR_MISSES)
_QUOTED = re.compile(rb'"(?:%b)"\s*:' % "|".join(sorted(_NAMES)).encode())


def in_start(body: bytes) -> bool:
    """Whether the start of a body names such a field, at any depth."""
    return _QUOTED.search(body, 0, _LOOKED_AT_BYTES) is not None


def in_items(items: Iterable[Any]) -> tuple[FieldWarning, ...]:
    """One warning for each distinct name, where the right field is absent from the item."""
    counts: Counter[str] = Counter()
    for item in items:
        if isinstance(item, dict):
            counts.update(name for name in _NAMES & item.keys() if NEAR_MISSES[name] not in item)
    return tuple(
        FieldWarning(name, NEAR_MISSES[name], count) for name, count in sorted(counts.items())
    )
