"""Follow one device through a batch: duplicates, late pings, jumps; then each sighting into its presence.

Works on what was remembered when the unit began and leaves the outcome in a `Changes`; nothing here reads a clock or a
database beyond the few look-ups that late pings and repeated ones need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import cos, hypot, isnan, radians

from geofence.fingerprints import Fingerprints
from geofence.locate import Located
from geofence.model.event import Event
from geofence.model.ping import Pings, Rejection
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.ports import Presences
from geofence.scribe import Scribe
from geofence.track import LIKELY, Happening, Rules, Sighting, amend, fold, probability_of

SUSPECT_MPS = 340.0
JUMP_MPS = 70.0
REFERENCE_ACCURACY_M = 200.0
METRES_PER_DEGREE = 111_195.0

_ORDER = {"geofence.exited": 0, "geofence.dwelled": 1, "geofence.entered": 2}


@dataclass(slots=True)
class Tally:
    """What became of one request's pings; `events` and `repeated` (times, epoch ms) by device id."""

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
    def of(pings: Pings, located: Located) -> Columns:
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
            located.start.tolist(),
            located.slot.tolist(),
            located.edge_m.tolist(),
        )


class Follower:
    """Follows the devices of one project through one unit of work."""

    def __init__(
        self,
        columns: Columns,
        presences: Presences,
        prints: Fingerprints,
        fresh: dict[int, int],
        scribe: Scribe,
    ) -> None:
        self.columns, self.presences, self.prints, self.fresh = columns, presences, prints, fresh
        self.scribe, self.catalogue, self.changes = scribe, scribe.catalogue, scribe.changes

    def follow(self, key: DeviceKey, state: DeviceState, rows: list[int], tally: Tally) -> DeviceState:
        """Take the device's pings `rows` (time order) one by one; the state after the last."""
        walk = _Walk(self, key, state, tally)
        for row in rows:
            walk.step(row)
        return walk.done()

    def print_of(self, key: DeviceKey, row: int) -> tuple[int, int]:
        """(fingerprint, content) of a ping."""
        c = self.columns
        content = hash((c.ts_ms[row], c.lat[row], c.lon[row]))
        ping_id = c.id[row]
        return hash((key, content) if ping_id is None else (key, ping_id)), content


