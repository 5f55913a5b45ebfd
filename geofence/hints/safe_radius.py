"""How far and how long a phone may sleep, and which geofences its operating system should watch.

The circle is a promise: as long as the phone's reported positions stay within `safe_radius_m` of
the one it just reported, until `next_ping_s` is over, and while the index stays as it is, none of
its pings can make an event by its position. Timers (dwell, silence, a stop) go on without a ping.
The promise rests on how `track` reads a position, stated in `enter_room_m` and `exit_room_m`;
tests/properties/test_hint.py walks inside such circles and tries to break it.
"""

from __future__ import annotations

from math import floor, inf
from typing import Literal, NamedTuple

from geofence.detection.evidence import MISSING_ACCURACY_M, MOST_FIXES
from geofence.detection.outliers import AGREE_MS, metres
from geofence.detection.pending import EXIT_GAP_MS, is_marker
from geofence.detection.segments import PASS_MS
from geofence.detection.stops import STILL_M, STILL_MS
from geofence.hints.watchlist import (
    FARTHEST_M,
    Anchor,
    Around,
    Found,
    anchor_at,
    anchor_of,
    around,
    version_of,
    watchlist,
)
from geofence.model.ping import Fix
from geofence.model.presence import DeviceState, Presence
from geofence.model.receipt import Hint, Near
from geofence.model.rules import Rules
from geofence.places.catalogue import Catalogue

FASTEST_MPS = 35.0  # 126 km/h: no phone reaches a store faster on the ground
LEAST_PING_S = 10
LONGEST_PING_S = 3600
AGAIN_S = 30  # something may happen right here: look again
STILL_S = 900  # ... but a phone that lies still next to a border is asked less and less, to this,
DOUBT_S = 300  # or to this where a better fix may show that it is gone,
# or to this where it may walk in unnoticed: of a visit of five minutes at least half is seen
MISSED_S = 150
WATCHABLE_M = 100.0  # a phone's system does not reliably notice a smaller circle
SPHERE = 0.994  # a phone that measures on a sphere may be wrong by 0.56 %
# up to this share of the way to the pole a straight line in degrees between two points of a circle
# stays in it
POLAR_SHARE = 0.45
METRES_PER_DEGREE = 110_574.0  # of latitude, where it is least
BORDER_M = 0.1  # how exactly the distance to the border of an area is known, also beside a pole

Wake = Literal["clock", "circle"]


class Wish(NamedTuple):
    """What the phone can do.

    How many geofences its system watches (iOS 19, Android 99), and what wakes the app.

    `clock`: a timer only. `circle`: its system also wakes the app when it leaves a circle.
    `version` of the list it has.
    """

    watch: int
    wake: Wake = "clock"
    version: str | None = None


def enter_room_m(edge_m: float) -> float:
    """How far from entering.

    Under every profile a presence needs a ping at or inside the border: P(inside) < 0.5 outside.
    """
    return edge_m


def exit_room_m(edge_m: float, rules: Rules) -> float:
    """How far from leaving.

    The border under `exact`, the exit margin outside of it under the others.
    """
    return -edge_m if rules.profile == "exact" else max(rules.exit_margin_m, 0.0) - edge_m


def opens_ms(catalogue: Catalogue, slot: int, presence: Presence | None) -> int:
    """From when on a geofence can be entered (epoch ms).

    Its first day, the end of a cool-down; 0 for always.
    """
    fence, rules = catalogue.fences[slot], catalogue.rules[slot]
    from_ms = fence.active_from_ms or 0 if fence is not None else 0
    if rules is None or presence is None or presence.left_ms is None:
        return from_ms
    return max(from_ms, presence.left_ms + rules.cool_down_ms)


def hint(
    catalogue: Catalogue,
    state: DeviceState,
    here: Fix,
    wish: Wish,
    before: DeviceState | None = None,
    now_ms: int | None = None,
) -> Hint:
    """The hint for a device that just reported `here`.

    `state` is what followed from it, `before` what was known before.

    `now_ms` (epoch ms) is the clock, where the newest ping may be old. Within `safe_radius_m` (0:
    something can happen right here) no position makes an event; None means that there is no
    geofence at all.
    """
    return _Hinter(catalogue, state, here, wish).hint(before, now_ms)


