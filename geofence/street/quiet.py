"""Parts a group of pings: quiet devices stay columns, the others go through `track` as objects.

A device is quiet when nothing can happen to it: no presence; every ping strictly newer than its
watermark, in order over all requests, without an id that was seen, for the same customer, in a
request that asked for nothing; no fix that is evidence inside a geofence, none at all inside an
`exact` one; and no geofence crossed between two fixes. A busy device is busy with all its pings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.detection.crossings import CrossingDetector
from geofence.detection.duplicates import (
    DuplicateFilter,
    Prints,
    UnitPrints,
    content_of,
    fingerprint_of_id,
    fingerprints,
)
from geofence.detection.outlier_columns import Classified, Devices, Fixes, classify_all
from geofence.detection.segments import Segments
from geofence.model.device_table import BUSY, KNOWN, WATERMARK, DeviceTable, Moved, Rows, Trails
from geofence.model.ping import Fix, Pings
from geofence.model.presence import DeviceKey
from geofence.model.sightings import Sightings
from geofence.places.catalogue import Catalogue

Flags = NDArray[np.bool_]


class Parted(NamedTuple):
    """A group in two parts.

    `accepted` and `suspect` (requests,) count quiet pings by request; `moved` are their devices and
    `prints` their fingerprints. `busy` are all pings of all other devices, device by device, in
    order of arrival; `sightings` and `busy_prints` are theirs, `busy_rows` their table rows.
    """

    accepted: NDArray[np.int64]
    suspect: NDArray[np.int64]
    moved: Moved
    prints: UnitPrints
    busy: Pings
    busy_rows: Rows
    busy_prints: Prints
    sightings: Sightings


class _Order(NamedTuple):
    """Pings sorted by device, then arrival: `order` (n,) their places, `devices` their devices.

    `row` (m,) is each device's row of the table.
    """

    order: Rows
    devices: Devices
    row: Rows


class Parting:
    """Parts one project's pings of a group."""

    def __init__(
        self,
        table: DeviceTable,
        catalogue: Catalogue,
        group: Pings,
        sightings: Sightings,
        asked: Flags,
    ) -> None:
        """`asked` (requests,) bool: requests that want to hear of their devices."""
        self.table, self.catalogue, self.group = table, catalogue, group
        self.sightings = sightings
        self.rows = table.rows(group.device_id)
        self.all, self.busy = _sorted(group, self.rows)
        self.device_of = np.empty(len(group), dtype=np.int64)
        self.device_of[self.all.order] = self.all.devices.of
        self.prints = fingerprints(table.salt[self.rows], group.ts_ms, group.lat, group.lon)
        self.by_id: dict[int, tuple[int, int]] = {}  # fingerprint -> (content, device)
        self.requests = len(asked)
        self._make_busy(asked[group.request])
        self._old()

    def _old(self) -> None:
        """A device with presences, or with a ping that is not newer than its watermark."""
        row, first = self.all.row, self.all.order[self.all.devices.first]
        self.busy |= (self.table.flag[row] & BUSY) != 0
        self.busy |= self.group.ts_ms[first] <= self.table.trail[row, WATERMARK]

    def part(self, duplicates: DuplicateFilter, crossings: CrossingDetector) -> Parted:
        """Find the busy devices, cheap reasons first; what is left is quiet."""
        self._repeated_ids(duplicates)
        self._other_customers()
        inside, rest = self._inside(), self._rest()
        if not len(rest.order):
            return self._parted(rest, None)
        fixes, some = self._fixes(rest.order), np.flatnonzero(~self.busy)
        found = classify_all(self.table.trail[rest.row], rest.devices, fixes)
        self.busy[some[found.undecided]] = True
        self._make_busy(inside & _marked(len(self.group), rest.order[found.trusted]))
        ways = _segments(fixes, found)
        cut = crossings.rows_cut(self.table.project_id, self.catalogue, ways)
        self.busy[some[rest.devices.of[cut]]] = True
        return self._parted(rest, found)

    def _make_busy(self, pings: Flags) -> None:
        """Devices of these pings (n,) are busy."""
        self.busy[self.device_of[pings]] = True

    def _repeated_ids(self, duplicates: DuplicateFilter) -> None:
        """A device that sends an id once more has a duplicate or a conflict."""
        group = self.group
        for row, ping_id in enumerate(group.id or ()):
            if ping_id is None:
                continue
            key = DeviceKey(self.table.project_id, group.device_id[row])
            fingerprint = fingerprint_of_id(key, ping_id)
            if fingerprint in self.by_id or duplicates.content_of(fingerprint) is not None:
                self.busy[self.device_of[row]] = True
                continue
            fix = Fix(int(group.ts_ms[row]), float(group.lat[row]), float(group.lon[row]))
            self.by_id[fingerprint] = content_of(fix), int(self.device_of[row])

    def _other_customers(self) -> None:
        """A device that changes hands is written."""
        if self.group.customer_id is not None:
            number = self.table.customer_numbers(self.group.customer_id, len(self.group))
            self._make_busy((number != 0) & (number != self.table.customer[self.rows]))

    def _inside(self) -> Flags:
        """(n,) pings that lie inside a geofence.

        A fix inside an `exact` geofence counts whatever it is, so its device is busy at once.
        """
        seen, size = self.sightings, len(self.group)
        ping = np.repeat(np.arange(size), np.diff(seen.start))
        inside = np.flatnonzero(seen.edge_m <= 0)
        exact = self._exact(seen.slot[inside])
        self._make_busy(_marked(size, ping[inside[exact]]))
        return _marked(size, ping[inside])

    def _exact(self, slots: Rows) -> Flags:
        """(k,) whether any fix may move something there: `exact`, or a fence that is gone."""
        rules = [self.catalogue.rules[slot] for slot in slots.tolist()]
        return np.array([one is None or one.profile == "exact" for one in rules], dtype=np.bool_)

    def _rest(self) -> _Order:
        """The pings of devices that may still be quiet."""
        if not self.busy.any():
            return self.all
        some = np.flatnonzero(~self.busy)
        size = self.all.devices.size[some]
        of = np.repeat(np.arange(len(some)), size)
        order = self.all.order[~self.busy[self.all.devices.of]]
        return _Order(order, Devices(of, np.cumsum(size) - size, size), self.all.row[some])

    def _fixes(self, order: Rows) -> Fixes:
        group = self.group
        ms = group.ts_ms[order].astype(np.float64)
        columns = (group.lat, group.lon, group.accuracy_m, group.suspect)
        return Fixes(ms, *(column[order] for column in columns))

    def _parted(self, rest: _Order, found: Classified | None) -> Parted:
        """Both parts, now that `busy` is final."""
        group, table = self.group, self.table
        quiet, doubted, moved = _quiet(self.busy, self.device_of, rest, found)
        suspect = quiet[doubted | group.suspect[quiet]]
        others = self.all.order[self.busy[self.all.devices.of]]
        new = (table.flag[moved[0]] & KNOWN) == 0
        return Parted(
            np.bincount(group.request[quiet], minlength=self.requests),
            np.bincount(group.request[suspect], minlength=self.requests),
            Moved(*moved, new),
            self._unit_prints(quiet),
            group.at(others),
            self.rows[others],
            self.prints[others],
            _of_pings(self.sightings, others),
        )

    def _unit_prints(self, quiet: Rows) -> UnitPrints:
        """Fingerprints of the quiet pings: by id where they have one."""
        by_id = {one: content for one, (content, of) in self.by_id.items() if not self.busy[of]}
        ids = self.group.id
        if ids is not None:
            quiet = quiet[np.array([ids[row] is None for row in quiet.tolist()], dtype=np.bool_)]
        return UnitPrints([self.prints[quiet]], by_id)


