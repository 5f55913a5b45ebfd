"""`outliers.classify` for the pings of many devices at once.

The rule and its numbers are the same up to the last digit. Where that digit could decide, the
device is left undecided, and the caller classifies its pings one by one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.detection.outliers import (
    AGREE_MS,
    JUMP_MPS,
    METRES_PER_DEGREE,
    REFERENCE_ACCURACY_M,
    SUSPECT_MPS,
)
from geofence.model.device_table import (
    FIX_ACCURACY,
    FIX_LAT,
    FIX_LON,
    FIX_MS,
    ODD_LAT,
    ODD_LON,
    ODD_MS,
    WATERMARK,
    Trails,
)

MOST_ROUNDS = 16  # a device with a jump and more pings than this in a unit goes one by one
_CLOSE = 1e-9  # numpy and math may differ in the last digit: as near to a limit decides nothing

Column = NDArray[Any]


class Fixes(NamedTuple):
    """(n,) columns of pings: epoch ms as float64, degrees, metres (NaN for none), suspect."""

    ms: Column
    lat: Column
    lon: Column
    accuracy_m: Column
    suspect: Column

    def at(self, rows: Column) -> Fixes:
        """Those of these rows."""
        return Fixes(*(column[rows] for column in self))


class Devices(NamedTuple):
    """Pings by device: `of` (n,) the device of each, `first` and `size` (m,) its place and number.

    Pings lie device by device and in time order within one; all are newer than its watermark.
    """

    of: Column
    first: Column
    size: Column


class Classified(NamedTuple):
    """What `classify_all` found.

    By ping (n,): whether it is evidence, whether its speed is impossible; `start` (4, n) the fix
    that its way began at (epoch ms, NaN for none; degrees; metres). By device: `trail` (m, 8) after
    all its pings, and whether it is undecided (m,).
    """

    trusted: Column
    impossible: Column
    start: Column
    trail: Trails
    undecided: Column


class _Speed(NamedTuple):
    jump: Column
    impossible: Column
    close: Column


def classify_all(trail: Trails, devices: Devices, fixes: Fixes) -> Classified:
    """Classify the pings of devices against their trails (m, 8), which stay as they are."""
    rows, use = np.arange(len(fixes.ms)), ~fixes.suspect
    good = use & ~(fixes.accuracy_m > REFERENCE_ACCURACY_M)
    newest_good = np.maximum.accumulate(np.where(good, rows, -1))
    start = _starts(trail, devices, fixes, newest_good)
    speed = _speed(start, fixes)
    never = np.zeros(len(rows), dtype=np.bool_)
    found = Classified(use.copy(), never, start, trail.copy(), _of_some(devices, speed.close & use))
    jumpy = _of_some(devices, speed.jump & use)
    _calm(found, devices, fixes, newest_good, np.flatnonzero(~jumpy))
    if jumpy.any():
        _jumpy(found, devices, fixes, np.flatnonzero(jumpy))
    found.trail[:, WATERMARK] = fixes.ms[devices.first + devices.size - 1]
    return found


def _of_some(devices: Devices, pings: Column) -> Column:
    """(m,) whether any of a device's pings is among these."""
    some = np.zeros(len(devices.first), dtype=np.bool_)
    some[devices.of[pings]] = True
    return some


def _starts(trail: Trails, devices: Devices, fixes: Fixes, newest_good: Column) -> Column:
    """(4, n) the last comparable fix before each ping, as if no device jumped."""
    start = trail[:, FIX_MS : FIX_ACCURACY + 1].T.take(devices.of, axis=1)
    before = np.concatenate([[-1], newest_good[:-1]])
    here = np.flatnonzero(before >= devices.first[devices.of])
    old = before[here]
    for row, column in enumerate(fixes[:4]):
        start[row, here] = column[old]
    return start


def _calm(
    found: Classified, devices: Devices, fixes: Fixes, newest_good: Column, calm: Column
) -> None:
    """Devices without a jump: every ping is evidence, the newest good fix stays to compare with."""
    newest = newest_good[devices.first[calm] + devices.size[calm] - 1]
    some = newest >= devices.first[calm]
    _believe(found.trail, calm, fixes.at(newest), some)


