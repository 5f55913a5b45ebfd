"""Writes tracked changes as events and visits: the only reader and writer of past visits.

`track` says what happened; the journal names visits and events, decides which visit a late ping
belongs to, and puts everything into the changes of a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from geofence import ids
from geofence.detection.changes import Changed, Crossed, LateSighting, Orphaned, Step, Tracked
from geofence.detection.deadlines import end
from geofence.detection.events import EventMaker
from geofence.detection.late_pings import accepts, amend, amend_ended, changed_fields
from geofence.detection.transition import Transition
from geofence.model.changes import Changes
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, DeviceState, Presence, Visit
from geofence.places.catalogue import Catalogue

_ORDER = {"geofence.dwelled": 0, "device.stopped": 1, "geofence.exited": 2, "geofence.entered": 3}


class PastVisits(Protocol):
    """Where visits of earlier units are read."""

    def visits_since(self, key: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        """Visits of this device there that a ping of `ts_ms` could belong to, and later ones."""


class _Amended(NamedTuple):
    """A visit before and after a batch's late pings, and the last ping that changed it."""

    before: Visit
    after: Visit
    seen: LateSighting


class Journal:
    """One project's journal for one unit of work at `now_ms` (epoch ms).

    `events` are this project's, while `changes` holds the whole unit's. `approaches` maps an event
    id to the time (epoch ms) since which the device has been within any ring of its store.
    """

    def __init__(
        self,
        project_id: str,
        catalogue: Catalogue,
        past: PastVisits,
        changes: Changes,
        now_ms: int,
    ) -> None:
        self.project_id, self.catalogue, self.now_ms = project_id, catalogue, now_ms
        self.changes = changes
        self.events: list[Event] = []
        self.approaches: dict[str, int] = {}
        self.make = EventMaker(project_id, catalogue, now_ms)
        self._past = past
        # (device, geofence): the time since which past visits were read, and those visits
        self._read: dict[tuple[DeviceKey, str], tuple[int, list[Visit]]] = {}
        # (device, geofence): this unit's visits by id, as they are now
        self._written: dict[tuple[DeviceKey, str], dict[str, Visit]] = {}

    def record(self, tracked: Tracked) -> tuple[list[Event], DeviceState]:
        """Write down what happened to one device.

        Returns its events in order (not those of orphans) and its state with every visit named.
        """
        key, state = tracked.key, tracked.state
        events: list[Event] = []
        if tracked.steps:
            device = _Device(self, key)
            for step in tracked.steps:
                device.record(step)
            events, state = device.finish(), device.named_state(tracked)
        if tracked.written or state is not tracked.state or key in self.changes.states:
            self.changes.states[key] = state
        elif tracked.moved:
            self.changes.watermarks[key] = state
        return events, state

    def add(self, event: Event) -> None:
        """Add an event to the unit's and to the project's."""
        self.changes.events.append(event)
        self.events.append(event)

    def keep(self, key: DeviceKey, visit: Visit) -> None:
        """Write a visit's row as it is now."""
        self.changes.visits[visit.visit_id] = (self.project_id, visit)
        self._written.setdefault((key, visit.geofence_uid), {})[visit.visit_id] = visit

    def visits(self, key: DeviceKey, uid: str, ts_ms: int) -> list[Visit]:
        """The device's visits there that may take a ping of that time, oldest first.

        They come as they are now; the record is read once for all late pings of a unit.
        """
        since_ms, stored = self._read.get((key, uid), (None, []))
        if since_ms is None or ts_ms < since_ms:
            stored = self._past.visits_since(key, uid, ts_ms)
            self._read[key, uid] = (ts_ms, stored)
        known = {visit.visit_id: visit for visit in stored} | self._written.get((key, uid), {})
        return sorted(known.values(), key=_begun)

    def in_order(self, transitions: list[Transition]) -> list[Transition]:
        """The transitions of one moment in the order of their events.

        Exits come before entries; inner rings are left first, outer rings are entered first.
        """
        return sorted(transitions, key=self._place) if len(transitions) > 1 else transitions

    def store_of(self, uid: str) -> str | None:
        """The store of a geofence; None where it has none or is gone."""
        slot = self.catalogue.slot_of.get(uid)
        fence = None if slot is None else self.catalogue.fences[slot]
        return None if fence is None else fence.store_id

    def _place(self, one: Transition) -> tuple[int, float, str]:
        order, uid = _ORDER[one.kind], one.presence.geofence_uid
        slot = self.catalogue.slot_of.get(uid)
        rules = None if slot is None else self.catalogue.rules[slot]
        width_m = 0.0 if rules is None else rules.inradius_m
        if one.kind == "geofence.entered":
            width_m = -width_m
        return order, width_m, self.make.fence_id(uid)


