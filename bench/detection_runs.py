"""Run simulated phones through the real detection, by one of two ways.

Both give the same result where pings arrive in time order.

* `street`: the writer with its thread on a temporary SQLite database, clock `pings`. Every device's
  pings are posted as they arrive, 2,000 at a time; within a post late pings are sorted.
* `follow`: index, locate and track as the pipeline calls them, ping by ping, without a database. An
  event's `recorded_ms` is then the arrival of the ping that proved it, which gives the delay.
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
from geofence.detection.changes import Changed, Tracked
from geofence.detection.deadlines import advance
from geofence.detection.duplicates import DuplicateFilter, Seen, fingerprints
from geofence.detection.journal import Journal
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
from geofence.street.jobs import Tally
from geofence.street.locate import locate
from geofence.street.normalise import FUTURE_MS
from geofence.street.track import Tracker
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit

PROJECT = "p"
BATCH = 2_000
WITHIN_S = 120.0


class Heard(NamedTuple):
    """The detected events and visits of one device, in the order of their beginning."""

    trace: Trace
    events: tuple[Event, ...]
    visits: tuple[Visit, ...]


Way = Callable[[Sequence[Geofence], Profile, Iterable[Trace]], Iterator[Heard]]


def by_follow(
    fences: Sequence[Geofence], profile: Profile, traces: Iterable[Trace]
) -> Iterator[Heard]:
    """Index, locate and track, device by device."""
    catalogue = Catalogue.build(1, profile, fences)
    for trace in traces:
        yield _followed(catalogue, trace)


def by_street(
    fences: Sequence[Geofence], profile: Profile, traces: Iterable[Trace]
) -> Iterator[Heard]:
    """The writer on a temporary SQLite database per device, whose clock follows its pings."""
    for trace in traces:
        with tempfile.TemporaryDirectory() as directory:
            yield _posted(f"sqlite:///{Path(directory, 'record.sqlite')}", fences, profile, trace)


WAYS: dict[str, Way] = {"follow": by_follow, "street": by_street}


class _Past:
    """The visits so far, as a database would return them for late pings."""

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
    salt = np.zeros(len(pings), dtype=np.uint64)
    prints = fingerprints(salt, pings.ts_ms, pings.lat, pings.lon)
    sightings = locate(catalogue.index, pings)
    tracker = Tracker(pings, sightings, catalogue, Seen(DuplicateFilter(), prints))
    key, state, changes, tally = (
        DeviceKey(PROJECT, trace.device_id),
        DeviceState(),
        Changes(),
        Tally(),
    )
    past = _Past(changes)
    for row, now_ms in enumerate(fixes.received_ms.tolist()):
        journal = Journal(PROJECT, catalogue, past, changes, now_ms)
        if any(
            presence.due_ms is not None and presence.due_ms <= now_ms
            for presence in state.presences.values()
        ):
            state = _time_passed(journal, key, state, now_ms)
        _, state = journal.record(tracker.track_one(key, state, [row], tally))
    return _heard(
        trace, changes.events, [_read(visit, state) for _, visit in changes.visits.values()]
    )


def _read(visit: Visit, state: DeviceState) -> Visit:
    """The visit as a database returns it: an open one with the facts of its presence."""
    presence = None if visit.departure_ms is not None else state.presences.get(visit.geofence_uid)
    return visit if presence is None else as_it_stands(visit, encode(presence))


def _time_passed(journal: Journal, key: DeviceKey, state: DeviceState, now_ms: int) -> DeviceState:
    """Fire the timers that come due while a phone is quiet."""
    kept, transitions = {}, []
    for uid, presence in state.presences.items():
        rules = journal.catalogue.rules[journal.catalogue.slot_of[uid]]
        assert rules is not None
        after, happened = advance(presence, now_ms, rules)
        transitions += happened
        if after is not None:
            kept[uid] = after
    steps = [Changed(None, transitions, tuple(kept.values()))] if transitions else []
    return journal.record(Tracked(key, replace(state, presences=kept), steps, written=True))[1]


def _posted(url: str, fences: Sequence[Geofence], profile: Profile, trace: Trace) -> Heard:
    database = open_database(url)
    database.migrate()
    unit = database.begin()
    unit.accounts.put_project(Project(PROJECT, "bench", profile))
    unit.commit()
    street = Writer(database, PingClock())
    street.start()
    try:
        run_edit(street, PROJECT, lambda unit: _put(unit, fences)).result(WITHIN_S)
        fixes = _arriving(trace)
        for start in range(0, len(fixes), BATCH):
            street.submit_pings(
                PROJECT, _items(trace.device_id, fixes, start, start + BATCH)
            ).result(WITHIN_S)
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
    """The fixes in the order of arrival, without those that the API refuses as future."""
    fixes = trace.fixes.as_received()
    timely = np.flatnonzero(fixes.ts_ms <= fixes.received_ms + FUTURE_MS)
    return fixes if len(timely) == len(fixes) else fixes.taken(timely)


def _pings(device_id: str, fixes: Fixes) -> Pings:
    count = len(fixes)
    return Pings(
        index=list(range(count)),
        device_id=[device_id] * count,
        ts_ms=fixes.ts_ms,
        lat=fixes.lat,
        lon=fixes.lon,
        accuracy_m=fixes.accuracy_m,
        suspect=np.zeros(count, dtype=np.bool_),
        id=None,
        customer_id=None,
        request=np.zeros(count, dtype=np.int64),
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