class _Hinter:
    def __init__(self, catalogue: Catalogue, state: DeviceState, here: Fix, wish: Wish) -> None:
        self.catalogue, self.state, self.here, self.wish = catalogue, state, here, wish
        self.at_ms = state.watermark_ms or 0
        self._mattering: dict[int, bool] = {}
        self.presence_at = {
            slot: presence
            for uid, presence in state.presences.items()
            if (slot := catalogue.slot_of.get(uid)) is not None
        }
        self.entered = {
            slot: presence for slot, presence in self.presence_at.items() if presence.inside
        }

    def hint(self, before: DeviceState | None, now_ms: int | None) -> Hint:
        anchor, seen = self._held()
        version = self.wish.version
        if anchor is None or seen is None:
            anchor, version = anchor_at(self.here.lat, self.here.lon), None
            seen = self._around(anchor)
        found = self._limiting(seen)
        safe_m = self._safe_m(found)
        wait_s = self._wait_s(safe_m, found, before, now_ms)
        if version is not None:
            return Hint(safe_m, wait_s, None, version)
        slots = watchlist(seen.near_anchor, self.entered, self.wish.watch, self._matters)
        near = self._near(slots, dict(seen.near_here))
        return Hint(safe_m, wait_s, near, version_of(self.catalogue, anchor, slots))

    def _held(self) -> tuple[Anchor | None, Around | None]:
        """The anchor of the phone's own list and what is around it; None where it is not good."""
        version = self.wish.version
        anchor = None if version is None else anchor_of(version)
        if anchor is None:
            return None, None
        seen = self._around(anchor)
        return (anchor, seen) if self._still_good(anchor, seen) else (None, None)

    def _around(self, anchor: Anchor) -> Around:
        place = (self.here.lat, self.here.lon)
        return around(self.catalogue, anchor, place, self.wish.watch, self._matters)

    def _rules(self, slot: int) -> Rules:
        rules = self.catalogue.rules[slot]
        assert rules is not None, "a slot in the index has its rules"  # noqa: S101  (both are written together)
        return rules

    def _edge_m(self, slot: int) -> float:
        return self.catalogue.index.edge_m_one(self.here.lat, self.here.lon, slot)

    # how far

    def _safe_m(self, found: Found) -> float | None:
        rooms_m = [exit_room_m(self._edge_m(slot), self._rules(slot)) for slot in self.entered]
        rooms_m += [enter_room_m(edge_m) for slot, edge_m in found if self._limits(slot, edge_m)][
            :1
        ]
        if not rooms_m:
            return None
        pole_m = (90.0 - abs(self.here.lat)) * METRES_PER_DEGREE + 1e-9
        room_m = min(rooms_m) - _accuracy_m(self.here) - BORDER_M
        safe_m = 0.0 if self._unproven() else min(room_m * SPHERE, pole_m * POLAR_SHARE)
        return floor(max(0.0, safe_m) * 10.0) / 10.0

    def _limiting(self, seen: Around) -> Found:
        """The geofences nearest to the phone, nearest first.

        At least up to the first that limits the circle, if any does.
        """
        found, sure = seen.near_here, seen.sure_m == inf
        number = next((nth for nth, one in enumerate(found, 1) if self._limits(*one)), None)
        k = len(found)
        while not sure and (number is None or not seen.sure(number)):
            k *= 4
            found = self.catalogue.index.nearest(self.here.lat, self.here.lon, k)
            number = next((nth for nth, one in enumerate(found, 1) if self._limits(*one)), None)
            sure = number is not None or len(found) < k
        return found

    def _limits(self, slot: int, edge_m: float) -> bool:
        """Whether the way into a geofence limits the circle.

        Where the phone is in it before it opens, that limits the time.
        """
        if slot in self.entered or not self._matters(slot):
            return False
        return edge_m > 0 or self._opens_ms(slot) - self.at_ms < LEAST_PING_S * 1000

    def _over(self, slot: int) -> bool:
        until_ms = self._rules(slot).active_until_ms
        return until_ms is not None and until_ms <= self.at_ms

    def _opens_ms(self, slot: int) -> int:
        return opens_ms(self.catalogue, slot, self.presence_at.get(slot))

    def _unproven(self) -> bool:
        """Whether the last position worth comparing with is another one.

        The way from there to the next may cross anything.
        """
        state = self.state
        if state.fix_ms is None or (state.lat, state.lon) == (self.here.lat, self.here.lon):
            return False
        return self.at_ms - state.fix_ms <= PASS_MS

    # how long

    def _wait_s(
        self, safe_m: float | None, found: Found, before: DeviceState | None, now_ms: int | None
    ) -> int:
        longest_s = self._longest_s(found, now_ms)
        evidence_s = self._evidence_s()
        if evidence_s is not None:
            return max(1, min(evidence_s, longest_s))
        longest_s = min(longest_s, self._stop_s())
        if safe_m is None:
            return max(1, longest_s)
        if self.wish.wake == "clock":
            return max(1, min(max(int(safe_m / FASTEST_MPS), LEAST_PING_S), longest_s))
        return max(
            1,
            longest_s
            if safe_m >= WATCHABLE_M
            else min(self._again_s(before, self._still_s(safe_m, found)), longest_s),
        )

    def _still_s(self, safe_m: float, found: Found) -> int:
        """How long a phone that lies still in a circle too small to be watched may sleep.

        No system tells that it walked in from there.
        """
        way_in_m = next(
            (enter_room_m(edge_m) for slot, edge_m in found if self._limits(slot, edge_m)), inf
        )
        if way_in_m - _accuracy_m(self.here) < WATCHABLE_M:
            return MISSED_S
        return STILL_S if safe_m > 0.0 else DOUBT_S

    def _longest_s(self, found: Found, now_ms: int | None) -> int:
        """What no wait may exceed.

        Half of what is left until silence ends a visit, and the opening of a geofence it is in.
        """
        ends_ms, seen_ms = [LONGEST_PING_S * 1000], max(self.at_ms, now_ms or 0)
        for slot, presence in self.entered.items():
            timeout_ms = self._rules(slot).presence_timeout_ms
            if timeout_ms is not None:
                left_ms = max(
                    presence.last_ms + timeout_ms + presence.lag_ms - seen_ms, 2000 * LEAST_PING_S
                )
                ends_ms.append(min(timeout_ms, left_ms) // 2)
        ends_ms += [
            self._opens_ms(slot) - self.at_ms
            for slot, edge_m in found
            if self._waits_for(slot, edge_m)
        ]
        return min(ends_ms) // 1000

    def _waits_for(self, slot: int, edge_m: float) -> bool:
        return (
            edge_m <= 0
            and slot not in self.entered
            and self._matters(slot)
            and self._opens_ms(slot) > self.at_ms
        )

    def _evidence_s(self) -> int | None:
        """When the next fix can settle what others began.

        None where nothing waits for one, or a room leaves nothing to add.
        """
        ready_ms = [] if self.state.odd_ms is None else [self.state.odd_ms + AGREE_MS]
        for slot, presence in self.presence_at.items():
            first = presence.pending
            if first is None or is_marker(first):
                continue
            strict = first.kind == "enter" and self._rules(slot).confirm_ms
            settles_ms = first.ts_ms + (strict or EXIT_GAP_MS)
            more = first.kind == "enter" or first.fixes < MOST_FIXES
            again_ms = self.at_ms + AGAIN_S * 1000 if more else 0
            ready_ms.append(settles_ms if settles_ms > self.at_ms else again_ms)
        return min(
            (min(self._until_s(one), AGAIN_S) for one in ready_ms if one > self.at_ms), default=None
        )

    def _stop_s(self) -> int:
        """When a phone that has not moved since its last fix inside will be known to stand still.

        The longest wait otherwise.
        """
        stops = [
            presence.stop
            for presence in self.entered.values()
            if presence.stop is not None and not presence.stop.reported
        ]
        ready_ms = [stop.at.since_ms + STILL_MS for stop in stops if stop.departure is None]
        return min(
            (self._until_s(one) for one in ready_ms if one > self.at_ms), default=LONGEST_PING_S
        )

    def _until_s(self, ts_ms: int) -> int:
        """Whole seconds from the newest ping to a later moment, rounded up."""
        return -((self.at_ms - ts_ms) // 1000)

    def _again_s(self, before: DeviceState | None, most_s: int) -> int:
        """For a circle too small to be watched.

        Soon, or twice as long as the phone has lain still.
        """
        if before is None or before.fix_ms is None:
            return AGAIN_S
        here = self.here
        if metres(here.lat, here.lon, before.lat, before.lon) > max(
            STILL_M, here.accuracy_m or 0.0
        ):
            return AGAIN_S
        return min(max(AGAIN_S, 2 * (self.at_ms - before.fix_ms) // 1000), most_s)

    # what to watch

    def _matters(self, slot: int) -> bool:
        """Whether it can be entered before the phone speaks again.

        It is not over, and opens within the longest wait.
        """
        known = self._mattering.get(slot)
        if known is None:
            fence = self.catalogue.fences[slot]
            soon_ms = self.at_ms + LONGEST_PING_S * 1000
            known = (
                fence is not None
                and not self._over(slot)
                and (fence.active_from_ms or 0) <= soon_ms
            )
            self._mattering[slot] = known
        return known

    def _still_good(self, anchor: Anchor, seen: Around) -> bool:
        """Whether the phone's list is unchanged and holds the half that matters most.

        That half is the geofences nearest to the phone, as far as half of `FARTHEST_M`: a list made
        a little further away may leave out others that are within reach from here.
        """
        slots = watchlist(seen.near_anchor, self.entered, self.wish.watch, self._matters)
        if version_of(self.catalogue, anchor, slots) != self.wish.version:
            return False
        numbers = [
            nth
            for nth, (slot, edge_m) in enumerate(seen.near_here, 1)
            if edge_m <= FARTHEST_M / 2 and self._matters(slot)
        ][: (self.wish.watch + 1) // 2]
        nearest = {seen.near_here[nth - 1][0] for nth in numbers}
        return seen.sure(numbers[-1] if numbers else 1) and nearest <= set(slots)

    def _near(self, slots: list[int], edges_m: dict[int, float]) -> tuple[Near, ...]:
        listed = [
            (fence, edges_m.get(slot), slot)
            for slot in slots
            if (fence := self.catalogue.fences[slot]) is not None
        ]
        near = [
            Near(fence, self._edge_m(slot) if edge_m is None else edge_m)
            for fence, edge_m, slot in listed
        ]
        return tuple(sorted(near, key=lambda one: one.edge_m))


def _accuracy_m(here: Fix) -> float:
    return MISSING_ACCURACY_M if here.accuracy_m is None else here.accuracy_m
