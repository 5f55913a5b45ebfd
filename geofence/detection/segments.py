"""The lines between a device's pings, for a whole batch at once.

Each line leads from the last fix worth comparing with to a ping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.detection.outliers import JUMP_MPS, METRES_PER_DEGREE, REFERENCE_ACCURACY_M
from geofence.model.ping import Fix, Floats, Pings, Times
from geofence.model.presence import DeviceKey, DeviceState

PASS_MS = 120_000
LEAST_MOVE_M = 10.0
POLAR_DEG = 89.0  # beyond, no movement is straight in degrees


Column = NDArray[Any]


class Segments(NamedTuple):
    """Lines as columns of length n: the start, and the ping at the end.

    Times are epoch ms (0 where no start is known), places degrees, claimed accuracies metres or
    NaN.
    """

    start_ms: Column
    start_lat: Column
    start_lon: Column
    start_accuracy_m: Column
    end_ms: Column
    end_lat: Column
    end_lon: Column
    end_accuracy_m: Column

    @staticmethod
    def to(
        pings: Pings,
        devices: Sequence[tuple[DeviceKey, list[int]]],
        states: Mapping[DeviceKey, DeviceState],
    ) -> Segments:
        """The line to each ping.

        It starts at the last good ping of the device before it in the batch, or at the fix that the
        state remembers. `devices` has the rows of each device in time order. Jumps, late and
        repeated pings are not known here yet.
        """
        n, sizes = len(pings), [len(rows) for _, rows in devices]
        rows = np.fromiter((row for _, some in devices for row in some), np.int64, n)
        old, here = _last_good(pings, rows, sizes)
        back = np.empty(n, dtype=np.int64)
        back[rows] = np.arange(n)
        kept = _remembered([states[key] for key, _ in devices])

        def start(column: Column, remembered: Column) -> Column:
            return np.where(here, column[old], np.repeat(remembered, sizes))[back]

        columns = (pings.ts_ms, pings.lat, pings.lon, pings.accuracy_m)
        return Segments(*[*map(start, columns, kept), *columns])

    @staticmethod
    def between(start: Fix, end: Fix) -> Segments:
        """The one line between two fixes."""
        ends = [np.array([np.nan if value is None else value]) for value in (*start, *end)]
        return Segments(*ends)

    def of(self, rows: NDArray[np.int64]) -> Segments:
        """Some of them."""
        return Segments(*(column[rows] for column in self))

    def plausible(self) -> NDArray[np.int64]:
        """Rows between two good fixes, at most 120 s apart, whose move is no jump."""
        took_ms, moved_m = self.end_ms - self.start_ms, self.length_m()
        doubt_m = np.nan_to_num(self.start_accuracy_m) + np.nan_to_num(self.end_accuracy_m)
        slow = moved_m - doubt_m <= JUMP_MPS * took_ms / 1000.0
        bad = (self.end_accuracy_m > REFERENCE_ACCURACY_M) | (
            self.start_accuracy_m > REFERENCE_ACCURACY_M
        )
        timely = (took_ms > 0) & (took_ms <= PASS_MS)
        return np.flatnonzero(
            timely & slow & ~bad & (moved_m >= LEAST_MOVE_M) & (np.abs(self.end_lat) < POLAR_DEG)
        )

    def length_m(self) -> Floats:
        """Metres from start to end."""
        east = self._east_deg() * np.cos(np.radians(self.end_lat))
        length_m: Floats = METRES_PER_DEGREE * np.hypot(self.end_lat - self.start_lat, east)
        return length_m

    def points(self, step_m: float) -> tuple[NDArray[np.int64], Floats]:
        """Points between the ends, at most `step_m` apart.

        Two columns of length m: the row of the line, and the share of it before the point, in
        (0, 1).
        """
        parts = np.maximum(np.ceil(self.length_m() / step_m).astype(np.int64), 2)
        inner = parts - 1
        way = np.repeat(np.arange(len(inner)), inner)
        number = np.arange(len(way)) - np.repeat(np.cumsum(inner) - inner, inner) + 1
        return way, number / parts[way]

    def at(self, way: NDArray[np.int64], share: Floats) -> tuple[Floats, Floats]:
        """Columns of lat and lon (degrees) of points on lines, also across the 180th meridian."""
        lat = self.start_lat[way] + share * (self.end_lat - self.start_lat)[way]
        lon = self.start_lon[way] + share * self._east_deg()[way]
        return lat, (lon + 180.0) % 360.0 - 180.0

    def _east_deg(self) -> Floats:
        """Degrees of longitude from start to end, the short way."""
        return (self.end_lon - self.start_lon + 180.0) % 360.0 - 180.0


def _last_good(
    pings: Pings, rows: NDArray[np.int64], sizes: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(row of the last good ping before each of `rows`, whether its device has one in the batch).

    `rows` are those of the devices one after another, `sizes` how many each device has.
    """
    n = len(rows)
    good = ~pings.suspect[rows] & ~(pings.accuracy_m[rows] > REFERENCE_ACCURACY_M)
    before = np.maximum.accumulate(np.where(good, np.arange(n), -1))
    before = np.concatenate([[-1], before[:-1]])
    here = before >= np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rows[np.maximum(before, 0)], here


def _remembered(states: Sequence[DeviceState]) -> tuple[Times, Floats, Floats, Floats]:
    """The last fix of each state: ms (0 for none), lat, lon, claimed accuracy (NaN for none)."""
    fix_ms = np.array([state.fix_ms or 0 for state in states], dtype=np.int64)
    lat, lon = np.array([state.lat for state in states]), np.array([state.lon for state in states])
    accuracy_m = np.array(
        [np.nan if state.fix_accuracy_m is None else state.fix_accuracy_m for state in states]
    )
    return fix_ms, lat, lon, accuracy_m
