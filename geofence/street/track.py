"""Step 3: take each device's pings one by one through duplicates, jumps, late pings and presences.

Pure: the states come in, and new states with their changes come out. No port is asked, no id is
made, and no clock is read; `detection/journal.py` writes the changes down.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby

from geofence.detection.changes import Changed, Crossed, LateSighting, Orphaned, Step, Tracked
from geofence.detection.crossings import Crossing, Crossings
from geofence.detection.deadlines import cooldown_over, retime
from geofence.detection.duplicates import Seen
from geofence.detection.evidence import LIKELY, SURE
from geofence.detection.late_pings import amend
from geofence.detection.outliers import SUSPECT_MPS, Trail, classify
from geofence.detection.presence import update
from geofence.detection.transition import Sighting, Transition, accurate, probability_of
from geofence.model.ping import Fix, Pings, Rejection
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.model.rules import Rules
from geofence.model.sightings import Sightings
from geofence.places.catalogue import Catalogue
from geofence.street.jobs import Tally

LIVE_MS = 60_000
MOST_LAG_MS = 24 * 3_600_000
CONFLICT = "the same id was posted before with other content"

DeviceRows = tuple[DeviceKey, list[int]]  # a device, and the rows of its pings in time order


def by_device(project_id: str, pings: Pings) -> list[DeviceRows]:
    """Each device with its rows by request, then time, sorted by device.

    `pings` lie device by device in that order already.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, device_id in enumerate(pings.device_id):
        rows[device_id].append(row)
    return [(DeviceKey(project_id, device_id), rows[device_id]) for device_id in sorted(rows)]


def by_request(devices: Sequence[DeviceRows], pings: Pings) -> dict[int, list[DeviceRows]]:
    """Request -> its devices with their rows there, in the order of `devices`."""
    request = pings.request.tolist()
    found: dict[int, list[DeviceRows]] = defaultdict(list)
    for key, rows in devices:
        for number, some in groupby(rows, key=request.__getitem__):
            found[number].append((key, list(some)))
    return found


class Tracker:
    """Tracks the busy devices of one project in a unit, request by request."""

    def __init__(
        self,
        pings: Pings,
        sightings: Sightings,
        catalogue: Catalogue,
        seen: Seen,
        crossings: Crossings | None = None,
        heard_ms: int | None = None,
    ) -> None:
        """`heard_ms` is our clock when the pings came (epoch ms).

        None where pings move the clock, so that none is behind it.
        """
        self.catalogue, self.crossings, self.heard_ms = catalogue, crossings, heard_ms
        self.seen, self.fixes, self.index = seen, pings.fixes(), pings.index
        nothing: list[str | None] = [None] * len(pings)
        self.id, self.customer_id = pings.id or nothing, pings.customer_id or nothing
        self.suspect: list[bool] = pings.suspect.tolist()
        self.start: list[int] = sightings.start.tolist()
        self.slot: list[int] = sightings.slot.tolist()
        self.edge_m: list[float] = sightings.edge_m.tolist()

    def track(
        self, devices: Sequence[DeviceRows], states: Mapping[DeviceKey, DeviceState], tally: Tally
    ) -> list[Tracked]:
        """Each device after its pings, in the order given."""
        return [self.track_one(key, states[key], rows, tally) for key, rows in devices]

    def track_one(
        self, key: DeviceKey, state: DeviceState, rows: Sequence[int], tally: Tally
    ) -> Tracked:
        """One device after its pings `rows`, which are in time order."""
        device = DeviceTrack(self, key, state, tally)
        for row in rows:
            device.take(row)
        return device.tracked()

    def lag_ms(self, ts_ms: int) -> int:
        """How far a ping is behind our clock; 0 for one that was sent less than a minute ago."""
        lag_ms = 0 if self.heard_ms is None else self.heard_ms - ts_ms
        return min(lag_ms, MOST_LAG_MS) if lag_ms > LIVE_MS else 0


