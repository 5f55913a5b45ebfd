"""The member `crs` that GeoJSON had before RFC 7946.

WGS84 under any of its names is taken, any other system refused.
"""

from __future__ import annotations

import re

from regions.readers.item import IN_SYSTEM

# Longitude and latitude on WGS84, and the two that differ from it by less than 2 m, which no phone
# can tell.
_WGS84 = re.compile(r"(?:^|:)(?:CRS84h?|4326|4979)$", re.IGNORECASE)
_NEARLY = re.compile(r"(?:^|:)(?:4269|4258|CRS83)$", re.IGNORECASE)


def crs_notes(crs: object) -> tuple[tuple[str, ...], str | None]:
    """Notes on the system, and why it cannot be read, if so (RFC 7946, section 4)."""
    if crs is None:
        return (), None
    system = crs.get("properties") if isinstance(crs, dict) else crs
    name = system.get("name") or system.get("code") if isinstance(system, dict) else system
    word = str(name)[:80] if isinstance(name, str | int) else "that it does not name"
    if _WGS84.search(word):
        return (), None
    if _NEARLY.search(word):
        return (
            f"{IN_SYSTEM} {word}, which is within 2 m of WGS84; they were taken as they are",
        ), None
    return (
        (),
        f"{IN_SYSTEM} a system {word}; GeoJSON is in WGS84 (RFC 7946): convert the file first",
    )
