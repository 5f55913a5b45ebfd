"""How a geofence is used, as its visits tell."""

from __future__ import annotations

import msgspec


class Traffic(msgspec.Struct, frozen=True):
    """Ended visits of a geofence, and how many of them were no longer than a drive through."""

    geofence_id: str
    visits: int
    short: int
