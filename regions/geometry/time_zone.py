"""The time zone of a position."""

from __future__ import annotations

import tzfpy

from regions.region import RegionError


def time_zone(lat: float, lon: float) -> str:
    """IANA name of the zone at a position in degrees, `Etc/UTC` where none is known.

    Raises `RegionError` out of range.
    """
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise RegionError(
            "invalid_position", "latitude must be within 90 degrees and longitude within 180"
        )
    return str(tzfpy.get_tz(lon, lat)) or "Etc/UTC"
