"""Circles and boxes by metres around Helsinki, and what the linter finds in them."""

from __future__ import annotations

import numpy as np
from shapely import box

from regions.geometry.geodesy import GEOD
from regions.lint.lint import Finding, lint
from regions.region import Area, Circle, Region

HELSINKI = (60.1699, 24.9384)


def moved(lat: float, lon: float, east_m: float, north_m: float = 0.0) -> tuple[float, float]:
    to_lon, to_lat, _ = GEOD.fwd(
        lon, lat, np.degrees(np.arctan2(east_m, north_m)), np.hypot(east_m, north_m)
    )
    return float(to_lat), float(to_lon)


def circle_at(east_m: float = 0.0, radius_m: float = 150.0, north_m: float = 0.0) -> Circle:
    return Circle(*moved(*HELSINKI, east_m, north_m), radius_m)


def box_at(wide_m: float, high_m: float, east_m: float = 0.0) -> Area:
    south, west = moved(*HELSINKI, east_m)
    north, _ = moved(south, west, 0.0, high_m)
    _, east = moved(south, west, wide_m)
    return Area(box(west, south, east, north))


def findings(regions: dict[str, Region], code: str, **limits: float) -> list[Finding]:
    found = lint(list(regions.items()), **limits)  # type: ignore[arg-type]  # all are numbers
    return [finding for finding in found if finding.code == code]


def only_finding(regions: dict[str, Region], code: str) -> Finding:
    (found,) = findings(regions, code)
    return found


def town(count: int = 40) -> dict[str, Region]:
    return {f"s{nth}": circle_at(nth % 7 * 2000.0, 150, nth // 7 * 2000.0) for nth in range(count)}