def _sorted(group: Pings, rows: Rows) -> tuple[_Order, Flags]:
    """The pings by device, and (m,) devices with pings out of order over all requests."""
    order = np.argsort(rows, kind="stable")
    row = rows[order]
    first = np.flatnonzero(np.diff(row, prepend=-1))
    size = np.diff(first, append=len(row))
    of = np.repeat(np.arange(len(first)), size)
    disordered = np.zeros(len(first), dtype=np.bool_)
    if _backwards(row, group.ts_ms[order]).any():
        order = np.lexsort((group.ts_ms, group.request, rows))
        disordered[of[1:][_backwards(row, group.ts_ms[order])]] = True
    return _Order(order, Devices(of, first, size), row[first]), disordered


def _backwards(row: Rows, ts_ms: NDArray[np.int64]) -> Flags:
    """(n - 1,) whether a ping of the same device follows that is not newer."""
    found: Flags = (row[1:] == row[:-1]) & (ts_ms[1:] <= ts_ms[:-1])
    return found


def _quiet(
    busy: Flags, device_of: Rows, rest: _Order, found: Classified | None
) -> tuple[Rows, Flags, tuple[Rows, Trails]]:
    """Places of quiet pings, (k,) which of them imply a speed that cannot be, and their devices."""
    if found is None:
        none = np.empty(0, dtype=np.int64)
        return none, none > 0, (none, np.empty((0, 8)))
    pings = ~busy[device_of[rest.order]]
    still = ~busy[device_of[rest.order[rest.devices.first]]]
    return rest.order[pings], found.impossible[pings], (rest.row[still], found.trail[still])


def _segments(fixes: Fixes, found: Classified) -> Segments:
    """The way to each ping from the fix it was compared with; none where it is no evidence."""
    start_ms, lat, lon, accuracy_m = found.start
    ms = np.where(found.trusted, start_ms, np.inf)
    return Segments(ms, lat, lon, accuracy_m, fixes.ms, fixes.lat, fixes.lon, fixes.accuracy_m)


def _marked(size: int, rows: Rows) -> Flags:
    marked = np.zeros(size, dtype=np.bool_)
    marked[rows] = True
    return marked


def _of_pings(sightings: Sightings, pings: Rows) -> Sightings:
    """The sightings of some pings, in their order."""
    begin = sightings.start[pings]
    size = sightings.start[pings + 1] - begin
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    rows = np.repeat(begin - start[:-1], size) + np.arange(start[-1])
    return Sightings(start, sightings.slot[rows], sightings.edge_m[rows])