class _Walk:
    """One device in one request."""

    def __init__(self, follower: Follower, key: DeviceKey, state: DeviceState, tally: Tally) -> None:
        self.follower, self.key, self.tally = follower, key, tally
        self.columns, self.catalogue = follower.columns, follower.catalogue
        self.watermark_ms, self.fix_ms, self.lat, self.lon = state.watermark_ms, state.fix_ms, state.lat, state.lon
        self.customer_id = state.customer_id
        self.presences: Mapping[str, Presence] = state.presences
        self.state = state

    def step(self, row: int) -> None:
        """One ping."""
        c, follower, tally = self.columns, self.follower, self.tally
        ts_ms = c.ts_ms[row]
        fingerprint, content = follower.print_of(self.key, row)
        behind = self.watermark_ms is not None and ts_ms <= self.watermark_ms
        if behind or c.id[row] is not None:
            known = follower.fresh.get(fingerprint)
            known = follower.prints.get(fingerprint) if known is None else known
            if known is not None and known != content:
                tally.rejected.append(Rejection(c.index[row], "conflict", "the same id was posted before with other content"))
                return
            if known is not None and behind:
                tally.duplicates += 1
                tally.repeated.setdefault(self.key.device_id, []).append(ts_ms)
                return
        follower.fresh[fingerprint] = content
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
        old = self.state
        new = DeviceState(True, self.watermark_ms, self.fix_ms, self.lat, self.lon, self.customer_id, dict(self.presences))
        written = not old.known or self.presences is not old.presences or self.customer_id != old.customer_id
        changes = self.follower.changes
        if written or self.key in changes.states:
            changes.states[self.key] = new
        elif self.watermark_ms != old.watermark_ms:
            changes.hot[self.key] = new
        return new

    def _apply(self, row: int) -> None:
        c = self.columns
        ts_ms, first, last = c.ts_ms[row], c.start[row], c.start[row + 1]
        evidence = self._trusted(row)
        if first != last or self.presences:
            before_ms = self.watermark_ms
            edges = dict(zip(c.slot[first:last], c.edge_m[first:last], strict=True))
            self._see(row, Sighting(ts_ms, 0.0, c.accuracy_m[row], evidence, before_ms), edges)
        self.watermark_ms = ts_ms

    def _see(self, row: int, seen: Sighting, edges: dict[int, float]) -> None:
        happened: list[Happening] = []
        slot_of, rules, fences = self.catalogue.slot_of, self.catalogue.rules, self.catalogue.fences
        for uid, presence in self.presences.items():
            slot = slot_of.get(uid)
            if slot is None:
                self._keep(uid, None)
                self.follower.scribe.orphan(self.key, presence, seen.ts_ms, self.follower.presences)
                continue
            edge_m = edges.pop(slot, None)
            if edge_m is None:
                edge_m = self.catalogue.index.edge_m_one(self.columns.lat[row], self.columns.lon[row], slot)
            happened += self._fold(uid, presence, seen._replace(edge_m=edge_m), _known(rules[slot]))
        for slot, edge_m in edges.items():
            fence = fences[slot]
            # outside and nobody there: nothing can come of it under any profile
            if edge_m > 0 or fence is None or (fence.active_from_ms or 0) > seen.ts_ms:
                continue
            happened += self._fold(fence.uid, None, seen._replace(edge_m=edge_m), _known(rules[slot]))
        if happened:
            self._tell(row, happened)

    def _fold(self, uid: str, presence: Presence | None, seen: Sighting, rules: Rules) -> list[Happening]:
        visit_id = self.follower.scribe.visit_id(self.key, uid)
        now, happened = fold(presence, uid, seen, rules, visit_id)
        if now is not presence:
            self._keep(uid, now)
        return happened

    def _keep(self, uid: str, presence: Presence | None) -> None:
        presences = dict(self.presences)
        if presence is None:
            presences.pop(uid, None)
        else:
            presences[uid] = presence
        self.presences = presences

    def _tell(self, row: int, happened: list[Happening]) -> None:
        scribe, c = self.follower.scribe, self.columns
        if len(happened) > 1:
            happened.sort(key=lambda h: (_ORDER[h.kind], scribe.fence_id(h.presence.geofence_uid)))
        events = self.tally.events.setdefault(self.key.device_id, [])
        for one in happened:
            event = scribe.write(self.key, self.customer_id, one, (c.lat[row], c.lon[row]))
            scribe.note_approach(event, self.presences.values())
            events.append(event)

    def _trusted(self, row: int) -> bool:
        """Whether this fix is evidence: not suspect, and no jump from the last one worth comparing with."""
        c = self.columns
        if c.suspect[row]:
            self.tally.suspect += 1
            return False
        lat, lon, ts_ms = c.lat[row], c.lon[row], c.ts_ms[row]
        if self.fix_ms is not None and ts_ms > self.fix_ms:
            east = (abs(lon - self.lon) + 180.0) % 360.0 - 180.0
            metres = METRES_PER_DEGREE * hypot(lat - self.lat, east * cos(radians(lat)))
            mps = metres * 1000.0 / (ts_ms - self.fix_ms)
            if mps > JUMP_MPS:
                self.tally.suspect += mps > SUSPECT_MPS
                return False
        accuracy_m = c.accuracy_m[row]
        if accuracy_m is None or accuracy_m <= REFERENCE_ACCURACY_M:
            self.fix_ms, self.lat, self.lon = ts_ms, lat, lon
        return True

    def _late(self, row: int) -> None:
        c, scribe = self.columns, self.follower.scribe
        for place in range(c.start[row], c.start[row + 1]):
            fence, rules = self.catalogue.fences[c.slot[place]], self.catalogue.rules[c.slot[place]]
            if fence is None or rules is None or (c.suspect[row] and rules.profile != "exact"):
                continue
            seen = Sighting(c.ts_ms[row], c.edge_m[place], c.accuracy_m[row], True, None)
            probability = probability_of(seen, rules)
            if probability < LIKELY or (rules.profile != "exact" and (seen.accuracy_m or 0.0) > rules.max_accuracy_m):
                continue
            presence = self.presences.get(fence.uid)
            if presence is not None and presence.inside and seen.ts_ms > (presence.before_ms or 0):
                amended = amend(presence, seen.ts_ms, probability)
                if amended is not presence:
                    self._keep(fence.uid, amended)
                    scribe.write_visit(self.key, self.customer_id, amended)
            else:
                scribe.amend_past(self.key, fence.uid, seen.ts_ms, probability, self.follower.presences)


def _known(rules: Rules | None) -> Rules:
    assert rules is not None, "a slot with a fence has its rules"  # noqa: S101  (both tuples are written together)
    return rules
