"""Carries simulated phones through the real detection, by one of two ways that must tell the same where pings arrive in time order.

* `street`: `Street` with its writer thread on a temporary SQLite record, clock `pings`, every device's pings as they arrive, posted
  2,000 at a time; within a post the street puts late pings back into their order.
* `follow`: index, locate, follow and fold as the pipeline calls them, ping by ping, without a record. An event's `recorded_ms` is then
  the moment at which the ping that proved it arrived, so delays can be read off.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.msgpack import encode
from msgspec.structs import replace

from geofence.backends.sql.database import open_database
from geofence.backends.sql.open_visits import as_it_stands
from geofence.clock import PingClock
from geofence.detection.duplicates import DuplicateFilter
from geofence.detection.journal import Journal
from geofence.detection.presence import advance
from geofence.model.account import Project
from geofence.model.changes import Changes
from geofence.model.edit import EditResult
from geofence.model.event import Event
from geofence.model.ping import PingIn, Pings
from geofence.model.place import Geofence, Profile
from geofence.model.presence import DeviceKey, DeviceState, Visit
from geofence.places.catalogue import Catalogue
from geofence.ports.unit import Unit
from geofence.simulate.phone import Fixes
from geofence.simulate.world import Trace
from geofence.street.locate import locate
from geofence.street.normalise import FUTURE_MS
from geofence.street.track import Columns, Tally, Tracker
from geofence.street.writer import Writer

PROJECT = "p"
BATCH = 2_000
WITHIN_S = 120.0


class Heard(NamedTuple):
    """What the service made of one device.

    Its events and visits in the order in which they began.
    """

    trace: Trace
    events: tuple[Event, ...]
    visits: tuple[Visit, ...]


Way = Callable[[Sequence[Geofence], Profile, Iterable[Trace]], Iterator[Heard]]


def by_follow(
    fences: Sequence[Geofence], profile: Profile, traces: Iterable[Trace]
) -> Iterator[Heard]:
    """Index, locate, follow and fold, device by device."""
    catalogue = Catalogue.build(1, profile, fences)
    for trace in traces:
        yield _followed(catalogue, trace)


def by_street(
    fences: Sequence[Geofence], profile: Profile, traces: Iterable[Trace]
) -> Iterator[Heard]:
    """Street, writer thread and a temporary SQLite record.

    A new record for each device, whose clock its pings move.
    """
    for trace in traces:
        with tempfile.TemporaryDirectory() as directory:
            yield _posted(f"sqlite:///{Path(directory, 'record.sqlite')}", fences, profile, trace)


WAYS: dict[str, Way] = {"follow": by_follow, "street": by_street}


class _Past:
    """The visits so far, as a record would read them back for late pings."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes

    def visits_since(self, _: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        found = [
            visit for _, visit in self.changes.visits.values() if visit.geofence_uid == geofence_uid
        ]
        return [
            visit for visit in found if visit.departure_ms is None or visit.departure_ms > ts_ms
        ]


def _followed(catalogue: Catalogue, trace: Trace) -> Heard:
    fixes = _arriving(trace)
    pings = _pings(trace.device_id, fixes)
    columns, duplicates, fresh = (
        Columns.of(pings, locate(catalogue.index, pings)),
        DuplicateFilter(),
        {},
    )
    key, state, changes, tally = (
        DeviceKey(PROJECT, trace.device_id),
        DeviceState(),
        Changes(),
        Tally(),
    )
    past = _Past(changes)
    for row, now_ms in enumerate(fixes.received_ms.tolist()):
        journal = Journal(PROJECT, catalogue, changes, now_ms)
        if any(
            presence.due_ms is not None and presence.due_ms <= now_ms
            for presence in state.presences.values()
        ):
            state = _time_passed(journal, key, state, now_ms)
        state = Tracker(columns, past, duplicates, fresh, journal).follow(key, state, [row], tally)
    return _heard(
        trace, changes.events, [_read(visit, state) for _, visit in changes.visits.values()]
    )


def _read(visit: Visit, state: DeviceState) -> Visit:
    """As a record reads it back: one that goes on with what its presence knows."""
    presence = None if visit.departure_ms is not None else state.presences.get(visit.geofence_uid)
    return visit if presence is None else as_it_stands(visit, encode(presence))


def _time_passed(journal: Journal, key: DeviceKey, state: DeviceState, now_ms: int) -> DeviceState:
    """Timers that the street fires while a phone is quiet."""
    kept = {}
    for uid, presence in state.presences.items():
        rules = journal.catalogue.rules[journal.catalogue.slot_of[uid]]
        assert rules is not None
        after, happened = advance(presence, now_ms, rules)
        for one in happened:
            journal.write(key, None, one, None)
        if after is not None:
            kept[uid] = after
    return replace(state, presences=kept)


def _posted(url: str, fences: Sequence[Geofence], profile: Profile, trace: Trace) -> Heard:
    database = open_database(url)
    database.migrate()
    unit = database.begin()
    unit.accounts.put_project(Project(PROJECT, "bench", profile))
    unit.commit()
    street = Writer(database, PingClock())
    street.start()
    try:
        street.edit(PROJECT, lambda unit: _put(unit, fences)).result(WITHIN_S)
        fixes = _arriving(trace)
        for start in range(0, len(fixes), BATCH):
            street.post(PROJECT, _items(trace.device_id, fixes, start, start + BATCH)).result(
                WITHIN_S
            )
        database.sequence()
        events = database.queries.events.page(PROJECT, None, None, 1_000_000)
        visits = database.queries.visits.page(PROJECT, None, None, 1_000_000)
    finally:
        street.stop()
        database.close()
    return _heard(trace, events, visits)


def _put(unit: Unit, fences: Sequence[Geofence]) -> EditResult:
    unit.places.put_geofences(PROJECT, fences)
    return EditResult(None, changed=tuple(fences))


def _arriving(trace: Trace) -> Fixes:
    """In the order of arrival, without those that the door refuses as from the future."""
    fixes = trace.fixes.as_received()
    timely = np.flatnonzero(fixes.ts_ms <= fixes.received_ms + FUTURE_MS)
    return fixes if len(timely) == len(fixes) else fixes.taken(timely)


def _pings(device_id: str, fixes: Fixes) -> Pings:
    count = len(fixes)
    return Pings(
        index=np.arange(count),
        device_id=[device_id] * count,
        ts_ms=fixes.ts_ms,
        lat=fixes.lat,
        lon=fixes.lon,
        accuracy_m=fixes.accuracy_m,
        speed_mps=fixes.speed_mps,
        suspect=np.zeros(count, dtype=np.bool_),
        id=[None] * count,
        customer_id=[None] * count,
    )


def _items(device_id: str, fixes: Fixes, start: int, end: int) -> list[tuple[int, PingIn]]:
    columns = (fixes.lat, fixes.lon, fixes.ts_ms, fixes.accuracy_m, fixes.speed_mps)
    rows = zip(*(column[start:end].tolist() for column in columns), strict=True)
    return [
        (
            n,
            PingIn(
                lat=lat,
                lon=lon,
                ts=ts_ms,
                device_id=device_id,
                accuracy_m=accuracy_m,
                speed_mps=_known(speed_mps),
            ),
        )
        for n, (lat, lon, ts_ms, accuracy_m, speed_mps) in enumerate(rows)
    ]


def _known(value: float) -> float | None:
    return value if value >= 0.0 else None


def _heard(trace: Trace, events: Iterable[Event], visits: Iterable[Visit]) -> Heard:
    in_order = sorted(visits, key=lambda visit: (visit.arrival_ms, visit.geofence_id))
    return Heard(
        trace,
        tuple(sorted(events, key=lambda event: (event.ts_ms, event.kind, event.geofence_id))),
        tuple(in_order),
    )
