"""Whether the phone stands still: within 70 m of one place for 140 s, reported once a place.

A single fix elsewhere ends no stop: leaving takes two, 20 s apart, as leaving a geofence does. So
an outlier neither hides a stop nor makes it two.
"""

from __future__ import annotations

from msgspec.structs import replace

from geofence.detection.evidence import MISSING_ACCURACY_M
from geofence.detection.outliers import AGREE_MS, metres
from geofence.model.presence import Spot, Stop

STILL_M = 70.0
STILL_MS = 140_000


def update(stop: Stop | None, here: Spot, accuracy_m: float | None) -> tuple[Stop | None, bool]:
    """What is remembered of a stop after a fix, and whether the phone is now known to stand still.

    Worse than 70 m says nothing.
    """
    if (MISSING_ACCURACY_M if accuracy_m is None else accuracy_m) > STILL_M:
        return stop, False
    if stop is None:
        return Stop(here), False
    if _near(stop.at, here):
        stays = stop if stop.departure is None else replace(stop, departure=None)
        return _judged(stays, here)
    if stop.departure is None:
        return replace(stop, departure=here), False
    if here.since_ms - stop.departure.since_ms < AGREE_MS:
        return stop, False
    return _judged(Stop(stop.departure if _near(stop.departure, here) else here), here)


def _judged(stop: Stop, here: Spot) -> tuple[Stop, bool]:
    if stop.reported or here.since_ms - stop.at.since_ms < STILL_MS:
        return stop, False
    return replace(stop, reported=True), True


def _near(one: Spot, other: Spot) -> bool:
    return metres(one.lat, one.lon, other.lat, other.lon) <= STILL_M
