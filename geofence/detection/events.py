"""Builds events and visits from what happened, with the names that the catalogue gives."""

from __future__ import annotations

from typing import Any

from geofence import ids
from geofence.detection.changes import Crossed, LateSighting
from geofence.detection.late_pings import changed_fields
from geofence.detection.transition import Transition
from geofence.model.event import Event
from geofence.model.ping import Fix
from geofence.model.presence import DeviceKey, Presence, Visit
from geofence.places.catalogue import Catalogue
from regions.index.cells import cell_of

EVENT_CELL_RESOLUTION = 7  # about 5 km2: coarse enough to keep


class EventMaker:
    """Makes the events and visits of one project, recorded at `now_ms` (epoch ms)."""

    def __init__(self, project_id: str, catalogue: Catalogue, now_ms: int) -> None:
        self.project_id, self.catalogue, self.now_ms = project_id, catalogue, now_ms

    def fence_id(self, uid: str) -> str:
        """The retailer's name of a geofence; the uid itself where the geofence is gone."""
        slot = self.catalogue.slot_of.get(uid)
        fence = None if slot is None else self.catalogue.fences[slot]
        return uid if fence is None else fence.external_id

    def visit(
        self,
        key: DeviceKey,
        customer_id: str | None,
        presence: Presence,
        visit_id: str,
        left: Transition | None = None,
    ) -> Visit:
        """The visit of a presence; `left` is the exit that ends it."""
        fence = self.catalogue.fences[self.catalogue.slot_of[presence.geofence_uid]]
        assert fence is not None  # noqa: S101  (a visit is at a geofence the catalogue holds)
        return Visit(
            visit_id=visit_id,
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

    def transition(
        self,
        key: DeviceKey,
        visit: Visit,
        one: Transition,
        fix: Fix | None,
        by_ms: int,
        probability: float | None,
    ) -> Event:
        """The event of a transition; the position of `fix` becomes a coarse cell."""
        since_ms = visit.arrival_ms if one.kind == "geofence.exited" else one.since_ms
        return self._of_visit(
            key,
            visit,
            id=ids.of_facts("evt", visit.visit_id, one.kind, one.since_ms or one.dwell_s),
            kind=one.kind,
            ts_ms=one.ts_ms,
            probability=None if probability is None else round(probability, 4),
            edge_m=None if one.edge_m is None else round(one.edge_m, 2),
            accuracy_m=one.accuracy_m,
            fix_age_s=self._age_s(one.fix_ms) if one.fix_ms else None,
            first_fix=one.first_fix,
            inferred=one.inferred,
            reason=one.reason,
            duration_s=(one.ts_ms - since_ms) / 1000 if since_ms else None,
            dwell_s=one.dwell_s or None,
            by_ms=None if by_ms == one.ts_ms else by_ms,
            cell=None if fix is None else _cell(fix),
        )

    def crossing(self, key: DeviceKey, one: Crossed) -> Event:
        """The event of a crossing, at the time of the fix that ended the line. No visit opens."""
        fence, fix = one.fence, one.end
        facts = (key.project_id, key.device_id, fence.uid, "geofence.crossed", fix.ts_ms)
        return Event(
            id=ids.of_facts("evt", *facts),
            kind="geofence.crossed",
            project_id=self.project_id,
            device_id=key.device_id,
            ts_ms=fix.ts_ms,
            recorded_ms=self.now_ms,
            geofence_uid=fence.uid,
            geofence_id=fence.external_id,
            visit_id="",
            profile=(fence.profile or self.catalogue.default).name,
            customer_id=one.customer_id,
            store_id=fence.store_id,
            ring=fence.ring,
            probability=round(one.probability, 4),
            edge_m=round(one.edge_m, 2),
            accuracy_m=fix.accuracy_m,
            fix_age_s=self._age_s(fix.ts_ms),
            cell=_cell(fix),
        )

    def amendment(self, key: DeviceKey, before: Visit, visit: Visit, seen: LateSighting) -> Event:
        """The event of a visit that late pings changed, `seen` the last of them.

        The id names the new facts.
        """
        stayed_ms = None if visit.departure_ms is None else visit.departure_ms - visit.arrival_ms
        facts = (visit.arrival_ms, visit.departure_ms, round(visit.best_probability, 4))
        return self._of_visit(
            key,
            visit,
            id=ids.of_facts("evt", visit.visit_id, "visit.amended", *facts),
            kind="visit.amended",
            ts_ms=seen.fix.ts_ms,
            probability=round(visit.best_probability, 4),
            edge_m=round(seen.edge_m, 2),
            accuracy_m=seen.fix.accuracy_m,
            fix_age_s=self._age_s(seen.fix.ts_ms),
            reason=changed_fields(before, visit),
            duration_s=None if stayed_ms is None else stayed_ms / 1000,
            cell=_cell(seen.fix),
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


def _cell(fix: Fix) -> str:
    return cell_of(fix.lat, fix.lon, EVENT_CELL_RESOLUTION)
