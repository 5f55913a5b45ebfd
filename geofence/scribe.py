"""Writes what happened as events and visits, into the changes of a unit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from geofence import ids
from geofence.catalogue import Catalogue
from geofence.model.event import Event
from geofence.model.presence import DeviceKey, Presence, Visit
from geofence.ports import Changes, Presences
from geofence.track import Happening, end
from regions.cells import cell_of

EVENT_CELL_RESOLUTION = 7  # about 5 km2: coarse enough to keep, see engine section 8


class Scribe:
    """One project's pen for one unit of work at `now_ms` (epoch ms)."""

    def __init__(self, project_id: str, catalogue: Catalogue, changes: Changes, now_ms: int) -> None:
        self.project_id, self.catalogue, self.changes, self.now_ms = project_id, catalogue, changes, now_ms
        self.events: list[Event] = []  # this project's, while `changes` holds the whole unit's
        self._past: dict[tuple[DeviceKey, str], tuple[int | None, list[Visit]]] = {}  # as read once for all late pings of a unit
        self.approaches: dict[str, int] = {}  # event id -> when the approach to its store began

    def visit_id(self, key: DeviceKey, uid: str) -> Callable[[int], str]:
        """Names a visit of this device at this geofence by its entered time (epoch ms)."""
        return lambda entered_ms: ids.of_facts("vis", key.project_id, key.device_id, uid, entered_ms)

    def fence_id(self, uid: str) -> str:
        """The retailer's name of a geofence; the uid itself when it is gone."""
        slot = self.catalogue.slot_of.get(uid)
        fence = None if slot is None else self.catalogue.fences[slot]
        return uid if fence is None else fence.external_id

    def write(self, key: DeviceKey, customer_id: str | None, happened: Happening, position: tuple[float, float] | None) -> Event:
        """The event of a happening, and its visit's row at both ends. `position` (lat, lon) becomes a coarse cell."""
        presence = happened.presence
        departure_ms = happened.ts_ms if happened.kind == "geofence.exited" else None
        if happened.kind != "geofence.dwelled":
            visit = self._visit(key, customer_id, presence, departure_ms, happened)
            self.changes.visits[visit.visit_id] = (self.project_id, visit)
        else:
            visit = self._visit(key, customer_id, presence, None, happened)
        event = self._event(key, visit, happened, position)
        self.changes.events.append(event)
        self.events.append(event)
        return event

    def note_approach(self, event: Event, presences: Iterable[Presence]) -> None:
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

    def write_visit(self, key: DeviceKey, customer_id: str | None, presence: Presence) -> None:
        """The row of a visit that goes on, amended."""
        visit = self._visit(key, customer_id, presence, None, None)
        self.changes.visits[visit.visit_id] = (self.project_id, visit)

    def amend_past(self, key: DeviceKey, uid: str, ts_ms: int, probability: float, presences: Presences) -> None:
        """Let a late ping move the arrival or the best probability of an ended visit; minima and maxima only."""
        for visit in self._visits(key, uid, ts_ms, presences):
            if not _surrounds(visit, ts_ms):
                continue
            arrival_ms = min(visit.arrival_ms, ts_ms)
            inside_ms = max(visit.last_inside_ms, ts_ms)
            best = max(visit.best_probability, probability)
            if (arrival_ms, inside_ms, best) == (visit.arrival_ms, visit.last_inside_ms, visit.best_probability):
                continue
            better = replace(visit, arrival_ms=arrival_ms, last_inside_ms=inside_ms, best_probability=best, amended=True)
            self.changes.visits[visit.visit_id] = (self.project_id, better)

    def orphan(self, key: DeviceKey, presence: Presence, ts_ms: int, presences: Presences) -> None:
        """End a presence whose geofence went while this unit was under way elsewhere; its visit's row still knows it."""
        _, happened = end(presence, ts_ms, "geofence_removed")
        for one in happened:
            for visit in self._visits(key, presence.geofence_uid, presence.last_inside_ms, presences):
                if visit.visit_id == presence.visit_id:
                    left = replace(visit, departure_ms=one.ts_ms, reason=one.reason, points=presence.points)
                    self.changes.visits[visit.visit_id] = (self.project_id, left)
                    self.changes.events.append(self._event(key, left, one, None))

    def _visits(self, key: DeviceKey, uid: str, ts_ms: int, presences: Presences) -> list[Visit]:
        since_ms, stored = self._past.get((key, uid), (None, []))
        if since_ms is None or ts_ms < since_ms:
            stored = presences.visits_since(key, uid, ts_ms)
            self._past[key, uid] = (ts_ms, stored)
        known = self.changes.visits
        return [known[visit.visit_id][1] if visit.visit_id in known else visit for visit in stored]

    def _visit(
        self, key: DeviceKey, customer_id: str | None, presence: Presence, departure_ms: int | None, happened: Happening | None
    ) -> Visit:
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
            departure_ms=departure_ms,
            points=presence.points,
            best_probability=presence.best_probability,
            customer_id=customer_id,
            store_id=fence.store_id,
            ring=fence.ring,
            inferred=happened is not None and happened.inferred,
            amended=presence.amended,
            reason=None if happened is None else happened.reason,
        )

    def _event(self, key: DeviceKey, visit: Visit, happened: Happening, position: tuple[float, float] | None) -> Event:
        exited = happened.kind == "geofence.exited"
        slot = self.catalogue.slot_of.get(visit.geofence_uid)
        rules = None if slot is None else self.catalogue.rules[slot]
        return Event(
            id=ids.of_facts("evt", visit.visit_id, happened.kind, happened.dwell_s),
            kind=happened.kind,
            project_id=self.project_id,
            device_id=key.device_id,
            ts_ms=happened.ts_ms,
            recorded_ms=self.now_ms,
            geofence_uid=visit.geofence_uid,
            geofence_id=visit.geofence_id,
            visit_id=visit.visit_id,
            profile=self.catalogue.default.name if rules is None else rules.profile,
            customer_id=visit.customer_id,
            store_id=visit.store_id,
            ring=visit.ring,
            probability=round(happened.probability, 4),
            edge_m=None if happened.edge_m is None else round(happened.edge_m, 2),
            accuracy_m=happened.accuracy_m,
            fix_age_s=max(0.0, (self.now_ms - happened.fix_ms) / 1000) if happened.fix_ms else None,
            first_fix=happened.first_fix,
            inferred=happened.inferred,
            reason=happened.reason,
            duration_s=(happened.ts_ms - visit.arrival_ms) / 1000 if exited else None,
            dwell_s=happened.dwell_s or None,
            cell=None if position is None else cell_of(*position, EVENT_CELL_RESOLUTION),
        )


def _surrounds(visit: Visit, ts_ms: int) -> bool:
    """Whether a late ping falls into the visit, or into the gap before it that nobody judged."""
    if ts_ms < visit.arrival_ms:
        return visit.before_ms is None or visit.before_ms < ts_ms
    return visit.departure_ms is None or ts_ms < visit.departure_ms
