"""The state machine of one device at one geofence.

A pure function: the remembered presence, a sighting and the rules come in; the new presence and
the transitions come out. `deadlines.py` has the other entrances: time passed, or the geofence is
gone.
"""

from __future__ import annotations

from msgspec.structs import replace

from geofence.detection import stops
from geofence.detection.deadlines import advance, cooldown_over, timed
from geofence.detection.evidence import LIKELY, SURE, log_odds, probability_inside, sigma_m
from geofence.detection.pending import accumulate, is_conclusive, is_marker
from geofence.detection.transition import (
    Sighting,
    Transition,
    Update,
    accurate,
    entered,
    exited,
    exited_by,
    probability_of,
)
from geofence.model.presence import Evidence, Pending, Presence, Spot
from geofence.model.rules import Rules

WATCHED_MS = 900_000  # two fixes further apart agree that the phone is inside, but not since when
UNJUDGED_MS = 3_600_000  # how far late pings move an arrival back where no silence ends a visit


def update(presence: Presence | None, uid: str, seen: Sighting, rules: Rules) -> Update:
    """Apply one sighting to the presence at geofence `uid`.

    Timers that were due before the sighting fire first, so batching changes nothing. Returns the
    new presence (None: nothing to remember) and the transitions in order.
    """
    happened: list[Transition] = []
    over = rules.active_until_ms is not None and seen.ts_ms >= rules.active_until_ms
    if presence is not None and (
        over or (presence.due_ms is not None and presence.due_ms <= seen.ts_ms)
    ):
        presence, happened = advance(presence, seen.ts_ms, rules)
    if over:
        return presence, happened
    now, more = _updated(presence, uid, seen, rules)
    if now is not None and now is not presence:
        now = timed(now, rules, seen.lag_ms)
    return now, happened + more


def _updated(presence: Presence | None, uid: str, seen: Sighting, rules: Rules) -> Update:
    if rules.profile == "exact":
        return _update_exact(presence, uid, seen, rules)
    if not seen.evidence or not accurate(seen.accuracy_m, rules):
        return presence, []
    if presence is not None and presence.inside:
        return _update_inside(presence, seen, rules)
    return _update_outside(presence, uid, seen, rules)


def _update_exact(presence: Presence | None, uid: str, seen: Sighting, rules: Rules) -> Update:
    inside = presence is not None and presence.inside
    if seen.edge_m <= 0:
        if presence is not None and inside:
            return _stay(presence, seen, 1.0), []
        now, event = entered(presence, uid, seen.ts_ms, seen, 1.0)
        return _bounded(now, rules), [event]
    if presence is None or not inside:
        return presence, []
    return None, [
        exited(
            presence, seen.ts_ms, probability=1.0, edge_m=seen.edge_m, accuracy_m=seen.accuracy_m
        )
    ]


def _update_inside(presence: Presence, seen: Sighting, rules: Rules) -> Update:
    p_in = probability_of(seen, rules)
    if p_in >= LIKELY:
        return _with_stop(_stay(presence, seen, p_in), seen, p_in)
    sigma = sigma_m(seen.accuracy_m)
    if seen.edge_m <= rules.exit_margin_m:
        # within the margin is not gone; a fix that is sure of it to within the margin's width
        # takes back the first evidence of leaving
        first = presence.pending
        waits = None if first is None or sigma <= rules.exit_margin_m or is_marker(first) else first
        return _with_stop(replace(presence, last_ms=seen.ts_ms, pending=waits), seen, p_in)
    p_out = 1.0 - probability_inside(seen.edge_m, sigma, rules.inradius_m)
    return _leave(presence, seen, p_out, rules)


def _leave(presence: Presence, seen: Sighting, p_out: float, rules: Rules) -> Update:
    """The presence after a fix beyond the exit margin: gone, or with more evidence of it."""
    first = accumulate(
        presence.pending, "exit", Evidence(seen.ts_ms, seen.edge_m, p_out, seen.accuracy_m)
    )
    if not is_conclusive(first, seen.ts_ms, rules.presence_timeout_ms):
        return replace(presence, last_ms=seen.ts_ms, pending=first), []
    gone = exited_by(presence, first)
    if rules.cool_down_ms == 0:
        return None, [gone]
    cooling = Presence(presence.geofence_uid, inside=False, left_ms=first.ts_ms, last_ms=seen.ts_ms)
    return cooling, [gone]


def _with_stop(presence: Presence, seen: Sighting, p_in: float) -> Update:
    """The presence after a fix inside or within the margin, and the stop that it may prove."""
    stop, still = stops.update(presence.stop, Spot(seen.ts_ms, seen.lat, seen.lon), seen.accuracy_m)
    if stop is not presence.stop:
        presence = replace(presence, stop=stop)
    if not still or stop is None:
        return presence, []
    return presence, [
        Transition(
            "device.stopped",
            seen.ts_ms,
            presence,
            p_in,
            seen.edge_m,
            seen.accuracy_m,
            seen.ts_ms,
            since_ms=stop.at.since_ms,
        )
    ]


def _update_outside(presence: Presence | None, uid: str, seen: Sighting, rules: Rules) -> Update:
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
    if not _arrived(first, seen.ts_ms, p_in, rules):
        return _wait(waited, uid, seen, p_in, first), []
    watched = presence is not None and seen.ts_ms - presence.last_ms <= WATCHED_MS
    start_ms = first.ts_ms if watched else seen.ts_ms
    now, event = entered(presence, uid, start_ms, seen, p_in)
    return _with_stop(_bounded(now, rules), seen, p_in)[0], [event]


def _wait(
    waited: Presence | None, uid: str, seen: Sighting, p_in: float, pending: Pending
) -> Presence:
    """A presence outside that holds evidence of an arrival."""
    if waited is not None:
        return replace(
            waited,
            last_ms=seen.ts_ms,
            points=waited.points + 1,
            best_probability=max(waited.best_probability, p_in),
            pending=pending,
        )
    # before_ms keeps the gap before the first of the fixes
    return Presence(
        uid,
        inside=False,
        pending=pending,
        before_ms=seen.before_ms,
        last_ms=seen.ts_ms,
        points=1,
        best_probability=p_in,
    )


def _arrived(first: Pending, now_ms: int, p_in: float, rules: Rules) -> bool:
    """Whether evidence of being inside is proof of it.

    One sure fix proves it, or several that are sure together; and for long enough.
    """
    sure = p_in >= SURE or first.proof >= log_odds(SURE)
    return sure and now_ms - first.ts_ms >= rules.confirm_ms


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