class DeviceTrack:
    """One device in one batch."""

    def __init__(self, tracker: Tracker, key: DeviceKey, state: DeviceState, tally: Tally) -> None:
        self.tracker, self.key, self.state, self.tally = tracker, key, state, tally
        self.catalogue = tracker.catalogue
        self.watermark_ms, self.customer_id = state.watermark_ms, state.customer_id
        self.trail = _trail(state)
        self.presences = state.presences  # a copy of our own from the first change on
        self.steps: list[Step] = []

    def take(self, row: int) -> None:
        """Take one ping."""
        tracker, tally, fix = self.tracker, self.tally, self.tracker.fixes[row]
        ping_id = tracker.id[row]
        fingerprint, content = tracker.seen.fingerprint(row, self.key, ping_id, fix)
        behind = self.watermark_ms is not None and fix.ts_ms <= self.watermark_ms
        if (behind or ping_id is not None) and self._is_repeated(
            row, fingerprint, content, behind=behind
        ):
            return
        tracker.seen.in_unit[fingerprint] = content
        tally.accepted += 1
        if behind:
            tally.late += 1
            self._take_late(row, fix)
            return
        if tracker.customer_id[row] is not None:
            self.customer_id = tracker.customer_id[row]
        self._take_new(row, fix)
        self.watermark_ms = fix.ts_ms

    def tracked(self) -> Tracked:
        """The outcome: the state to remember, and the changes on the way to it."""
        old, (last, candidate) = self.state, self.trail
        new = DeviceState(
            True,
            self.watermark_ms,
            last.ts_ms if last else None,
            last.lat if last else 0.0,
            last.lon if last else 0.0,
            self.customer_id,
            self.presences,
            last.accuracy_m if last else None,
            candidate.ts_ms if candidate else None,
            candidate.lat if candidate else 0.0,
            candidate.lon if candidate else 0.0,
        )
        changed = self.presences is not old.presences or self.customer_id != old.customer_id
        # a crossing leaves no presence: only a written watermark keeps the same pings, sent again
        # after a restart, from making it once more
        written = changed or not old.known or any(type(one) is Crossed for one in self.steps)
        moved = self.watermark_ms != old.watermark_ms
        return Tracked(self.key, new, self.steps, written, moved)

    def _is_repeated(self, row: int, fingerprint: int, content: int, *, behind: bool) -> bool:
        """Whether the ping was seen before: as it is (a duplicate), or with other content."""
        tracker, tally = self.tracker, self.tally
        known = tracker.seen.content(row, fingerprint, tracker.id[row])
        if known is None:
            return False
        if known != content:
            tally.rejected.append(Rejection(tracker.index[row], "conflict", CONFLICT))
            return True
        if behind:
            tally.duplicates += 1
            repeated = tally.repeated.setdefault(self.key.device_id, [])
            repeated.append(tracker.fixes[row].ts_ms)
        return behind

    def _take_new(self, row: int, fix: Fix) -> None:
        tracker = self.tracker
        first, last = tracker.start[row], tracker.start[row + 1]
        start, evidence = self.trail.last, self._trusted(row, fix)
        if evidence and start is not None and tracker.crossings is not None:
            for crossing in tracker.crossings.of(row, start, fix):
                self._cross(crossing, start, fix)
        if first != last or self.presences:
            edges = dict(zip(tracker.slot[first:last], tracker.edge_m[first:last], strict=True))
            lag_ms, before_ms = tracker.lag_ms(fix.ts_ms), self.watermark_ms
            ts_ms, lat, lon, accuracy_m = fix
            seen = Sighting(ts_ms, 0.0, accuracy_m, evidence, before_ms, lat, lon, lag_ms)
            self._see(fix, seen, edges)

    def _cross(self, crossing: Crossing, start: Fix, end: Fix) -> None:
        """Note a line that cut a geofence with neither end in it.

        It is no crossing where the device was inside or has just left.
        """
        fence, rules = self.catalogue.fences[crossing.slot], self.catalogue.rules[crossing.slot]
        if fence is None or rules is None or not _is_active(fence, start.ts_ms, end.ts_ms):
            return
        if not (accurate(start.accuracy_m, rules) and accurate(end.accuracy_m, rules)):
            return
        known = self.presences.get(fence.uid)
        if known is not None and (known.inside or not cooldown_over(known, end.ts_ms, rules)):
            return
        probability = crossing.probability(rules.inradius_m)
        if probability >= SURE:
            self.steps.append(Crossed(self.customer_id, fence, end, crossing.edge_m, probability))

    def _see(self, fix: Fix, seen: Sighting, edges: dict[int, float]) -> None:
        """Update the presences the device has, then those it may begin: `edges` by slot."""
        happened = self._see_known(seen, edges)
        rules, fences = self.catalogue.rules, self.catalogue.fences
        for slot, edge_m in edges.items():
            fence = fences[slot]
            # outside without a presence: no profile makes anything of it
            if edge_m > 0 or fence is None or (fence.active_from_ms or 0) > seen.ts_ms:
                continue
            happened += self._update(
                fence.uid, None, seen._replace(edge_m=edge_m), _present(rules[slot])
            )
        if happened:
            presences = tuple(self.presences.values())
            self.steps.append(Changed(self.customer_id, happened, presences, fix))

    def _see_known(self, seen: Sighting, edges: dict[int, float]) -> list[Transition]:
        """Update every presence of the device; their slots leave `edges`."""
        happened: list[Transition] = []
        slot_of, rules, index = self.catalogue.slot_of, self.catalogue.rules, self.catalogue.index
        for uid, presence in [*self.presences.items()]:
            slot = slot_of.get(uid)
            if slot is None:
                self._keep(uid, None)
                self.steps.append(Orphaned(presence, seen.ts_ms, seen.ts_ms))
                continue
            edge_m = edges.pop(slot, None)
            if edge_m is None:
                edge_m = index.edge_m_one(seen.lat, seen.lon, slot)
            happened += self._update(
                uid, presence, seen._replace(edge_m=edge_m), _present(rules[slot])
            )
        return happened

    def _update(
        self, uid: str, presence: Presence | None, seen: Sighting, rules: Rules
    ) -> list[Transition]:
        now, happened = update(presence, uid, seen, rules)
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

    def _trusted(self, row: int, fix: Fix) -> bool:
        """Whether this fix is evidence: not suspect, and no jump that no other fix confirms."""
        if self.tracker.suspect[row]:
            self.tally.suspect += 1
            return False
        judged = classify(self.trail, fix)
        self.trail = judged.trail
        self.tally.suspect += not judged.trusted and judged.speed_mps > SUSPECT_MPS
        return judged.trusted

    def _take_late(self, row: int, fix: Fix) -> None:
        """Let a late ping amend visits; it triggers nothing.

        The presence of an open visit is amended here, unless the ping is older than the arrival:
        then an ended visit may take it, and the journal decides.
        """
        tracker = self.tracker
        for place in range(tracker.start[row], tracker.start[row + 1]):
            slot, edge_m = tracker.slot[place], tracker.edge_m[place]
            fence, rules = self.catalogue.fences[slot], self.catalogue.rules[slot]
            if fence is None or rules is None or not _is_active(fence, fix.ts_ms, fix.ts_ms):
                continue
            trusted = not tracker.suspect[row] and accurate(fix.accuracy_m, rules)
            if rules.profile != "exact" and not trusted:
                continue
            seen = Sighting(fix.ts_ms, edge_m, fix.accuracy_m, True, None)
            probability = probability_of(seen, rules)
            if probability >= LIKELY:
                self._amend(fence.uid, fix, edge_m, probability, rules)

    def _amend(self, uid: str, fix: Fix, edge_m: float, probability: float, rules: Rules) -> None:
        presence = self.presences.get(uid)
        late = LateSighting(self.customer_id, uid, presence, fix, edge_m, probability)
        if presence is None or not presence.inside or fix.ts_ms < presence.arrival_ms:
            self.steps.append(late)
            return
        after = amend(presence, fix.ts_ms, probability)
        if after is not presence:
            self._keep(uid, retime(after, rules))
            self.steps.append(late)


def _is_active(fence: Geofence, start_ms: int, end_ms: int) -> bool:
    """Whether the geofence lives from `start_ms` to `end_ms`."""
    until_ms = fence.active_until_ms
    return (fence.active_from_ms or 0) <= start_ms and (until_ms is None or end_ms < until_ms)


def _trail(state: DeviceState) -> Trail:
    last = candidate = None
    if state.fix_ms is not None:
        last = Fix(state.fix_ms, state.lat, state.lon, state.fix_accuracy_m)
    if state.odd_ms is not None:
        candidate = Fix(state.odd_ms, state.odd_lat, state.odd_lon)
    return Trail(last, candidate)


def _present(rules: Rules | None) -> Rules:
    assert rules is not None, "a slot with a fence has its rules"  # noqa: S101  (both are written together)
    return rules
