"""What the passing of time does to a presence: dwell, silence, a geofence's end, a cool-down.

Pure functions with the time passed in. A presence carries the time of its next timer in `due_ms`.
"""

from __future__ import annotations

from msgspec.structs import replace

from geofence.detection.transition import Transition, Update, exited, exited_by
from geofence.model.presence import Presence
from geofence.model.rules import Rules

# a phone may send its last hour late: the cool-down is judged by its pings, not by our clock
COOLED_KEPT_MS = 3_600_000


def advance_clock(presence: Presence, clock_ms: int, rules: Rules) -> Update:
    """`advance` for our clock, which may be ahead of the phone's.

    The phone sends a backlog in parts, or its clock is slow.
    """
    return advance(presence, clock_ms - presence.lag_ms, rules)


def advance(presence: Presence, now_ms: int, rules: Rules) -> Update:
    """Let time pass up to `now_ms`.

    Fires dwell, the end of a geofence's life, silence and the end of a cool-down.
    """
    happened: list[Transition] = []
    silent_ms = _silent_ms(presence, rules)
    ends_ms = _sooner(silent_ms, rules.active_until_ms)
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
    return retime(presence, rules), happened


def end(presence: Presence, ts_ms: int, reason: str) -> Update:
    """End the presence for a reason that is not the phone's.

    Its visit exits at `ts_ms`, and nothing is remembered.
    """
    if not presence.inside:
        return None, []
    ends_ms = max(ts_ms, presence.arrival_ms)
    return None, [exited(presence, ends_ms, probability=1.0, reason=reason)]


def cooldown_over(presence: Presence, now_ms: int, rules: Rules) -> bool:
    """Whether the device may enter again."""
    return presence.left_ms is None or now_ms - presence.left_ms >= rules.cool_down_ms


def retime(presence: Presence, rules: Rules) -> Presence:
    """The presence with its next timer as these rules have it."""
    return timed(presence, rules, presence.lag_ms)


def timed(presence: Presence, rules: Rules, lag_ms: int) -> Presence:
    """The presence with its next timer, its newest ping being `lag_ms` behind our clock.

    The timer is the earliest of dwell, silence, the geofence's end and the end of a cool-down.
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


def _fall_silent(presence: Presence, silent_ms: int) -> Update:
    if not presence.inside:
        return None, []
    if presence.pending is not None:
        return None, [exited_by(presence, presence.pending)._replace(inferred=True)]
    # no fix shows the way out: the exit has no probability, and a late ping may prove a longer stay
    left = exited(presence, presence.last_ms, probability=None)
    return None, [left._replace(inferred=True, after_ms=silent_ms)]


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


def _silent_ms(presence: Presence, rules: Rules) -> int | None:
    if rules.presence_timeout_ms is None or (not presence.inside and presence.pending is None):
        return None
    return presence.last_ms + rules.presence_timeout_ms


def _entered_ms(presence: Presence) -> int:
    """When the visit began as it was reported: late pings move the arrival and trigger nothing."""
    return presence.arrival_ms if presence.entered_ms is None else presence.entered_ms


def _sooner(one_ms: int | None, other_ms: int | None) -> int | None:
    if one_ms is None or other_ms is None:
        return one_ms if other_ms is None else other_ms
    return min(one_ms, other_ms)
