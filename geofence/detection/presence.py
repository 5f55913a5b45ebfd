"""Step 3: fold a sighting into a presence.

A pure state machine: what was remembered, what was seen, when, and by which rules come in; what is
remembered now and what happened come out. Three entrances: `fold` (a ping), `expire` (time passed)
and `end` (the geofence is gone).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from msgspec.structs import replace

from geofence.detection import stops
from geofence.detection.evidence import (
    LIKELY,
    MISSING_ACCURACY_M,
    SURE,
    log_odds,
    probability_inside,
    sigma_m,
    way_in_sigma_m,
)
from geofence.detection.pending import accumulate, is_conclusive, is_marker
from geofence.model.presence import Evidence, Pending, Presence, Spot

WATCHED_MS = 900_000  # two fixes further apart agree that the phone is inside, but not since when
# a phone may send its last hour late: the cool-down is judged by its pings, not by our clock
COOLED_KEPT_MS = 3_600_000
UNJUDGED_MS = 3_600_000  # how far late pings move an arrival back where no silence ends a visit

Kind = Literal["geofence.entered", "geofence.dwelled", "geofence.exited", "device.stopped"]


class Rules(NamedTuple):
    """A geofence's profile, every default filled in.

    Metres and milliseconds; None switches a rule off.
    """

    profile: Literal["exact", "balanced", "strict"]
    inradius_m: float
    max_accuracy_m: float
    exit_margin_m: float
    confirm_ms: int
    cool_down_ms: int
    presence_timeout_ms: int | None
    dwell_s: tuple[int, ...]
    active_until_ms: int | None = None


class Sighting(NamedTuple):
    """One ping seen from one geofence.

    `edge_m` is the signed distance to the edge (negative inside); `evidence` False marks a fix that
    may move nothing but an `exact` presence; `before_ms` is the device's watermark before this
    ping, None for its first. `lat`, `lon` in degrees. `lag_ms` is how far the ping is behind our
    clock.
    """

    ts_ms: int
    edge_m: float
    accuracy_m: float | None
    evidence: bool
    before_ms: int | None
    lat: float = 0.0
    lon: float = 0.0
    lag_ms: int = 0


class Transition(NamedTuple):
    """What happened, with the fix that proves it and how sure it is. `fix_ms` is that fix's time.

    `after_ms` is the end of the time after an exit that no fix has judged; `since_ms` the begin of
    a stop.
    """

    kind: Kind
    ts_ms: int
    presence: Presence
    probability: float | None
    edge_m: float | None = None
    accuracy_m: float | None = None
    fix_ms: int = 0
    first_fix: bool = False
    inferred: bool = False
    reason: str | None = None
    dwell_s: int = 0
    after_ms: int = 0
    since_ms: int = 0


Update = tuple[Presence | None, list[Transition]]
VisitId = Callable[[int], str]


def update(
    presence: Presence | None, uid: str, seen: Sighting, rules: Rules, visit_id: VisitId
) -> Update:
    """Fold one sighting; timers that were due before it go first, so that batching changes nothing.

    `visit_id` makes the id of a visit from its entered time (epoch ms). Returns what is remembered
    now (None: nothing) and what happened, in order.
    """
    happened: list[Transition] = []
    over = rules.active_until_ms is not None and seen.ts_ms >= rules.active_until_ms
    if presence is not None and (
        over or (presence.due_ms is not None and presence.due_ms <= seen.ts_ms)
    ):
        presence, happened = advance(presence, seen.ts_ms, rules)
    if over:
        return presence, happened
    if rules.profile == "exact":
        now, more = _update_exact(presence, uid, seen, rules, visit_id)
    elif not seen.evidence or not accurate(seen.accuracy_m, rules):
        return presence, happened
    elif presence is not None and presence.inside:
        now, more = _update_inside(presence, seen, rules)
    else:
        now, more = _update_outside(presence, uid, seen, rules, visit_id)
    if now is not None and now is not presence:
        now = _timed(now, rules, seen.lag_ms)
    return now, happened + more


def advance_clock(presence: Presence, clock_ms: int, rules: Rules) -> Update:
    """`expire` for our clock, which may be ahead of the phone's.

    A backlog that comes in parts, or a clock that is slow.
    """
    return advance(presence, clock_ms - presence.lag_ms, rules)


def advance(presence: Presence, now_ms: int, rules: Rules) -> Update:
    """Let time pass up to `now_ms`.

    Dwell, the end of a fence's life, silence, the end of a cool-down.
    """
    happened: list[Transition] = []
    silent_ms = _silent_ms(presence, rules)
    ends_ms = min((t for t in (silent_ms, rules.active_until_ms) if t is not None), default=None)
    if presence.inside:
        until_ms = now_ms if ends_ms is None else min(now_ms, ends_ms)
        presence, happened = _dwell(presence, until_ms, rules)
    if ends_ms is not None and ends_ms <= now_ms:
        gone = rules.active_until_ms is not None and ends_ms == rules.active_until_ms
        left, more = (
            end(presence, ends_ms, "geofence_removed") if gone else _fall_silent(presence, ends_ms)
        )
        return left, happened + more
    if (
        not presence.inside
        and presence.pending is None
        and cooldown_over(presence, now_ms - COOLED_KEPT_MS, rules)
    ):
        return None, happened
    return _timed(presence, rules, presence.lag_ms), happened


def end(presence: Presence, ts_ms: int, reason: str) -> Update:
    """End the presence for a reason that is not the phone's.

    Its visit exits at `ts_ms`, and nothing is remembered.
    """
    if not presence.inside:
        return None, []
    return None, [_exit(presence, max(ts_ms, presence.arrival_ms), probability=1.0, reason=reason)]


def retime(presence: Presence, rules: Rules) -> Presence:
    """The presence with its next timer as other rules have it."""
    return _timed(presence, rules, presence.lag_ms)


def accurate(accuracy_m: float | None, rules: Rules) -> bool:
    """Whether a fix is good enough for this geofence; a missing accuracy counts as 30 m."""
    return (MISSING_ACCURACY_M if accuracy_m is None else accuracy_m) <= rules.max_accuracy_m


def probability_of(seen: Sighting, rules: Rules) -> float:
    """P(inside) as the way in sees it; 0 or 1 under `exact`."""
    if rules.profile == "exact":
        return 1.0 if seen.edge_m <= 0 else 0.0
    return probability_inside(
        seen.edge_m, way_in_sigma_m(seen.accuracy_m, rules.inradius_m), rules.inradius_m
    )


def _update_exact(
    presence: Presence | None, uid: str, seen: Sighting, rules: Rules, visit_id: VisitId
) -> Update:
    inside = presence is not None and presence.inside
    if seen.edge_m <= 0:
        if presence is not None and inside:
            return _stay(presence, seen, 1.0), []
        entered = _enter(presence, uid, seen.ts_ms, seen, 1.0, visit_id)
        return _bounded(entered[0], rules), [entered[1]]
    if presence is None or not inside:
        return presence, []
    return None, [
        _exit(presence, seen.ts_ms, probability=1.0, edge_m=seen.edge_m, accuracy_m=seen.accuracy_m)
    ]


def _update_inside(presence: Presence, seen: Sighting, rules: Rules) -> Update:
    p_in = probability_of(seen, rules)
    if p_in >= LIKELY:
        return _with_stop(_stay(presence, seen, p_in), seen, p_in)
    sigma = sigma_m(seen.accuracy_m)
    p_out = 1.0 - probability_inside(seen.edge_m, sigma, rules.inradius_m)
    if seen.edge_m <= rules.exit_margin_m:
        # at the door is not gone; a fix that is surer of that than the door is wide takes back a
        # first sign of leaving
        first = presence.pending
        waits = None if first is None or sigma <= rules.exit_margin_m or is_marker(first) else first
        return _with_stop(replace(presence, last_ms=seen.ts_ms, pending=waits), seen, p_in)
    first = accumulate(
        presence.pending, "exit", Evidence(seen.ts_ms, seen.edge_m, p_out, seen.accuracy_m)
    )
    if not is_conclusive(first, seen.ts_ms, rules.presence_timeout_ms):
        return replace(presence, last_ms=seen.ts_ms, pending=first), []
    gone = _exit(
        presence,
        first.ts_ms,
        probability=first.probability,
        edge_m=first.edge_m,
        accuracy_m=first.accuracy_m,
    )
    if rules.cool_down_ms == 0:
        return None, [gone]
    return Presence(presence.geofence_uid, inside=False, left_ms=first.ts_ms, last_ms=seen.ts_ms), [
        gone
    ]


def _with_stop(presence: Presence, seen: Sighting, p_in: float) -> Update:
    """The presence after a fix inside or at the door, and the stop that it may have proved."""
    stop, still = stops.update(presence.stop, Spot(seen.ts_ms, seen.lat, seen.lon), seen.accuracy_m)
    if stop is not presence.stop:
        presence = replace(presence, stop=stop)
    if not still or stop is None:
        return presence, []
    since_ms = stop.at.since_ms
    return presence, [
        Transition(
            "device.stopped",
            seen.ts_ms,
            presence,
            p_in,
            seen.edge_m,
            seen.accuracy_m,
            seen.ts_ms,
            since_ms=since_ms,
        )
    ]


def _update_outside(
    presence: Presence | None, uid: str, seen: Sighting, rules: Rules, visit_id: VisitId
) -> Update:
    p_in = probability_of(seen, rules)
    if presence is not None and not cooldown_over(presence, seen.ts_ms, rules):
        return presence, []
    if p_in < LIKELY:
        return None, []
    waited = presence if presence is not None and presence.pending is not None else None
    first = accumulate(
        None if waited is None else waited.pending,
        "enter",
        Evidence(seen.ts_ms, seen.edge_m, p_in, seen.accuracy_m),
    )
    if _arrived(first, seen.ts_ms, p_in, rules):
        watched = presence is not None and seen.ts_ms - presence.last_ms <= WATCHED_MS
        now, event = _enter(
            presence, uid, first.ts_ms if watched else seen.ts_ms, seen, p_in, visit_id
        )
        return _with_stop(_bounded(now, rules), seen, p_in)[0], [event]
    if waited is not None:
        best = max(waited.best_probability, p_in)
        return replace(
            waited,
            last_ms=seen.ts_ms,
            points=waited.points + 1,
            best_probability=best,
            pending=first,
        ), []
    # before_ms keeps the gap before the first of the fixes
    return Presence(
        uid,
        inside=False,
        pending=first,
        before_ms=seen.before_ms,
        last_ms=seen.ts_ms,
        points=1,
        best_probability=p_in,
    ), []


def _arrived(first: Pending, now_ms: int, p_in: float, rules: Rules) -> bool:
    """Whether signs of being inside are proof of it.

    One sure fix, or several that are sure together; and for long enough.
    """
    sure = p_in >= SURE or first.proof >= log_odds(SURE)
    return sure and now_ms - first.ts_ms >= rules.confirm_ms


def _enter(
    presence: Presence | None,
    uid: str,
    start_ms: int,
    seen: Sighting,
    p_in: float,
    visit_id: VisitId,
) -> tuple[Presence, Transition]:
    waited = presence if presence is not None and presence.pending is not None else None
    before_ms = seen.before_ms if waited is None else waited.before_ms
    now = Presence(
        uid,
        inside=True,
        visit_id=visit_id(start_ms),
        arrival_ms=start_ms,
        entered_ms=start_ms,
        before_ms=before_ms,
        last_inside_ms=seen.ts_ms,
        last_ms=seen.ts_ms,
        points=1 if waited is None else waited.points + 1,
        best_probability=p_in if waited is None else max(p_in, waited.best_probability),
    )
    happened = Transition(
        "geofence.entered",
        start_ms,
        now,
        p_in,
        seen.edge_m,
        seen.accuracy_m,
        seen.ts_ms,
        first_fix=before_ms is None,
    )
    return now, happened


def _bounded(presence: Presence, rules: Rules) -> Presence:
    """No late ping moves an arrival back further than silence would have ended the visit."""
    unjudged_ms = UNJUDGED_MS if rules.presence_timeout_ms is None else rules.presence_timeout_ms
    return replace(
        presence, before_ms=max(presence.before_ms or 0, presence.arrival_ms - unjudged_ms)
    )


def _stay(presence: Presence, seen: Sighting, p_in: float) -> Presence:
    return replace(
        presence,
        last_inside_ms=seen.ts_ms,
        last_ms=seen.ts_ms,
        points=presence.points + 1,
        best_probability=max(presence.best_probability, p_in),
        pending=None,
    )


def _exit(
    presence: Presence,
    ts_ms: int,
    *,
    probability: float | None,
    edge_m: float | None = None,
    accuracy_m: float | None = None,
    inferred: bool = False,
    reason: str | None = None,
    after_ms: int | None = None,
) -> Transition:
    left = Transition(
        "geofence.exited",
        ts_ms,
        presence,
        probability,
        edge_m,
        accuracy_m,
        ts_ms,
        inferred=inferred,
        reason=reason,
    )
    return left._replace(after_ms=ts_ms if after_ms is None else after_ms)


def _fall_silent(presence: Presence, silent_ms: int) -> Update:
    if not presence.inside:
        return None, []
    first = presence.pending
    if first is not None:
        gone = _exit(
            presence,
            first.ts_ms,
            probability=first.probability,
            edge_m=first.edge_m,
            accuracy_m=first.accuracy_m,
            inferred=True,
        )
    else:
        # nothing was seen of the way out: no probability, and a late ping may tell that the phone
        # was there for longer
        gone = _exit(
            presence, presence.last_ms, probability=None, inferred=True, after_ms=silent_ms
        )
    return None, [gone]


def _dwell(presence: Presence, until_ms: int, rules: Rules) -> tuple[Presence, list[Transition]]:
    happened: list[Transition] = []
    if presence.pending is not None:
        until_ms = min(until_ms, presence.pending.ts_ms - 1)
    for dwell_s in rules.dwell_s:
        due_ms = _entered_ms(presence) + dwell_s * 1000
        if dwell_s in presence.dwelled or due_ms > until_ms:
            continue
        presence = replace(presence, dwelled=(*presence.dwelled, dwell_s))
        happened.append(
            Transition(
                "geofence.dwelled",
                due_ms,
                presence,
                presence.best_probability,
                fix_ms=presence.last_inside_ms,
                dwell_s=dwell_s,
            )
        )
    return presence, happened


def cooldown_over(presence: Presence, now_ms: int, rules: Rules) -> bool:
    """Whether the device may enter again."""
    return presence.left_ms is None or now_ms - presence.left_ms >= rules.cool_down_ms


def _silent_ms(presence: Presence, rules: Rules) -> int | None:
    if rules.presence_timeout_ms is None or (not presence.inside and presence.pending is None):
        return None
    return presence.last_ms + rules.presence_timeout_ms


def _entered_ms(presence: Presence) -> int:
    """When the visit began as it was told: a late ping moves its arrival, and triggers nothing."""
    return presence.arrival_ms if presence.entered_ms is None else presence.entered_ms


def _timed(presence: Presence, rules: Rules, lag_ms: int) -> Presence:
    """The presence with its next timer.

    The earliest of dwell, silence, the fence's end and the end of a cool-down.
    """
    due_ms = _sooner(_silent_ms(presence, rules), rules.active_until_ms)
    if presence.inside and presence.pending is None:
        for dwell_s in rules.dwell_s:
            if dwell_s not in presence.dwelled:
                due_ms = _sooner(due_ms, _entered_ms(presence) + dwell_s * 1000)
    if not presence.inside and presence.left_ms is not None:
        due_ms = _sooner(due_ms, presence.left_ms + rules.cool_down_ms + COOLED_KEPT_MS)
    same = due_ms == presence.due_ms and lag_ms == presence.lag_ms
    return presence if same else replace(presence, due_ms=due_ms, lag_ms=lag_ms)


def _sooner(one_ms: int | None, other_ms: int | None) -> int | None:
    if one_ms is None or other_ms is None:
        return one_ms if other_ms is None else other_ms
    return min(one_ms, other_ms)