class _Device:
    """One device's steps of one batch.

    Late pings that the past visits decide amend an open visit here and not in `track`: `_open`
    holds what they changed, and every later presence of the visit takes it over.
    """

    __slots__ = ("_amended", "_ids", "_open", "events", "journal", "key", "make")

    def __init__(self, journal: Journal, key: DeviceKey) -> None:
        self.journal, self.key, self.make = journal, key, journal.make
        self.events: list[Event] = []
        self._ids: dict[tuple[str, int], str] = {}  # (geofence, entered time): the visit's id
        self._open: dict[str, Presence] = {}  # by geofence, its open visit after late pings
        self._amended: dict[str, _Amended] = {}

    def record(self, step: Step) -> None:
        """Write down one step."""
        if isinstance(step, Changed):
            self._changed(step)
        elif isinstance(step, LateSighting):
            self._late(step)
        elif isinstance(step, Crossed):
            self._add(self.make.crossing(self.key, step))
        else:
            self._orphaned(step)

    def finish(self) -> list[Event]:
        """The device's events, with one at the end for each visit that late pings changed."""
        for one in self._amended.values():
            if changed_fields(one.before, one.after):
                self._add(self.make.amendment(self.key, one.before, one.after, one.seen))
        return self.events

    def named_state(self, tracked: Tracked) -> DeviceState:
        """The tracked state with its visits named and amended."""
        state = tracked.state
        if not (self._ids or self._open):
            return state
        named = {
            uid: now for uid, one in state.presences.items() if (now := self._named(one)) is not one
        }
        if tracked.fresh:
            state.presences.update(named)
            return state
        return replace(state, presences=state.presences | named) if named else state

    def _changed(self, step: Changed) -> None:
        by_ms = 0 if step.fix is None else step.fix.ts_ms
        for one in self.journal.in_order(step.transitions):
            presence, visit_id = self._amended_of(one.presence), self._id_of(one.presence)
            left = one if one.kind == "geofence.exited" else None
            visit = self.make.visit(self.key, step.customer_id, presence, visit_id, left)
            if left is not None or one.kind == "geofence.entered":
                self.journal.keep(self.key, visit)
            dwelled = one.kind == "geofence.dwelled"
            probability = presence.best_probability if dwelled else one.probability
            event = self.make.transition(self.key, visit, one, step.fix, by_ms, probability)
            if event.store_id is not None:
                self._note_approach(event, step.presences)
            self._add(event)

    def _note_approach(self, event: Event, presences: Sequence[Presence]) -> None:
        """Remember since when the device has been near the event's store.

        `presences` are all of the device's after the event.
        """
        began_ms = event.ts_ms
        for one in presences:
            if one.inside and self.journal.store_of(one.geofence_uid) == event.store_id:
                began_ms = min(began_ms, self._amended_of(one).arrival_ms)
        self.journal.approaches[event.id] = began_ms

    def _late(self, late: LateSighting) -> None:
        """Let a late ping amend the one visit it falls into, open or ended.

        A ping that could end one visit or begin the next belongs to the end of the earlier one.
        """
        ts_ms, presence = late.fix.ts_ms, late.presence
        open_ = self._named(presence) if presence is not None and presence.inside else None
        if open_ is None or ts_ms < open_.arrival_ms:
            visits = self.journal.visits(self.key, late.uid, ts_ms)
            for visit, later in pairwise([*visits, None]):
                if visit is None or (open_ is not None and visit.visit_id == open_.visit_id):
                    continue
                if accepts(visit, ts_ms) and (later is None or ts_ms < later.arrival_ms):
                    self._amend_ended(visit, late)
                    return
        if open_ is not None:
            self._amend_open(open_, late)

    def _amend_open(self, presence: Presence, late: LateSighting) -> None:
        after = amend(presence, late.fix.ts_ms, late.probability)
        if after is presence:
            return
        self._open[late.uid] = after
        visit_id = self._id_of(presence)
        before, visit = (
            self.make.visit(self.key, late.customer_id, one, visit_id) for one in (presence, after)
        )
        self.journal.keep(self.key, visit)
        self._note(before, visit, late)

    def _amend_ended(self, visit: Visit, late: LateSighting) -> None:
        after = amend_ended(visit, late.fix.ts_ms, late.probability)
        if after is not visit:
            self.journal.keep(self.key, after)
            self._note(visit, after, late)

    def _note(self, before: Visit, after: Visit, late: LateSighting) -> None:
        known = self._amended.get(after.visit_id)
        if known is not None:
            late = late if changed_fields(before, after) else known.seen
            before = known.before
        self._amended[after.visit_id] = _Amended(before, after, late)

    def _orphaned(self, step: Orphaned) -> None:
        """End a presence whose geofence went elsewhere while this unit was under way.

        The row of its visit still has the geofence's name.
        """
        presence = step.presence
        _, transitions = end(presence, step.ts_ms, "geofence_removed")
        for one in transitions:
            uid, since_ms = presence.geofence_uid, presence.last_inside_ms
            for visit in self.journal.visits(self.key, uid, since_ms):
                if visit.visit_id != presence.visit_id:
                    continue
                left = replace(
                    visit,
                    departure_ms=one.ts_ms,
                    after_ms=one.after_ms,
                    reason=one.reason,
                    points=presence.points,
                )
                self.journal.keep(self.key, left)
                event = self.make.transition(self.key, left, one, None, step.by_ms, one.probability)
                self.journal.changes.events.append(event)

    def _named(self, presence: Presence) -> Presence:
        """The presence with the id of its visit, and with what late pings changed of it."""
        presence = self._amended_of(presence)
        if presence.visit_id is not None or not presence.inside:
            return presence
        return replace(presence, visit_id=self._id_of(presence))

    def _amended_of(self, presence: Presence) -> Presence:
        """The presence with what late pings of this batch changed of its visit."""
        amended = self._open.get(presence.geofence_uid) if self._open else None
        if amended is None or not presence.inside or amended.visit_id != self._id_of(presence):
            return presence
        return replace(
            presence,
            arrival_ms=min(presence.arrival_ms, amended.arrival_ms),
            best_probability=max(presence.best_probability, amended.best_probability),
            amended=presence.amended or amended.amended,
        )

    def _id_of(self, presence: Presence) -> str:
        """The id of the visit of a presence inside."""
        if presence.visit_id is not None:
            return presence.visit_id
        return self._visit_id(presence.geofence_uid, presence.entered_ms or 0)

    def _visit_id(self, uid: str, entered_ms: int) -> str:
        known = self._ids.get((uid, entered_ms))
        if known is None:
            key = self.key
            known = ids.of_facts("vis", key.project_id, key.device_id, uid, entered_ms)
            self._ids[uid, entered_ms] = known
        return known

    def _add(self, event: Event) -> None:
        self.events.append(event)
        self.journal.add(event)


def _begun(visit: Visit) -> tuple[int, str]:
    return visit.arrival_ms, visit.visit_id
