"""Devices as rows of one table: what is remembered of a device is one cache line of numbers.

Objects are made only for devices where something can happen; see `street/quiet.py`. Whole
milliseconds are exact in a float64 until the year 287396.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.model.presence import DeviceState, Presence

WATERMARK, FIX_MS, FIX_LAT, FIX_LON, FIX_ACCURACY, ODD_MS, ODD_LAT, ODD_LON = range(8)
COLUMNS = 8

KNOWN = 1  # the record has a row of the device
BUSY = 2  # the device has presences
READ = 4  # the record was asked about the device since the table has it

_FIRST_ROWS = 1024
_MASK = 0xFFFF_FFFF_FFFF_FFFF

Rows = NDArray[np.int64]
Trails = NDArray[np.float64]


def _digest(project_id: str, device_id: str) -> int:
    text = f"{project_id}\x1f{device_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class Moved(NamedTuple):
    """Devices after a unit that changed their trails alone.

    `rows` (k,) of the table, `trail` (k, 8), `new` (k,) bool: the record has no row of them yet.
    """

    rows: Rows
    trail: Trails
    new: NDArray[np.bool_]


class DeviceTable:
    """The devices of one project. One writer uses it; rows move only between units.

    `trail` (capacity, 8) float64, NaN for none: watermark (epoch ms), last fix (epoch ms, degrees,
    degrees, metres), and a fix too far from it that waits for another (epoch ms, degrees, degrees).
    `flag` (capacity,) uint8. `salt` (capacity,) uint64 is a digest of project and name: it seeds
    fingerprints and numbers locks. `customer` (capacity,) int32 numbers the
    person, 0 for none. `presences` holds those of busy rows.
    """

    def __init__(self, project_id: str) -> None:
        self.project_id = project_id
        self.row_of: dict[str, int] = {}
        self.names: list[str] = []
        self.trail = np.full((_FIRST_ROWS, COLUMNS), np.nan)
        self.flag = np.zeros(_FIRST_ROWS, dtype=np.uint8)
        self.salt = np.zeros(_FIRST_ROWS, dtype=np.uint64)
        self.customer = np.zeros(_FIRST_ROWS, dtype=np.int32)
        self.used = np.zeros(
            _FIRST_ROWS, dtype=np.uint32
        )  # the number of the unit that last met it
        self.presences: dict[int, dict[str, Presence]] = {}
        self._turn = 0
        self._customers: list[str | None] = [None]
        self._number_of: dict[str | None, int] = {None: 0}

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, names: Sequence[str]) -> Rows:
        """(n,) the row of each name; an unknown name gets a new row without a flag."""
        try:
            return np.fromiter(map(self.row_of.__getitem__, names), np.int64, len(names))
        except KeyError:
            for name in names:
                if name not in self.row_of:
                    self._add(name)
            return np.fromiter(map(self.row_of.__getitem__, names), np.int64, len(names))

    def customer_numbers(self, customer_ids: Iterable[str | None], count: int) -> NDArray[np.int32]:
        """(count,) the number of each person, 0 for none; new ones are numbered."""
        return np.fromiter(map(self._customer_number, customer_ids), np.int32, count)

    def state(self, row: int) -> DeviceState:
        """What is remembered of a row, as an object."""
        watermark, fix, lat, lon, accuracy, odd, odd_lat, odd_lon = self.trail[row].tolist()
        has_fix, has_odd = not isnan(fix), not isnan(odd)
        return DeviceState(
            bool(self.flag[row] & KNOWN),
            None if isnan(watermark) else int(watermark),
            int(fix) if has_fix else None,
            lat if has_fix else 0.0,
            lon if has_fix else 0.0,
            self._customers[self.customer[row]],
            self.presences.get(row, {}),
            None if isnan(accuracy) else accuracy,
            int(odd) if has_odd else None,
            odd_lat if has_odd else 0.0,
            odd_lon if has_odd else 0.0,
        )

    def put(self, row: int, state: DeviceState) -> None:
        """Remember a state as the record has it, or as it was committed."""
        has_fix, has_odd = state.fix_ms is not None, state.odd_ms is not None
        self.trail[row] = (
            _or_nan(state.watermark_ms),
            _or_nan(state.fix_ms),
            state.lat if has_fix else np.nan,
            state.lon if has_fix else np.nan,
            _or_nan(state.fix_accuracy_m),
            _or_nan(state.odd_ms),
            state.odd_lat if has_odd else np.nan,
            state.odd_lon if has_odd else np.nan,
        )
        if state.presences:
            self.presences[row] = state.presences
        else:
            self.presences.pop(row, None)
        self.customer[row] = self._customer_number(state.customer_id)
        known, busy = KNOWN if state.known else 0, BUSY if state.presences else 0
        self.flag[row] = READ | known | busy

    def settle(self, row: int, presences: dict[str, Presence]) -> None:
        """Set the presences of a row that was read."""
        self.presences[row] = presences
        self.flag[row] |= BUSY

    def forget(self, name: str) -> None:
        """Drop what is remembered of a device; the record is asked again at its next ping."""
        row = self.row_of.get(name)
        if row is not None:
            self.put(row, DeviceState())
            self.flag[row] = 0

    def touch(self, rows: Rows) -> None:
        """Note that a unit met these rows: `trim` throws out those met longest ago."""
        self._turn += 1
        self.used[rows] = self._turn

    def trim(self, most: int) -> None:
        """Throw out the rows that units met longest ago, where there are more than `most`.

        Half of `most` stay. Never call it within a unit: the numbers of rows change.
        """
        count = len(self.names)
        if count <= most:
            return
        stay = np.sort(np.argsort(self.used[:count], kind="stable")[count - most // 2 :])
        for column in ("trail", "flag", "salt", "customer", "used"):
            setattr(self, column, getattr(self, column)[stay].copy())
        kept = stay.tolist()
        self.names = [self.names[row] for row in kept]
        self.row_of = {name: row for row, name in enumerate(self.names)}
        found = self.presences
        self.presences = {new: found[old] for new, old in enumerate(kept) if old in found}

    def _add(self, name: str) -> None:
        row = self.row_of[name] = len(self.names)
        self.names.append(name)
        if row == len(self.flag):
            self._grow()
        self.salt[row] = _digest(self.project_id, name) & _MASK

    def _grow(self) -> None:
        more = max(len(self.flag), _FIRST_ROWS)
        self.trail = np.concatenate([self.trail, np.full((more, COLUMNS), np.nan)])
        for column in ("flag", "salt", "customer", "used"):
            old = getattr(self, column)
            setattr(self, column, np.concatenate([old, np.zeros(more, old.dtype)]))

    def _customer_number(self, customer_id: str | None) -> int:
        found = self._number_of.get(customer_id)
        if found is None:
            found = self._number_of[customer_id] = len(self._customers)
            self._customers.append(customer_id)
        return found


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
