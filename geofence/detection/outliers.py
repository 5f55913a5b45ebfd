"""Whether the phone can have been there: judges each fix by the last one worth comparing with.

A fix too far from it is not trusted alone, whatever accuracy it claims. A second one that agrees
with the first shows that the phone did move (a flight, a tunnel), or that what came before was
wrong (the first fix after a start is often an old one): the outlier then becomes what others are
compared with. So no phone is locked out for longer than two fixes.
"""

from __future__ import annotations

from math import cos, hypot, radians
from typing import NamedTuple

from geofence.model.ping import Fix

SUSPECT_MPS = 340.0
JUMP_MPS = 70.0
REFERENCE_ACCURACY_M = 200.0
AGREE_MS = 20_000  # as for leaving: one burst of bad fixes is over by then
METRES_PER_DEGREE = 111_195.0


class Trail(NamedTuple):
    """The last fix worth comparing with, and one too far from it that waits for another to agree.

    The candidate's claimed accuracy is forgotten.
    """

    last: Fix | None = None
    candidate: Fix | None = None


class Classified(NamedTuple):
    """The trail after a fix, whether that fix is evidence, and the speed (m/s) it implies."""

    trail: Trail
    trusted: bool
    speed_mps: float


def classify(trail: Trail, fix: Fix) -> Classified:
    """Judge a fix that is newer than both of the trail.

    A fix worse than 200 m is judged, but no other is compared with it.
    """
    comparable = fix.accuracy_m is None or fix.accuracy_m <= REFERENCE_ACCURACY_M
    speed_mps = 0.0 if trail.last is None else implied_mps(trail.last, fix)
    if speed_mps <= JUMP_MPS:
        return Classified(Trail(fix) if comparable else trail, True, speed_mps)
    if not comparable:
        return Classified(trail, False, speed_mps)
    if trail.candidate is None or implied_mps(trail.candidate, fix) > JUMP_MPS:
        return Classified(Trail(trail.last, fix._replace(accuracy_m=None)), False, speed_mps)
    if fix.ts_ms - trail.candidate.ts_ms < AGREE_MS:
        return Classified(trail, False, speed_mps)
    return Classified(Trail(fix), True, speed_mps)


def implied_mps(old: Fix, new: Fix) -> float:
    """The speed that explains two fixes.

    Where that is a jump, the least one: what stated accuracies explain is no movement.
    """
    moved_m = metres(old.lat, old.lon, new.lat, new.lon)
    took_s = max(new.ts_ms - old.ts_ms, 1) / 1000.0
    if moved_m <= JUMP_MPS * took_s:
        return moved_m / took_s
    doubt_m = min(old.accuracy_m or 0.0, REFERENCE_ACCURACY_M) + min(
        new.accuracy_m or 0.0, REFERENCE_ACCURACY_M
    )
    return max(0.0, moved_m - doubt_m) / took_s


def metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Distance on a sphere laid flat, metres.

    Good to a percent over what a phone moves between two pings.
    """
    east = (abs(other_lon - lon) + 180.0) % 360.0 - 180.0
    return METRES_PER_DEGREE * hypot(other_lat - lat, east * cos(radians(other_lat)))
