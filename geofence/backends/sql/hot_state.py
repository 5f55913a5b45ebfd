"""Devices' hot state in the tables `devices` and `presences`.

A presence is one MessagePack value: it is read and written whole, and only its timer and its
geofence are ever asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql import locks, rows
from geofence.backends.sql.schema.devices import devices, presences
from geofence.backends.sql.state_cache import StateCache
from geofence.model.presence import DeviceKey, DeviceState, Presence

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Presence).decode


class SqlHotState:
    """Implements `ports.hot_state.HotState`.

    With a `memory` (embedded), known devices cost no query and their locks no statement. Without
    one each read asks the database; `floors` remember the watermarks of pings that changed nothing
    there.
    """

    def __init__(
        self, connection: sa.Connection, memory: StateCache | None, floors: StateCache | None = None
    ) -> None:
        self._connection = connection
        self._memory, self._floors = memory, floors
        self._states: dict[DeviceKey, DeviceState] = {}  # as read or saved in this unit
        self._watermarks: dict[DeviceKey, DeviceState] = {}
        self._dropped: set[DeviceKey] = set()

    def read(self, keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        """The state of each device; an unknown device has an empty `DeviceState`."""
        wanted = sorted(set(keys))
        missing = [key for key in wanted if key not in self._states]
        if self._connection.dialect.name == "postgresql":
            locks.devices(self._connection, missing)
        elif self._memory is not None:
            memory = self._memory
            remembered = {key: state for key in missing if (state := memory.get(key)) is not None}
            self._states.update(remembered)
            missing = [key for key in missing if key not in remembered]
        loaded = self._load(missing)
        self._states.update({key: self._raised(key, state) for key, state in loaded.items()})
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
    ) -> None:
        """Write `states`; remember `watermarks`."""
        self._save_states(states)
        self._watermarks.update(watermarks)
        for key in states:
            self._watermarks.pop(key, None)

    def assign(self, key: DeviceKey, customer_id: str | None) -> None:
        """Set the customer who carries a device from now on."""
        state = self.read([key])[key]
        self._save_states({key: replace(state, known=True, customer_id=customer_id)})

    def drop(self, key: DeviceKey) -> None:
        """Forget a device that this unit erases."""
        self._states.pop(key, None)
        self._watermarks.pop(key, None)
        self._dropped.add(key)

    def committed(self) -> None:
        """Let the memory follow: the unit is durable."""
        if self._memory is not None:
            for key in self._dropped:
                self._memory.drop(key)
            self._memory.put(self._states)  # what was only read is as good as what was saved
            self._memory.put(self._watermarks)
        elif self._floors is not None:
            for key in self._dropped:
                self._floors.drop(key)
            self._floors.put(self._watermarks)

    def _raised(self, key: DeviceKey, state: DeviceState) -> DeviceState:
        """The state, with the newest watermark of this process if that is newer than the row's."""
        floor = self._floors.get(key) if self._floors is not None else None
        if floor is None or (floor.watermark_ms or 0) <= (state.watermark_ms or 0):
            return state
        return replace(
            floor, known=state.known, customer_id=state.customer_id, presences=state.presences
        )

    def _load(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        states = dict.fromkeys(keys, DeviceState())
        by_project: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_project[key.project_id].append(key.device_id)
        for project_id, ids in by_project.items():
            for some in rows.chunks(ids):
                states.update(self._load_some(project_id, some))
        return states

    def _load_some(self, project_id: str, ids: Sequence[str]) -> dict[DeviceKey, DeviceState]:
        p, d = presences.c, devices.c
        query = sa.select(p.device_id, p.state).where(
            p.project_id == project_id, p.device_id.in_(ids)
        )
        at: dict[str, dict[str, Presence]] = defaultdict(dict)
        for device_id, state in self._connection.execute(query):
            presence = _decode(state)
            at[device_id][presence.geofence_uid] = presence
        columns = (d.device_id, *rows.columns(devices, DeviceState))
        known = self._connection.execute(
            sa.select(*columns).where(d.project_id == project_id, d.device_id.in_(ids))
        )
        return {
            DeviceKey(project_id, row["device_id"]): replace(
                rows.from_row(DeviceState, row), known=True, presences=at.get(row["device_id"], {})
            )
            for row in known.mappings()
        }

    def _save_states(self, states: Mapping[DeviceKey, DeviceState]) -> None:
        gone: list[rows.Row] = []
        kept: list[rows.Row] = []
        for key, state in states.items():
            old = self._states.get(key, DeviceState()).presences
            gone += [_at(key, uid) for uid in old.keys() - state.presences.keys()]
            kept += [
                _at(key, uid) | {"state": _encode(presence), "due_ms": _due_ms(presence)}
                for uid, presence in state.presences.items()
                if old.get(uid) is not presence
            ]
        rows.upsert(
            self._connection, devices, [_device_row(key, state) for key, state in states.items()]
        )
        if gone:
            self._connection.execute(
                _DELETE, [{f"b_{name}": value for name, value in row.items()} for row in gone]
            )
        rows.upsert(self._connection, presences, kept)
        self._states.update(states)


def _at(key: DeviceKey, uid: str) -> rows.Row:
    return {"project_id": key.project_id, "device_id": key.device_id, "geofence_uid": uid}


def _due_ms(presence: Presence) -> int | None:
    """When the next timer is due on the service's clock: the phone's, and its lag."""
    return None if presence.due_ms is None else presence.due_ms + presence.lag_ms


def _device_row(key: DeviceKey, state: DeviceState) -> rows.Row:
    return {
        "project_id": key.project_id,
        "device_id": key.device_id,
        "customer_id": state.customer_id,
        "created_ms": state.watermark_ms or 0,
        "seen_ms": state.watermark_ms,
        "watermark_ms": state.watermark_ms,
        "fix_ms": state.fix_ms,
        "lat": state.lat if state.fix_ms is not None else None,
        "lon": state.lon if state.fix_ms is not None else None,
        "fix_accuracy_m": state.fix_accuracy_m,
        "odd_ms": state.odd_ms,
        "odd_lat": state.odd_lat if state.odd_ms is not None else None,
        "odd_lon": state.odd_lon if state.odd_ms is not None else None,
    }


_DELETE = sa.delete(presences).where(
    presences.c.project_id == sa.bindparam("b_project_id"),
    presences.c.device_id == sa.bindparam("b_device_id"),
    presences.c.geofence_uid == sa.bindparam("b_geofence_uid"),
)
