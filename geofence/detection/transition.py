"""What one ping shows of one geofence, and what follows from it: the words of the state machine."""

from __future__ import annotations

from typing import Literal, NamedTuple

from geofence.detection.evidence import MISSING_ACCURACY_M, probability_inside, way_in_sigma_m
from geofence.model.presence import Pending, Presence
from geofence.model.rules import Rules

Kind = Literal["geofence.entered", "geofence.dwelled", "geofence.exited", "device.stopped"]


class Sighting(NamedTuple):
    """One ping seen from one geofence.

    `edge_m` is the signed distance to the edge (negative inside). A fix with `evidence` False
    changes an `exact` presence only. `before_ms` is the device's watermark before this ping, None
    for its first. `lat`, `lon` are degrees; `lag_ms` is how far the ping is behind our clock.
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
    """What happened, the fix that proves it, and its probability. `fix_ms` is that fix's time.

    `presence` is the presence that the transition leaves or makes. No fix has judged the time from
    an exit to its `after_ms`. `since_ms` is when a stop began.
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


def entered(
    presence: Presence | None, uid: str, start_ms: int, seen: Sighting, p_in: float
) -> tuple[Presence, Transition]:
    """A visit that begins at `start_ms`: its presence and its transition.

    The presence has no visit id yet: the journal names visits.
    """
    waited = presence if presence is not None and presence.pending is not None else None
    before_ms = seen.before_ms if waited is None else waited.before_ms
    now = Presence(
        uid,
        inside=True,
        arrival_ms=start_ms,
        entered_ms=start_ms,
        before_ms=before_ms,
        last_inside_ms=seen.ts_ms,
        last_ms=seen.ts_ms,
        points=1 if waited is None else waited.points + 1,
        best_probability=p_in if waited is None else max(p_in, waited.best_probability),
    )
    return now, Transition(
        "geofence.entered",
        start_ms,
        now,
        p_in,
        seen.edge_m,
        seen.accuracy_m,
        seen.ts_ms,
        first_fix=before_ms is None,
    )


def exited(
    presence: Presence,
    ts_ms: int,
    *,
    probability: float | None,
    edge_m: float | None = None,
    accuracy_m: float | None = None,
    reason: str | None = None,
) -> Transition:
    """The end of a visit at `ts_ms`; the time after it is judged."""
    return Transition(
        "geofence.exited",
        ts_ms,
        presence,
        probability,
        edge_m,
        accuracy_m,
        ts_ms,
        reason=reason,
        after_ms=ts_ms,
    )


def exited_by(presence: Presence, pending: Pending) -> Transition:
    """The end of a visit at the first fix of the evidence for it."""
    return exited(
        presence,
        pending.ts_ms,
        probability=pending.probability,
        edge_m=pending.edge_m,
        accuracy_m=pending.accuracy_m,
    )
