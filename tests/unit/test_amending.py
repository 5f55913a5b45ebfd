"""What late pings may change, and that neither their order nor their number matters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from geofence.detection.late_pings import accepts, amend, amend_ended, changed_fields
from geofence.model.presence import Pending, Presence, Visit

ENDED = Visit(
    "vis_1",
    "phone",
    "gf_1",
    "fence",
    100_000,
    300_000,
    before_ms=50_000,
    departure_ms=400_000,
    after_ms=400_000,
)
SILENT = Visit(
    "vis_2",
    "phone",
    "gf_1",
    "fence",
    100_000,
    300_000,
    before_ms=50_000,
    departure_ms=300_000,
    after_ms=3_900_000,
    inferred=True,
)
OPEN = Presence(
    "gf_1",
    inside=True,
    arrival_ms=100_000,
    before_ms=50_000,
    last_inside_ms=300_000,
    last_ms=300_000,
    best_probability=0.8,
)

late = st.lists(st.tuples(st.integers(0, 5_000_000), st.floats(0.5, 1.0)), max_size=8)


def amended(visit: Visit, pings: Sequence[tuple[int, float]]) -> Visit:
    return reduce(
        lambda one, ping: amend_ended(one, *ping) if accepts(one, ping[0]) else one, pings, visit
    )


def test_a_late_ping_inside_moves_an_arrival_back_and_only_into_the_gap_nobody_judged() -> None:
    assert amended(ENDED, [(60_000, 0.9)]).arrival_ms == 60_000
    assert amended(ENDED, [(50_000, 0.9)]) is ENDED
    assert amended(ENDED, [(60_000, 0.9)]).amended is True


def test_an_end_that_a_fix_outside_proved_stands_and_an_inferred_one_moves() -> None:
    assert amended(ENDED, [(399_999, 1.0)]).departure_ms == 400_000
    assert amended(ENDED, [(400_000, 1.0)]) is ENDED
    longer = amended(SILENT, [(2_000_000, 1.0)])
    assert (longer.departure_ms, longer.last_inside_ms, changed_fields(SILENT, longer)) == (
        2_000_000,
        2_000_000,
        "departure,probability",
    )
    assert amended(SILENT, [(3_900_000, 1.0)]) is SILENT


def test_an_unsure_late_ping_moves_no_time() -> None:
    unsure = amended(SILENT, [(60_000, 0.6), (2_000_000, 0.7)])
    assert (unsure.arrival_ms, unsure.departure_ms, unsure.best_probability) == (
        100_000,
        300_000,
        0.7,
    )
    assert changed_fields(SILENT, unsure) == "probability"


@given(pings=late, order=st.randoms(use_true_random=False))
def test_any_order_of_late_pings_gives_the_same_ended_visit_and_repeating_them_changes_nothing(
    pings, order
) -> None:
    shuffled = [*pings, *pings]
    order.shuffle(shuffled)
    for visit in (ENDED, SILENT):
        once = amended(visit, pings)
        assert amended(visit, shuffled) == once
        assert amended(once, pings) is once


@given(pings=late, order=st.randoms(use_true_random=False))
def test_any_order_of_late_pings_gives_the_same_visit_that_goes_on(pings, order) -> None:
    shuffled = [*pings, *pings]
    order.shuffle(shuffled)

    def after(some: Sequence[tuple[int, float]]) -> Presence:
        return reduce(lambda one, ping: amend(one, *ping), some, OPEN)

    assert after(shuffled) == after(pings)


def test_a_late_ping_inside_takes_back_a_sign_of_leaving_that_came_before_it() -> None:
    leaving = Presence(
        "gf_1",
        True,
        arrival_ms=0,
        last_inside_ms=10,
        last_ms=60_000,
        pending=Pending("exit", 60_000, 90.0, 0.99),
    )
    assert amend(leaving, 90_000, 1.0).pending is None
    assert amend(leaving, 30_000, 1.0).pending is leaving.pending
    assert amend(leaving, 90_000, 0.6).pending is leaving.pending
