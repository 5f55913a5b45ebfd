"""Step 4: ask the gates in order; send, hold out, or stay silent with a reason.

The order has a meaning: what is cheap and certain comes first, and the holdout last, since lift
would be biased otherwise. Each gate is one file in `offers/gates`; their order stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from geofence import ids
from geofence.model.campaign import Variant
from geofence.model.case import Case
from geofence.model.decision import Decision, GateResult, Outcome
from geofence.offers import gates
from geofence.offers.gates.holdout import draw
from geofence.offers.triggers.store_filter import how_specific
from geofence.plugins import discover

BEFORE_ARBITRATION = (
    "active",
    "freshness",
    "schedule",
    "identified",
    "consent",
    "quiet_hours",
    "min_gap",
    "frequency_cap",
    "escalation",
)
AFTER_ARBITRATION = ("holdout",)
ORDER = (*BEFORE_ARBITRATION, "arbitration", *AFTER_ARBITRATION)

GATES = discover(gates)


class Ruling(NamedTuple):
    """A case and what was decided of it; `variant` only with `send`."""

    case: Case
    decision: Decision
    variant: Variant | None = None


def decide(cases: Sequence[Case]) -> list[Ruling]:
    """Decide over all cases of one ping: event x campaign, of one device and its customer.

    Of those that pass, one per store wins: the highest priority, then the nearest ring, then the
    more specific trigger, then the campaign's id. No runner-up takes the place of a winner that is
    held out.
    """
    rulings: list[Ruling] = []
    passing: dict[str, list[tuple[Case, list[GateResult]]]] = {}
    for case in cases:
        judged, stop = _walk(case, BEFORE_ARBITRATION)
        if stop is not None:
            rulings.append(_ruling(case, "silent", stop.reason, judged))
        else:
            passing.setdefault(case.event.store_id or "", []).append((case, judged))
    heard: list[Decision] = []
    for rivals in sorted(passing.values(), key=lambda some: min(_rank(case) for case, _ in some)):
        some = _arbitrate(rivals, heard)
        rulings += some
        heard += [ruling.decision for ruling in some if ruling.decision.outcome != "silent"]
    return rulings


def _arbitrate(
    rivals: Sequence[tuple[Case, list[GateResult]]], heard: Sequence[Decision]
) -> list[Ruling]:
    """One store's winner and losers.

    `heard` was decided a moment ago at other stores, and counts for caps and gaps.
    """
    rulings: list[Ruling] = []
    left: list[tuple[Case, list[GateResult]]] = []
    for case, judged in rivals:
        stop = None
        if heard:
            case = replace(case, sent=(*case.sent, *heard))
            judged, stop = _walk(case, BEFORE_ARBITRATION)
        if stop is not None:
            rulings.append(_ruling(case, "silent", stop.reason, judged))
        else:
            left.append((case, judged))
    left.sort(key=lambda rival: _rank(rival[0]))
    if left:
        rulings.append(_win(*left[0], len(left)))
        rulings += [_lose(case, judged, left[0][0]) for case, judged in left[1:]]
    return rulings


def choose(case: Case) -> Variant:
    """The customer's variant: always the same for the same campaign, by weight."""
    variants = case.campaign.plan.variants
    point = (draw(case) * 7919.0) % 1.0 * sum(variant.weight for variant in variants)
    for variant in variants:
        point -= variant.weight
        if point < 0:
            return variant
    return variants[-1]


def _win(case: Case, judged: list[GateResult], rivals: int) -> Ruling:
    judged.append(GateResult("arbitration", True, measured=f"won over {rivals - 1}"))
    more, stop = _walk(case, AFTER_ARBITRATION)
    judged += more
    if stop is not None:
        return _ruling(case, "holdout", stop.reason, judged)
    variant = choose(case)
    return Ruling(case, _ruling(case, "send", "send", judged, variant).decision, variant)


def _lose(case: Case, judged: list[GateResult], winner: Case) -> Ruling:
    reason = f"lost_to={winner.campaign.id}"
    return _ruling(case, "silent", reason, [*judged, GateResult("arbitration", False, reason)])


def _walk(case: Case, names: Sequence[str]) -> tuple[list[GateResult], GateResult | None]:
    judged: list[GateResult] = []
    for name in names:
        result: GateResult = replace(GATES[name].judge(case), gate=name)
        judged.append(result)
        if not result.passed:
            return judged, result
    return judged, None


def _rank(case: Case) -> tuple[int, float, tuple[int, int], str]:
    plan, trigger = case.campaign.plan, case.campaign.plan.trigger
    stores, ring = how_specific(trigger.stores, trigger.ring)
    return (
        -plan.priority,
        case.rings.get(case.event.ring or "", 0.0),
        (-stores, -ring),
        case.campaign.id,
    )


def _ruling(
    case: Case,
    outcome: Outcome,
    reason: str,
    judged: Sequence[GateResult],
    variant: Variant | None = None,
) -> Ruling:
    event, customer_id = case.event, "" if case.customer is None else case.customer.customer_id
    decision = Decision(
        id=ids.of_facts("dec", event.id, case.campaign.id, customer_id),
        project_id=event.project_id,
        event_id=event.id,
        campaign_id=case.campaign.id,
        campaign_version=case.campaign.version,
        customer_id=customer_id,
        device_id=event.device_id,
        store_id=event.store_id,
        ring=event.ring,
        geofence_id=event.geofence_id,
        visit_id=event.visit_id,
        outcome=outcome,
        reason=reason,
        at_ms=case.now_ms,
        event_ms=event.ts_ms,
        trace=tuple(judged),
        variant=None if variant is None else variant.name,
    )
    return Ruling(case, decision)
