"""Devices' hot state in the tables `devices` and `presences`.

A presence is one MessagePack value: it is read and written whole, and only its timer and its
geofence are ever asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql import locks, rows, statements
from geofence.backends.sql.device_tables import DeviceTables
from geofence.backends.sql.schema.devices import presences
from geofence.model.device_table import KNOWN, READ, WATERMARK, DeviceTable, Moved, Rows
from geofence.model.presence import DeviceKey, DeviceState, Presence

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Presence).decode
_NONE: dict[str, Presence] = {}


class SqlHotState:
    """Implements `ports.hot_state.HotState`.

    `alone`: this process is the one writer of the record, so a row that was read stays true, and
    known devices cost no query. Otherwise each unit locks its devices and reads them; the tables
    only remember the newer trails of pings that changed nothing.
    """

    def __init__(self, connection: sa.Connection, tables: DeviceTables, *, alone: bool) -> None:
        self._connection, self._tables, self._alone = connection, tables, alone
        self._met: dict[str, set[int]] = defaultdict(set)  # rows read in this unit
        self._states: dict[DeviceKey, DeviceState] = {}  # as read or saved in this unit
        self._saved: dict[DeviceKey, DeviceState] = {}
        self._moved: list[tuple[DeviceTable, Moved]] = []
        self._dropped: set[DeviceKey] = set()

    def meet(self, names: Mapping[str, Sequence[str]]) -> dict[str, DeviceTable]:
        """Project id -> its table, with the rows of these devices as the record has them."""
        met = {project_id: self._tables.of(project_id) for project_id in names}
        strange = [(table, self._strange(table, names[one])) for one, table in met.items()]
        if not self._alone:
            locks.numbered(self._connection, _numbers(strange))
        for table, some in strange:
            if len(some):
                self._load(table, some)
        return met

    def read(self, keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        """The state of each device; an unknown device has an empty `DeviceState`."""
        wanted = sorted(set(keys))
        names: dict[str, list[str]] = defaultdict(list)
        for key in wanted:
            if key not in self._states:
                names[key.project_id].append(key.device_id)
        met = self.meet(names)
        for project_id, some in names.items():
            table = met[project_id]
            for name, row in zip(some, table.rows(some).tolist(), strict=True):
                self._states[DeviceKey(project_id, name)] = table.state(row)
        return {key: self._states[key] for key in wanted}

    def at_geofences(self, uids: Sequence[str]) -> list[DeviceKey]:
        """Devices that have a presence at any of these geofences."""
        found: set[DeviceKey] = set()
        for some in rows.chunks(sorted(set(uids))):
            query = sa.select(presences.c.project_id, presences.c.device_id).where(
                presences.c.geofence_uid.in_(some)
            )
            found.update(DeviceKey(*row) for row in self._connection.execute(query))
        return sorted(found)

    def due(self, now_ms: int, limit: int) -> list[DeviceKey]:
        """Devices with a presence whose timer is due, oldest first."""
        query = (
            sa.select(presences.c.project_id, presences.c.device_id)
            .where(presences.c.due_ms <= now_ms)
            .order_by(presences.c.due_ms)
            .limit(limit)
        )
        return list(dict.fromkeys(DeviceKey(*row) for row in self._connection.execute(query)))

    def save(
        self,
        states: Mapping[DeviceKey, DeviceState],
        watermarks: Mapping[DeviceKey, DeviceState],
        moved: Sequence[tuple[DeviceTable, Moved]] = (),
    ) -> None:
        """Write `states` and the new ones of `moved`; remember `watermarks` and `moved`."""
        for table, some in moved:
            statements.run(self._connection, "devices", statements.moved_rows(table, some))
        self._moved += moved
        self._saved.update(watermarks)
        self._save_states(states)

    def assign(self, key: DeviceKey, customer_id: str | None) -> None:
        """Set the customer who carries a device from now on."""
        state = self.read([key])[key]
        self._save_states({key: replace(state, known=True, customer_id=customer_id)})

    def drop(self, key: DeviceKey) -> None:
        """Forget a device that this unit erases."""
        self._states.pop(key, None)
        self._saved.pop(key, None)
        self._dropped.add(key)

    def committed(self) -> None:
        """Let the tables follow: the unit is durable."""
        for key in self._dropped:
            self._tables.of(key.project_id).forget(key.device_id)
        for key, state in self._saved.items():
            table = self._tables.of(key.project_id)
            [row] = table.rows([key.device_id]).tolist()
            table.put(row, state)
        for table, some in self._moved:
            table.trail[some.rows] = some.trail
            table.flag[some.rows] |= KNOWN | READ

    def _strange(self, table: DeviceTable, names: Sequence[str]) -> Rows:
        """Rows of these devices that this unit must read."""
        found = np.unique(table.rows(names))
        table.touch(found)
        if self._alone:
            unread: Rows = found[(table.flag[found] & READ) == 0]
            return unread
        met = self._met[table.project_id]
        new = [row for row in found.tolist() if row not in met]
        met.update(new)
        return np.array(new, dtype=np.int64)

    def _load(self, table: DeviceTable, some: Rows) -> None:
        """Read devices into their rows; a trail that is newer here than in the record stays."""
        names = [table.names[row] for row in some.tolist()]
        table.flag[some] = READ
        table.customer[some] = 0
        for row in some.tolist() if table.presences else ():
            table.presences.pop(row, None)
        found = statements.devices(self._connection, table.project_id, names)
        if not found:
            return
        ids, customers, *trail = zip(*found, strict=True)
        at = table.rows(ids)
        read = np.array(trail, dtype=np.float64).T
        stale = ~(table.trail[at, WATERMARK] > read[:, WATERMARK])
        table.trail[at[stale]] = read[stale]
        table.flag[at] = READ | KNOWN
        table.customer[at] = table.customer_numbers(customers, len(at))
        self._load_presences(table, names)

    def _load_presences(self, table: DeviceTable, names: Sequence[str]) -> None:
        found: dict[str, dict[str, Presence]] = defaultdict(dict)
        for device_id, state in statements.presences_of(self._connection, table.project_id, names):
            presence = _decode(state)
            found[device_id][presence.geofence_uid] = presence
        for device_id, some in found.items():
            table.settle(table.row_of[device_id], some)

    def _presences(self, key: DeviceKey) -> dict[str, Presence]:
        """The device's presences as the record has them."""
        known = self._states.get(key)
        if known is not None:
            return known.presences
        table = self._tables.of(key.project_id)
        row = table.row_of.get(key.device_id)
        return _NONE if row is None else table.presences.get(row, _NONE)

    def _save_states(self, states: Mapping[DeviceKey, DeviceState]) -> None:
        gone: list[statements.Row] = []
        kept: list[statements.Row] = []
        for key, state in states.items():
            old, now = self._presences(key), state.presences
            gone += [(*key, uid) for uid in old if uid not in now]
            kept += [
                (*key, uid, _encode(one), _due_ms(one))
                for uid, one in now.items()
                if old.get(uid) is not one
            ]
        written = [statements.device_row(key, state) for key, state in states.items()]
        statements.run(self._connection, "devices", written)
        statements.run(self._connection, "gone", gone)
        statements.run(self._connection, "presences", kept)
        self._states.update(states)
        self._saved.update(states)


def _numbers(strange: Sequence[tuple[DeviceTable, Rows]]) -> list[int]:
    """The lock numbers of devices of all projects, each once, for one statement."""
    numbers = [table.salt[some].view(np.int64) for table, some in strange]
    return np.unique(np.concatenate(numbers)).tolist() if numbers else []


def _due_ms(presence: Presence) -> int | None:
    """When the next timer is due on the service's clock: the phone's, and its lag."""
    return None if presence.due_ms is None else presence.due_ms + presence.lag_ms
