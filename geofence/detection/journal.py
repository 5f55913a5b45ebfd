"""Writes what happened as events and visits, into the changes of a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec.structs import replace

from geofence import ids
from geofence.detection.late_pings import accepts, amend, amend_ended, changed_fields
from geofence.detection.outliers import Fix
from geofence.detection.presence import Transition, end
from geofence.model.changes import Changes
from geofence.model.event import Event
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, Presence, Visit
from geofence.places.catalogue import Catalogue
from geofence.ports.journal import JournalStore
from regions.index.cells import cell_of

EVENT_CELL_RESOLUTION = 7  # about 5 km2: coarse enough to keep, see engine section 8

_ORDER = {"geofence.dwelled": 0, "device.stopped": 1, "geofence.exited": 2, "geofence.entered": 3}


class LateSighting(NamedTuple):
    """A late ping inside a geofence.

    The fix, the signed distance to the edge (m), and how probable it is.
    """

    fix: Fix
    edge_m: float
    probability: float


class _Amended(NamedTuple):
    """A visit as it was before a request's late pings and as it is now, and the last of them that changed it."""

    key: DeviceKey
    before: Visit
    after: Visit
    seen: LateSighting


class Journal:
    """One project's pen for one unit of work at `now_ms` (epoch ms)."""

    def __init__(
        self, project_id: str, catalogue: Catalogue, changes: Changes, now_ms: int
    ) -> None:
        self.project_id, self.catalogue, self.changes, self.now_ms = (
            project_id,
            catalogue,
            changes,
            now_ms,
        )
        self.events: list[Event] = []  # this project's, while `changes` holds the whole unit's
        self._past: dict[
            tuple[DeviceKey, str], tuple[int, list[Visit]]
        ] = {}  # as read once for all late pings of a unit
        self._written: dict[
            tuple[DeviceKey, str], dict[str, Visit]
        ] = {}  # this unit's visits, as they are now
        self._amended: dict[str, _Amended] = {}
        self.approaches: dict[str, int] = {}  # event id -> when the approach to its store began

    def visit_id(self, key: DeviceKey, uid: str) -> Callable[[int], str]:
        """Names a visit of this device at this geofence by its entered time (epoch ms)."""
        return lambda entered_ms: ids.of_facts(
            "vis", key.project_id, key.device_id, uid, entered_ms
        )

    def fence_id(self, uid: str) -> str:
        """The retailer's name of a geofence; the uid itself when it is gone."""
        slot = self.catalogue.slot_of.get(uid)
        fence = None if slot is None else self.catalogue.fences[slot]
        return uid if fence is None else fence.external_id

    def in_order(self, happened: list[Transition]) -> list[Transition]:
        """What one ping or one moment brought, as it is told.

        Exits before enters, inner rings left first, outer rings entered first.
        """
        return sorted(happened, key=self._place) if len(happened) > 1 else happened

    def write(
        self,
        key: DeviceKey,
        customer_id: str | None,
        happened: Transition,
        position: tuple[float, float] | None,
        by_ms: int = 0,
    ) -> Event:
        """The event of a happening, and its visit's row at both ends.

        `position` (lat, lon) becomes a coarse cell; `by_ms` is the time of the ping that told it, 0
        where none did.
        """
        visit = self._visit(key, customer_id, happened.presence, happened)
        if happened.kind in ("geofence.entered", "geofence.exited"):
            self._keep(key, visit)
        return self._told(self._event(key, visit, happened, position, by_ms))

    def write_crossing(
        self,
        key: DeviceKey,
        customer_id: str | None,
        fence: Geofence,
        fix: Fix,
        edge_m: float,
        probability: float,
    ) -> Event:
        """The event of a way through a geofence that ended at `fix`; `edge_m` is how deep it cut.

        No visit is opened.
        """
        event = Event(
            id=ids.of_facts(
                "evt", key.project_id, key.device_id, fence.uid, "geofence.crossed", fix.ts_ms
            ),
            kind="geofence.crossed",
            project_id=self.project_id,
            device_id=key.device_id,
            ts_ms=fix.ts_ms,
            recorded_ms=self.now_ms,
            geofence_uid=fence.uid,
            geofence_id=fence.external_id,
            visit_id="",
            profile=(fence.profile or self.catalogue.default).name,
            customer_id=customer_id,
            store_id=fence.store_id,
            ring=fence.ring,
            probability=round(probability, 4),
            edge_m=round(edge_m, 2),
            accuracy_m=fix.accuracy_m,
            fix_age_s=self._age_s(fix.ts_ms),
            cell=cell_of(fix.lat, fix.lon, EVENT_CELL_RESOLUTION),
        )
        return self._told(event)

    def record_approach(self, event: Event, presences: Iterable[Presence]) -> None:
        """Remember since when the device has been within any ring of the event's store."""
        if event.store_id is None:
            return
        began_ms = event.ts_ms
        for presence in presences:
            slot = self.catalogue.slot_of.get(presence.geofence_uid)
            fence = None if slot is None else self.catalogue.fences[slot]
            if presence.inside and fence is not None and fence.store_id == event.store_id:
                began_ms = min(began_ms, presence.arrival_ms)
        self.approaches[event.id] = began_ms

    def amend(
        self,
        key: DeviceKey,
        customer_id: str | None,
        uid: str,
        presence: Presence | None,
        seen: LateSighting,
        past: JournalStore,
    ) -> Presence | None:
        """Let a late ping inside amend the one visit it falls into, going on or ended.

        The presence after it.

        Where it could be the end of one visit and the begin of the next, it is the end of the
        earlier one.
        """
        ts_ms, open_ = (
            seen.fix.ts_ms,
            presence if presence is not None and presence.inside else None,
        )
        if open_ is not None and ts_ms >= open_.arrival_ms:
            return self._amend_open(key, customer_id, open_, seen)
        for visit, later in pairwise([*self._visits(key, uid, ts_ms, past), None]):
            if visit is None:
                break
            if open_ is not None and visit.visit_id == open_.visit_id:
                continue
            if accepts(visit, ts_ms) and (later is None or ts_ms < later.arrival_ms):
                self._amend_ended(key, visit, seen)
                return presence
        return presence if open_ is None else self._amend_open(key, customer_id, open_, seen)

    def amendment_events(self) -> list[Event]:
        """One event for each visit that late pings have changed since this was last asked.

        Its id names the new facts.
        """
        amended, self._amended = self._amended, {}
        return [
            self._told(self._amendment(one))
            for one in amended.values()
            if changed_fields(one.before, one.after)
        ]

    def end_orphan(
        self, key: DeviceKey, presence: Presence, ts_ms: int, past: JournalStore, by_ms: int = 0
    ) -> None:
        """End a presence whose geofence went while this unit was under way elsewhere.

        Its visit's row still knows it.
        """
        _, happened = end(presence, ts_ms, "geofence_removed")
        for one in happened:
            for visit in self._visits(key, presence.geofence_uid, presence.last_inside_ms, past):
                if visit.visit_id == presence.visit_id:
                    left = replace(
                        visit,
                        departure_ms=one.ts_ms,
                        after_ms=one.after_ms,
                        reason=one.reason,
                        points=presence.points,
                    )
                    self._keep(key, left)
                    self.changes.events.append(self._event(key, left, one, None, by_ms))

    def _place(self, happened: Transition) -> tuple[int, float, str]:
        order, uid = _ORDER[happened.kind], happened.presence.geofence_uid
        slot = self.catalogue.slot_of.get(uid)
        rules = None if slot is None else self.catalogue.rules[slot]
        width_m = 0.0 if rules is None else rules.inradius_m
        return (
            order,
            -width_m if happened.kind == "geofence.entered" else width_m,
            self.fence_id(uid),
        )

    def _told(self, event: Event) -> Event:
        self.changes.events.append(event)
        self.events.append(event)
        return event

    def _keep(self, key: DeviceKey, visit: Visit) -> None:
        self.changes.visits[visit.visit_id] = (self.project_id, visit)
        self._written.setdefault((key, visit.geofence_uid), {})[visit.visit_id] = visit

    def _amend_open(
        self, key: DeviceKey, customer_id: str | None, presence: Presence, seen: LateSighting
    ) -> Presence:
        after = amend(presence, seen.fix.ts_ms, seen.probability)
        if after is not presence:
            visit = self._visit(key, customer_id, after, None)
            self._keep(key, visit)
            self._note(key, self._visit(key, customer_id, presence, None), visit, seen)
        return after

    def _amend_ended(self, key: DeviceKey, visit: Visit, seen: LateSighting) -> None:
        after = amend_ended(visit, seen.fix.ts_ms, seen.probability)
        if after is not visit:
            self._keep(key, after)
            self._note(key, visit, after, seen)

    def _note(self, key: DeviceKey, before: Visit, after: Visit, seen: LateSighting) -> None:
        known = self._amended.get(after.visit_id)
        first, last = (
            (before, seen)
            if known is None
            else (known.before, seen if changed_fields(before, after) else known.seen)
        )
        self._amended[after.visit_id] = _Amended(key, first, after, last)

    def _amendment(self, one: _Amended) -> Event:
        visit, fix = one.after, one.seen.fix
        facts = (visit.arrival_ms, visit.departure_ms, round(visit.best_probability, 4))
        return self._of_visit(
            one.key,
            visit,
            id=ids.of_facts("evt", visit.visit_id, "visit.amended", *facts),
            kind="visit.amended",
            ts_ms=fix.ts_ms,
            probability=round(visit.best_probability, 4),
            edge_m=round(one.seen.edge_m, 2),
            accuracy_m=fix.accuracy_m,
            fix_age_s=self._age_s(fix.ts_ms),
            reason=changed_fields(one.before, visit),
            duration_s=None
            if visit.departure_ms is None
            else (visit.departure_ms - visit.arrival_ms) / 1000,
            cell=cell_of(fix.lat, fix.lon, EVENT_CELL_RESOLUTION),
        )

    def _visits(self, key: DeviceKey, uid: str, ts_ms: int, past: JournalStore) -> list[Visit]:
        """This device's visits there that may take a ping of that time, as they are now, oldest first."""
        since_ms, stored = self._past.get((key, uid), (None, []))
        if since_ms is None or ts_ms < since_ms:
            stored = past.visits_since(key, uid, ts_ms)
            self._past[key, uid] = (ts_ms, stored)
        written = self._written.get((key, uid), {})
        known = {visit.visit_id: visit for visit in stored} | written
        return sorted(known.values(), key=_begun)

    def _visit(
        self,
        key: DeviceKey,
        customer_id: str | None,
        presence: Presence,
        happened: Transition | None,
    ) -> Visit:
        left = happened if happened is not None and happened.kind == "geofence.exited" else None
        slot = self.catalogue.slot_of[presence.geofence_uid]
        fence = self.catalogue.fences[slot]
        assert fence is not None  # noqa: S101  (a visit is at a geofence the catalogue holds)
        assert presence.visit_id is not None  # noqa: S101  (a presence inside has its visit)
        return Visit(
            visit_id=presence.visit_id,
            device_id=key.device_id,
            geofence_uid=fence.uid,
            geofence_id=fence.external_id,
            arrival_ms=presence.arrival_ms,
            last_inside_ms=presence.last_inside_ms,
            before_ms=presence.before_ms,
            departure_ms=None if left is None else left.ts_ms,
            after_ms=None if left is None else left.after_ms,
            points=presence.points,
            best_probability=presence.best_probability,
            customer_id=customer_id,
            store_id=fence.store_id,
            ring=fence.ring,
            inferred=left is not None and left.inferred,
            amended=presence.amended,
            reason=None if left is None else left.reason,
        )

    def _event(
        self,
        key: DeviceKey,
        visit: Visit,
        happened: Transition,
        position: tuple[float, float] | None,
        by_ms: int,
    ) -> Event:
        since_ms = visit.arrival_ms if happened.kind == "geofence.exited" else happened.since_ms
        return self._of_visit(
            key,
            visit,
            id=ids.of_facts(
                "evt", visit.visit_id, happened.kind, happened.since_ms or happened.dwell_s
            ),
            kind=happened.kind,
            ts_ms=happened.ts_ms,
            probability=None if happened.probability is None else round(happened.probability, 4),
            edge_m=None if happened.edge_m is None else round(happened.edge_m, 2),
            accuracy_m=happened.accuracy_m,
            fix_age_s=self._age_s(happened.fix_ms) if happened.fix_ms else None,
            first_fix=happened.first_fix,
            inferred=happened.inferred,
            reason=happened.reason,
            duration_s=(happened.ts_ms - since_ms) / 1000 if since_ms else None,
            dwell_s=happened.dwell_s or None,
            by_ms=None if by_ms == happened.ts_ms else by_ms,
            cell=None if position is None else cell_of(*position, EVENT_CELL_RESOLUTION),
        )

    def _of_visit(self, key: DeviceKey, visit: Visit, **facts: Any) -> Event:
        slot = self.catalogue.slot_of.get(visit.geofence_uid)
        rules = None if slot is None else self.catalogue.rules[slot]
        return Event(
            project_id=self.project_id,
            device_id=key.device_id,
            recorded_ms=self.now_ms,
            geofence_uid=visit.geofence_uid,
            geofence_id=visit.geofence_id,
            visit_id=visit.visit_id,
            profile=self.catalogue.default.name if rules is None else rules.profile,
            customer_id=visit.customer_id,
            store_id=visit.store_id,
            ring=visit.ring,
            **facts,
        )

    def _age_s(self, fix_ms: int) -> float:
        return max(0.0, (self.now_ms - fix_ms) / 1000)


def _begun(visit: Visit) -> tuple[int, str]:
    return visit.arrival_ms, visit.visit_id