def _jumpy(found: Classified, devices: Devices, fixes: Fixes, rows: Column) -> None:
    """Devices with a jump, one ping of each at a time."""
    many = devices.size[rows] > MOST_ROUNDS
    found.undecided[rows[many]] = True
    rows = rows[~many]
    for nth in range(int(devices.size[rows].max(initial=0))):
        rows = rows[devices.size[rows] > nth]
        pings = devices.first[rows] + nth
        used = ~fixes.suspect[pings]
        _round(found, rows[used], pings[used], fixes.at(pings[used]))


def _round(found: Classified, rows: Column, pings: Column, fixes: Fixes) -> None:
    """One ping of each of these devices: `outliers.classify`, line by line."""
    start, odd = _compared(found.trail[rows])
    speed, candidate = _speed(start, fixes), _speed(odd, fixes)
    good = ~(fixes.accuracy_m > REFERENCE_ACCURACY_M)
    alone = np.isnan(odd[0]) | candidate.jump
    agreed = good & ~alone & (fixes.ms - odd[0] >= AGREE_MS)
    doubted = speed.jump & ~agreed
    found.start[:, pings] = start
    found.trusted[pings], found.impossible[pings] = ~doubted, speed.impossible & doubted
    found.undecided[rows[speed.close | candidate.close]] = True
    _believe(found.trail, rows, fixes, good & ~doubted)
    _wait(found.trail, rows, fixes, speed.jump & good & alone)


def _compared(trail: Trails) -> tuple[Column, Column]:
    """(4, k) each: the last fix, and the one that waits (it claims no accuracy)."""
    columns = trail.T
    none = np.full((1, len(trail)), np.nan)
    odd = np.concatenate([columns[ODD_MS : ODD_LON + 1], none])
    return columns[FIX_MS : FIX_ACCURACY + 1], odd


def _wait(trail: Trails, rows: Column, fixes: Fixes, which: Column) -> None:
    """Those of the fixes that are `which` wait for another that agrees."""
    rows, fixes = rows[which], fixes.at(which)
    trail[rows, ODD_MS] = fixes.ms
    trail[rows, ODD_LAT] = fixes.lat
    trail[rows, ODD_LON] = fixes.lon


def _believe(trail: Trails, rows: Column, fixes: Fixes, which: Column) -> None:
    """Later fixes are compared with those that are `which`; no candidate waits any more."""
    rows, fixes = rows[which], fixes.at(which)
    trail[rows, FIX_MS] = fixes.ms
    trail[rows, FIX_LAT] = fixes.lat
    trail[rows, FIX_LON] = fixes.lon
    trail[rows, FIX_ACCURACY] = fixes.accuracy_m
    trail[rows, ODD_MS:] = np.nan


def _speed(start: Column, to: Fixes) -> _Speed:
    """Which ways are jumps, impossible, or too close to either limit; from nowhere (NaN) neither.

    `start` (4, k): epoch ms, degrees, degrees, metres.
    """
    moved_m = _metres(start[1], start[2], to)
    took_s = np.maximum(to.ms - start[0], 1.0) / 1000.0
    believed_m, limit_m = JUMP_MPS * took_s, SUSPECT_MPS * took_s
    least_m = moved_m - _doubt_m(start[3]) - _doubt_m(to.accuracy_m)
    slack_m = _CLOSE * (moved_m + believed_m + 1.0)
    gaps_m = (least_m - believed_m, moved_m - believed_m, least_m - limit_m)
    close: Column = np.minimum.reduce([np.abs(gap_m) for gap_m in gaps_m]) < slack_m
    return _Speed(least_m > believed_m, least_m > limit_m, close)


def _metres(lat: Column, lon: Column, to: Fixes) -> Column:
    """`outliers.metres`."""
    east_deg = (np.abs(to.lon - lon) + 180.0) % 360.0 - 180.0
    moved_deg: Column = np.hypot(to.lat - lat, east_deg * np.cos(np.radians(to.lat)))
    return METRES_PER_DEGREE * moved_deg


def _doubt_m(accuracy_m: Column) -> Column:
    return np.minimum(np.where(np.isnan(accuracy_m), 0.0, accuracy_m), REFERENCE_ACCURACY_M)
