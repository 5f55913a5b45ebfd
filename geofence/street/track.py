"""Follow one device through a batch.

Duplicates, late pings, jumps; then each sighting into its presence.

Works on what was remembered when the unit began and leaves the outcome in a `Changes`; nothing here
reads a clock or a database beyond the few look-ups that late pings and repeated ones need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan

from geofence.detection.crossings import Crossing, Crossings
from geofence.detection.duplicates import DuplicateFilter
from geofence.detection.evidence import LIKELY, SURE
from geofence.detection.journal import Journal, LateSighting
from geofence.detection.outliers import SUSPECT_MPS, Fix, Trail, classify
from geofence.detection.presence import (
    Rules,
    Sighting,
    Transition,
    accurate,
    cooldown_over,
    probability_of,
    retime,
    update,
)
from geofence.model.event import Event
from geofence.model.ping import Pings, Rejection
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.model.sightings import Sightings
from geofence.ports.journal import JournalStore

LIVE_MS = 60_000
MOST_LAG_MS = 24 * 3_600_000


@dataclass(slots=True)
class Tally:
    """What became of one request's pings.

    `events` and `repeated` (times, epoch ms) by device id.
    """

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    suspect: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Columns:
    """A batch's columns as lists, for reading one by one."""

    index: list[int]
    ts_ms: list[int]
    lat: list[float]
    lon: list[float]
    accuracy_m: list[float | None]
    suspect: list[bool]
    id: list[str | None]
    customer_id: list[str | None]
    start: list[int]
    slot: list[int]
    edge_m: list[float]

    @staticmethod
    def of(pings: Pings, sightings: Sightings) -> Columns:
        """The lists of these pings and their sightings."""
        return Columns(
            pings.index.tolist(),
            pings.ts_ms.tolist(),
            pings.lat.tolist(),
            pings.lon.tolist(),
            [None if isnan(a) else a for a in pings.accuracy_m.tolist()],
            pings.suspect.tolist(),
            pings.id,
            pings.customer_id,
            sightings.start.tolist(),
            sightings.slot.tolist(),
            sightings.edge_m.tolist(),
        )


class Tracker:
    """Follows the devices of one project through one unit of work."""

    def __init__(
        self,
        columns: Columns,
        past: JournalStore,
        duplicates: DuplicateFilter,
        seen_in_unit: dict[int, int],
        journal: Journal,
        crossings: Crossings | None = None,
        heard_ms: int | None = None,
    ) -> None:
        """`heard_ms` is our clock as the pings came (epoch ms).

        None where pings move it, so that none is behind.
        """
        self.columns, self.past, self.duplicates, self.seen_in_unit, self.crossings = (
            columns,
            past,
            duplicates,
            seen_in_unit,
            crossings,
        )
        self.heard_ms = heard_ms
        self.journal, self.catalogue, self.changes = journal, journal.catalogue, journal.changes

    def follow(
        self, key: DeviceKey, state: DeviceState, rows: list[int], tally: Tally
    ) -> DeviceState:
        """Take the device's pings `rows` (time order) one by one; the state after the last."""
        walk = DeviceTrack(self, key, state, tally)
        for row in rows:
            walk.step(row)
        return walk.done()

    def lag_ms(self, ts_ms: int) -> int:
        """How far a ping is behind our clock.

        What is on its way for less than a minute counts as live.
        """
        lag_ms = 0 if self.heard_ms is None else self.heard_ms - ts_ms
        return min(lag_ms, MOST_LAG_MS) if lag_ms > LIVE_MS else 0

    def fingerprint_of(self, key: DeviceKey, row: int) -> tuple[int, int]:
        """(fingerprint, content) of a ping."""
        c = self.columns
        content = hash((c.ts_ms[row], c.lat[row], c.lon[row]))
        ping_id = c.id[row]
        return hash((key, content) if ping_id is None else (key, ping_id)), content


