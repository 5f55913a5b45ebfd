"""What a late ping may still change: the arrival, departure or best probability of a visit.

Only minima and maxima change, and the bounds within which a visit takes late pings are fixed when
it begins and ends. So the same ping may come twice, and a set of late pings gives the same visit in
any order. Late pings trigger nothing, and what was triggered stays.
"""

from __future__ import annotations

from msgspec.structs import replace

from geofence.detection.evidence import SURE
from geofence.detection.pending import retract
from geofence.model.presence import Presence, Visit


def accepts(visit: Visit, ts_ms: int) -> bool:
    """Whether a late ping falls into the visit, or into the unjudged gap before or after it."""
    after_ms = visit.departure_ms if visit.after_ms is None else visit.after_ms
    return (visit.before_ms is None or visit.before_ms < ts_ms) and (
        after_ms is None or ts_ms < after_ms
    )


def amend(presence: Presence, ts_ms: int, probability: float) -> Presence:
    """An open visit after a late ping inside; the same object where nothing changes.

    A fix that is too weak to enter alone moves no time. Evidence of leaving before it is retracted.
    """
    if presence.before_ms is not None and ts_ms <= presence.before_ms:
        return presence
    best = max(presence.best_probability, probability)
    if probability < SURE:
        return (
            presence
            if best == presence.best_probability
            else replace(presence, best_probability=best, amended=True)
        )
    arrival_ms = min(presence.arrival_ms, ts_ms)
    changed = (arrival_ms, best) != (presence.arrival_ms, presence.best_probability)
    pending = None if presence.pending is None else retract(presence.pending, ts_ms)
    if not changed and pending is presence.pending and ts_ms <= presence.last_inside_ms:
        return presence
    return replace(
        presence,
        arrival_ms=arrival_ms,
        best_probability=best,
        last_inside_ms=max(presence.last_inside_ms, ts_ms),
        last_ms=max(presence.last_ms, ts_ms),
        pending=pending,
        amended=presence.amended or changed,
    )


def amend_ended(visit: Visit, ts_ms: int, probability: float) -> Visit:
    """A visit that has ended, after a late ping inside that it `accepts`.

    The same object where nothing changes. Only an end inferred from silence moves: one that a fix
    outside proved stands.
    """
    best = max(visit.best_probability, probability)
    arrival_ms, inside_ms, departure_ms = visit.arrival_ms, visit.last_inside_ms, visit.departure_ms
    if probability >= SURE:
        arrival_ms, inside_ms = min(arrival_ms, ts_ms), max(inside_ms, ts_ms)
        departure_ms = None if departure_ms is None else max(departure_ms, ts_ms)
    changed = (arrival_ms, departure_ms, best) != (
        visit.arrival_ms,
        visit.departure_ms,
        visit.best_probability,
    )
    if not changed and inside_ms == visit.last_inside_ms:
        return visit
    return replace(
        visit,
        arrival_ms=arrival_ms,
        last_inside_ms=inside_ms,
        departure_ms=departure_ms,
        best_probability=best,
        amended=visit.amended or changed,
    )


def changed_fields(old: Visit, new: Visit) -> str:
    """What changed of a visit: `arrival`, `departure`, `probability`, joined by commas."""
    changed = {
        "arrival": old.arrival_ms != new.arrival_ms,
        "departure": old.departure_ms != new.departure_ms,
        "probability": round(old.best_probability, 4) != round(new.best_probability, 4),
    }
    return ",".join(name for name, differs in changed.items() if differs)
