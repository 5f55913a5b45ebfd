"""Devices' hot state, and what one unit of work adds to the record.

A presence is one MessagePack value: it is read and written whole, and only its timer and its
geofence are ever asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql import rows, stream_seq
from geofence.backends.sql.schema import devices, events, presences, visits
from geofence.backends.sql.state_cache import StateCache
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, DeviceState, Presence, Visit
from geofence.ports import Changes

_Pair = tuple[str, str, str]

MOST_VISITS = 1000
CHUNK = 4000  # values in one IN list; SQLite takes 32,766

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Presence).decode


class SqlPresences:
    """Implements `ports.Presences`.

    With a `memory` (embedded) known devices cost no query and their locks no database.

    Without one the record is asked each time; `floors` remember the watermarks of pings that
    changed nothing there.
    """

    def __init__(
        self, connection: sa.Connection, memory: StateCache | None, floors: StateCache | None = None
    ) -> None:
        self._connection = connection
        self._memory, self._floors = memory, floors
        self._states: dict[DeviceKey, DeviceState] = {}  # as read or saved in this unit
        self._hot: dict[DeviceKey, DeviceState] = {}
        self._dropped: set[DeviceKey] = set()

    def read(self, keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        """The state of each device; unknown devices come as an empty `DeviceState`."""
        wanted = sorted(set(keys))
        missing = [key for key in wanted if key not in self._states]
        if self._connection.dialect.name == "postgresql":
            self._lock(missing)
        elif self._memory is not None:
            memory = self._memory
            remembered = {key: state for key in missing if (state := memory.get(key)) is not None}
            self._states.update(remembered)
            missing = [key for key in missing if key not in remembered]
        self._states.update(
            {key: self._raised(key, state) for key, state in self._load(missing).items()}
        )
        return {key: self._states[key] for key in wanted}

    def at_geofences(self, uids: Sequence[str]) -> list[DeviceKey]:
        """Devices that have a presence at any of these geofences."""
        found: set[DeviceKey] = set()
        for some in _chunks(sorted(set(uids))):
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

    def visits_since(self, key: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        """Visits of this device there that a ping of `ts_ms` could belong to, and later ones.

        Oldest first, at most 1,000.
        """
        v = visits.c
        query = sa.select(*rows.columns(visits, Visit)).where(
            v.project_id == key.project_id,
            v.device_id == key.device_id,
            v.geofence_uid == geofence_uid,
            sa.or_(v.departure_ms.is_(None), sa.func.coalesce(v.after_ms, v.departure_ms) > ts_ms),
        )
        found = self._connection.execute(query.order_by(v.arrival_ms).limit(MOST_VISITS))
        return [rows.from_row(Visit, row) for row in found.mappings()]

    def events_at(self, project_id: str, times_ms: Mapping[str, Sequence[int]]) -> list[Event]:
        """Events that each device's pings of exactly these times told; by time."""
        e = events.c
        found: list[Event] = []
        query = sa.select(*rows.columns(events, Event)).where(e.project_id == project_id)
        for device_id, times in sorted(
            times_ms.items()
        ):  # device by device: SQLite finds no pairs by an index
            for some in _chunks(sorted(set(times))):
                by_own = sa.and_(e.by_ms.is_(None), e.ts_ms.in_(some))
                by_later = sa.and_(e.by_ms.is_not(None), e.by_ms.in_(some))
                for told in (by_own, by_later):
                    answered = self._connection.execute(query.where(e.device_id == device_id, told))
                    found += [rows.from_row(Event, row) for row in answered.mappings()]
        return sorted(found, key=lambda event: (event.ts_ms, event.id))

    def visit_numbers(self, visit_ids: Sequence[str]) -> dict[str, int]:
        """By visit, the how-many-th it is of its device at its geofence.

        Those not written yet are left out.
        """
        numbers: dict[str, int] = {}
        for some in _chunks(sorted(set(visit_ids))):
            query = sa.select(visits.c.visit_id, visits.c.visit).where(visits.c.visit_id.in_(some))
            numbers.update((row.visit_id, row.visit) for row in self._connection.execute(query))
        return numbers

    def save(self, changes: Changes) -> None:
        """Write states, events and visits."""
        self._save_states(changes.states)
        self._hot.update(changes.hot)
        for key in changes.states:
            self._hot.pop(key, None)
        self._save_visits(
            [visit for _, visit in changes.visits.values()],
            [project for project, _ in changes.visits.values()],
        )
        self._save_events(changes.events)

    def adopt(self, key: DeviceKey, customer_id: str | None) -> None:
        """Let the hot state of a device know whom it belongs to now."""
        state = self.read([key])[key]
        self._save_states({key: replace(state, known=True, customer_id=customer_id)})

    def drop(self, key: DeviceKey) -> None:
        """Forget the hot state of a device that is being erased."""
        self._states.pop(key, None)
        self._hot.pop(key, None)
        self._dropped.add(key)

    def committed(self) -> None:
        """The unit is durable: memory may follow."""
        if self._memory is not None:
            for key in self._dropped:
                self._memory.drop(key)
            self._memory.put(self._states)  # what was only read is as good as what was saved
            self._memory.put(self._hot)
        elif self._floors is not None:
            for key in self._dropped:
                self._floors.drop(key)
            self._floors.put(self._hot)

    def _raised(self, key: DeviceKey, state: DeviceState) -> DeviceState:
        """The state with the newest watermark this process has seen, where that is newer than the record's."""
        floor = self._floors.get(key) if self._floors is not None else None
        if floor is None or (floor.watermark_ms or 0) <= (state.watermark_ms or 0):
            return state
        return replace(
            floor, known=state.known, customer_id=state.customer_id, presences=state.presences
        )

    def _lock(self, keys: Sequence[DeviceKey]) -> None:
        """One writer per device at a time.

        In order of lock number, so that two units never wait for each other.
        """
        numbers = sorted({_lock_number(key) for key in keys})
        if numbers:
            lock = sa.text(
                "SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS t(n, i)"
            )
            self._connection.execute(lock, {"numbers": numbers})

    def _load(self, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        states = dict.fromkeys(keys, DeviceState())
        by_project: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            by_project[key.project_id].append(key.device_id)
        for project_id, ids in by_project.items():
            for some in _chunks(ids):
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

    def _save_states(self, states: dict[DeviceKey, DeviceState]) -> None:
        gone: list[rows.Row] = []
        kept: list[rows.Row] = []
        for key, state in states.items():
            old = self._states.get(key, DeviceState()).presences
            gone += [_place(key, uid) for uid in old.keys() - state.presences.keys()]
            kept += [
                _place(key, uid) | {"state": _encode(presence), "due_ms": _due_ms(presence)}
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

    def _save_visits(self, seen: Sequence[Visit], projects: Sequence[str]) -> None:
        """Insert with the next number of its pair, or replace all but that number.

        The devices' locks keep others away.
        """
        if not seen:
            return
        numbers = self.visit_numbers([visit.visit_id for visit in seen])
        new = [
            (project, visit)
            for project, visit in zip(projects, seen, strict=True)
            if visit.visit_id not in numbers
        ]
        last = self._last_numbers(
            {(project, visit.device_id, visit.geofence_uid) for project, visit in new}
        )
        for project, visit in new:
            pair = (project, visit.device_id, visit.geofence_uid)
            numbers[visit.visit_id] = last[pair] = last.get(pair, 0) + 1
        told = [
            rows.to_row(visits, visit, project_id=project) | {"visit": numbers[visit.visit_id]}
            for visit, project in zip(seen, projects, strict=True)
        ]
        rows.upsert(self._connection, visits, told, keep=("visit", "project_id"))

    def _last_numbers(self, pairs: set[_Pair]) -> dict[_Pair, int]:
        v, last = visits.c, dict[_Pair, int]()
        pair = (v.project_id, v.device_id, v.geofence_uid)
        for some in _chunks(sorted(pairs)):
            query = (
                sa.select(*pair, sa.func.max(v.visit))
                .where(sa.tuple_(*pair).in_(some))
                .group_by(*pair)
            )
            last.update(
                ((row[0], row[1], row[2]), row[3]) for row in self._connection.execute(query)
            )
        return last

    def _save_events(self, happened: Sequence[Event]) -> None:
        if not happened:
            return
        told = [rows.to_row(events, event, place=place) for place, event in enumerate(happened)]
        if self._connection.dialect.name == "sqlite":
            for row, seq in zip(told, stream_seq.give_seq(self._connection, happened), strict=True):
                row["stream_seq"] = seq
        self._connection.execute(sa.insert(events), told)


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), CHUNK):
        yield list(values[start : start + CHUNK])


def _lock_number(key: DeviceKey) -> int:
    digest = blake2b("\x1f".join(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _place(key: DeviceKey, uid: str) -> rows.Row:
    return {"project_id": key.project_id, "device_id": key.device_id, "geofence_uid": uid}


def _due_ms(presence: Presence) -> int | None:
    """When the next timer is due on our clock.

    On the phone's, and as much later as that is behind.
    """
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