class DeviceTrack:
    """One device in one request."""

    def __init__(self, tracker: Tracker, key: DeviceKey, state: DeviceState, tally: Tally) -> None:
        self.tracker, self.key, self.tally = tracker, key, tally
        self.columns, self.catalogue = tracker.columns, tracker.catalogue
        self.watermark_ms, self.customer_id = state.watermark_ms, state.customer_id
        self.trail = _trail(state)
        self.presences = state.presences  # a copy of our own from the first change on
        self.state = state
        self.passed = False

    def step(self, row: int) -> None:
        """One ping."""
        c, tracker, tally = self.columns, self.tracker, self.tally
        ts_ms = c.ts_ms[row]
        fingerprint, content = tracker.fingerprint_of(self.key, row)
        behind = self.watermark_ms is not None and ts_ms <= self.watermark_ms
        if behind or c.id[row] is not None:
            known = tracker.seen_in_unit.get(fingerprint)
            known = tracker.duplicates.get(fingerprint) if known is None else known
            if known is not None and known != content:
                tally.rejected.append(
                    Rejection(
                        c.index[row], "conflict", "the same id was posted before with other content"
                    )
                )
                return
            if known is not None and behind:
                tally.duplicates += 1
                tally.repeated.setdefault(self.key.device_id, []).append(ts_ms)
                return
        tracker.seen_in_unit[fingerprint] = content
        tally.accepted += 1
        if behind:
            tally.late += 1
            self._late(row)
            return
        if c.customer_id[row] is not None:
            self.customer_id = c.customer_id[row]
        self._apply(row)

    def done(self) -> DeviceState:
        """The state to remember, told to the changes of the unit."""
        self._told(self.tracker.journal.amendment_events())
        old, (last, odd) = self.state, self.trail
        new = DeviceState(
            True,
            self.watermark_ms,
            last.ts_ms if last else None,
            last.lat if last else 0.0,
            last.lon if last else 0.0,
            self.customer_id,
            dict(self.presences),
            last.accuracy_m if last else None,
            odd.ts_ms if odd else None,
            odd.lat if odd else 0.0,
            odd.lon if odd else 0.0,
        )
        # a crossing leaves no presence: without the watermark beside it, the same pings after a
        # restart would tell it again
        written = (
            not old.known
            or self.presences is not old.presences
            or self.customer_id != old.customer_id
            or self.passed
        )
        changes = self.tracker.changes
        if written or self.key in changes.states:
            changes.states[self.key] = new
        elif self.watermark_ms != old.watermark_ms:
            changes.watermarks[self.key] = new
        return new

    def _apply(self, row: int) -> None:
        c = self.columns
        fix = Fix(c.ts_ms[row], c.lat[row], c.lon[row], c.accuracy_m[row])
        first, last = c.start[row], c.start[row + 1]
        start, evidence = self.trail.last, self._trusted(row, fix)
        if evidence and start is not None and self.tracker.crossings is not None:
            for crossing in self.tracker.crossings.of(row, start, fix):
                self._pass(crossing, start, fix)
        if first != last or self.presences:
            edges = dict(zip(c.slot[first:last], c.edge_m[first:last], strict=True))
            lag_ms = self.tracker.lag_ms(fix.ts_ms)
            self._see(
                row,
                Sighting(
                    fix.ts_ms,
                    0.0,
                    fix.accuracy_m,
                    evidence,
                    self.watermark_ms,
                    fix.lat,
                    fix.lon,
                    lag_ms,
                ),
                edges,
            )
        self.watermark_ms = fix.ts_ms

    def _pass(self, crossing: Crossing, start: Fix, end: Fix) -> None:
        """A way that cut a geofence with neither end in it.

        A crossing, unless the device was there or has just left.
        """
        fence, rules = self.catalogue.fences[crossing.slot], self.catalogue.rules[crossing.slot]
        if (
            fence is None
            or rules is None
            or not (accurate(start.accuracy_m, rules) and accurate(end.accuracy_m, rules))
        ):
            return
        if (fence.active_from_ms or 0) > start.ts_ms or (
            fence.active_until_ms is not None and end.ts_ms >= fence.active_until_ms
        ):
            return
        known = self.presences.get(fence.uid)
        if known is not None and (known.inside or not cooldown_over(known, end.ts_ms, rules)):
            return
        probability = crossing.probability(rules.inradius_m)
        if probability >= SURE:
            self._told(
                [
                    self.tracker.journal.write_crossing(
                        self.key, self.customer_id, fence, end, crossing.edge_m, probability
                    )
                ]
            )
            self.passed = True

    def _see(self, row: int, seen: Sighting, edges: dict[int, float]) -> None:
        happened: list[Transition] = []
        slot_of, rules, fences = self.catalogue.slot_of, self.catalogue.rules, self.catalogue.fences
        for uid, presence in [*self.presences.items()]:
            slot = slot_of.get(uid)
            if slot is None:
                self._keep(uid, None)
                self.tracker.journal.end_orphan(
                    self.key, presence, seen.ts_ms, self.tracker.past, seen.ts_ms
                )
                continue
            edge_m = edges.pop(slot, None)
            if edge_m is None:
                edge_m = self.catalogue.index.edge_m_one(
                    self.columns.lat[row], self.columns.lon[row], slot
                )
            happened += self._fold(uid, presence, seen._replace(edge_m=edge_m), _known(rules[slot]))
        for slot, edge_m in edges.items():
            fence = fences[slot]
            # outside and nobody there: nothing can come of it under any profile
            if edge_m > 0 or fence is None or (fence.active_from_ms or 0) > seen.ts_ms:
                continue
            happened += self._fold(
                fence.uid, None, seen._replace(edge_m=edge_m), _known(rules[slot])
            )
        if happened:
            self._tell(row, happened)

    def _fold(
        self, uid: str, presence: Presence | None, seen: Sighting, rules: Rules
    ) -> list[Transition]:
        visit_id = self.tracker.journal.visit_id(self.key, uid)
        now, happened = update(presence, uid, seen, rules, visit_id)
        if now is not presence:
            self._keep(uid, now)
        return happened

    def _keep(self, uid: str, presence: Presence | None) -> None:
        if self.presences is self.state.presences:
            self.presences = dict(self.presences)
        if presence is None:
            self.presences.pop(uid, None)
        else:
            self.presences[uid] = presence

    def _tell(self, row: int, happened: list[Transition]) -> None:
        journal, c = self.tracker.journal, self.columns
        for one in journal.in_order(happened):
            event = journal.write(
                self.key, self.customer_id, one, (c.lat[row], c.lon[row]), c.ts_ms[row]
            )
            journal.record_approach(event, self.presences.values())
            self._told([event])

    def _told(self, events: list[Event]) -> None:
        if events:
            self.tally.events.setdefault(self.key.device_id, []).extend(events)

    def _trusted(self, row: int, fix: Fix) -> bool:
        """Whether this fix is evidence: not suspect, and no jump that it is alone with."""
        if self.columns.suspect[row]:
            self.tally.suspect += 1
            return False
        weighed = classify(self.trail, fix)
        self.trail = weighed.trail
        self.tally.suspect += not weighed.trusted and weighed.speed_mps > SUSPECT_MPS
        return weighed.trusted

    def _late(self, row: int) -> None:
        """Let a late ping amend the visits it falls into.

        It moves no presence and triggers nothing.
        """
        c, journal = self.columns, self.tracker.journal
        fix = Fix(c.ts_ms[row], c.lat[row], c.lon[row], c.accuracy_m[row])
        for place in range(c.start[row], c.start[row + 1]):
            fence, rules = self.catalogue.fences[c.slot[place]], self.catalogue.rules[c.slot[place]]
            if (
                fence is None
                or rules is None
                or (
                    rules.profile != "exact"
                    and (c.suspect[row] or not accurate(fix.accuracy_m, rules))
                )
            ):
                continue
            if (fence.active_from_ms or 0) > fix.ts_ms or (
                fence.active_until_ms is not None and fix.ts_ms >= fence.active_until_ms
            ):
                continue
            probability = probability_of(
                Sighting(fix.ts_ms, c.edge_m[place], fix.accuracy_m, True, None), rules
            )
            if probability < LIKELY:
                continue
            presence = self.presences.get(fence.uid)
            seen = LateSighting(fix, c.edge_m[place], probability)
            after = journal.amend(
                self.key, self.customer_id, fence.uid, presence, seen, self.tracker.past
            )
            if after is not None and after is not presence:
                self._keep(fence.uid, retime(after, rules))


def _trail(state: DeviceState) -> Trail:
    last = (
        None
        if state.fix_ms is None
        else Fix(state.fix_ms, state.lat, state.lon, state.fix_accuracy_m)
    )
    return Trail(
        last, None if state.odd_ms is None else Fix(state.odd_ms, state.odd_lat, state.odd_lon)
    )


def _known(rules: Rules | None) -> Rules:
    assert rules is not None, "a slot with a fence has its rules"  # noqa: S101  (both tuples are written together)
    return rules
