"""Detection on simulated phones whose truth is known.

A short form of `bench/detection.py`, by the same code and the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import pytest

from bench.detection_runs import Heard, by_follow, by_street
from bench.detection_score import Score, score
from geofence.model.event import Event
from geofence.model.place import Profile, ProfileName
from geofence.model.presence import Visit
from geofence.simulate.phone import LIE, LYING, PERFECT, PLAIN, POOR, Phone
from geofence.simulate.truth import TrueVisit
from geofence.simulate.world import InventedTown, Trace, simulate

TOWN = InventedTown(rings=("near",))
APART = InventedTown(rings=("near",), brands=("pellwood",))
SEED = 11


@cache
def trips(phone: Phone, count: int = 40) -> tuple[Trace, ...]:
    """People who are in and out of shops for two hours each."""
    return tuple(simulate(TOWN, "trip", devices=count, days=2 / 24, seed=SEED, phone=phone))


@cache
def of_trips(profile: ProfileName, phone: Phone = PLAIN) -> Score:
    return score(by_follow(TOWN.geofences, Profile(profile), trips(phone)))


@cache
def lying_still(scenario: str, profile: ProfileName, days: int = 20) -> Score:
    traces = simulate(APART, scenario, devices=days // 5, days=5, seed=SEED, phone=LYING)
    return score(by_follow(APART.geofences, Profile(profile), traces))


def test_visits_of_five_minutes_are_found_at_a_ping_a_minute() -> None:
    found = of_trips("balanced")
    assert found.true_visits > 100
    assert found.found / found.true_visits >= 0.95


def test_hardly_a_visit_is_false_at_a_ping_a_minute() -> None:
    balanced, exact = of_trips("balanced"), of_trips("exact")
    assert balanced.false_visits / balanced.detected <= 0.015
    assert balanced.false_visits <= exact.false_visits / 2


def test_an_enter_comes_within_one_ping_of_the_raw_answer() -> None:
    balanced, exact = (
        of_trips(profile).row()["enter_median_s"] for profile in ("balanced", "exact")
    )
    assert balanced is not None
    assert exact is not None
    assert balanced - exact <= 60.0


def test_most_visits_that_ended_are_reported_within_ten_minutes_at_a_ping_a_minute() -> None:
    exits = of_trips("balanced").exit_s
    assert len(exits) > 100
    assert sorted(exits)[len(exits) * 3 // 4] <= 600.0


def test_strict_tells_fewer_false_visits_than_balanced_and_tells_the_others_later() -> None:
    strict, balanced = of_trips("strict"), of_trips("balanced")
    assert strict.false_visits <= balanced.false_visits
    assert (strict.row()["enter_median_s"] or 0) > (balanced.row()["enter_median_s"] or 0)


def test_visits_are_not_torn_into_pieces() -> None:
    assert of_trips("balanced").split <= of_trips("exact").split / 10


def _heard(
    trace: Trace, true: list[tuple[int, int]], detected: list[tuple[int, int, int]]
) -> Heard:
    """A day at one geofence.

    True (arrival, departure) and detected (arrival, departure, when that was detected), in seconds.
    """
    start_ms, fence = trace.start_ms, "corner-shop"
    visits = tuple(
        TrueVisit(trace.device_id, fence, start_ms + a * 1000, start_ms + d * 1000) for a, d in true
    )
    spans = [
        (f"v{n}", start_ms + a * 1000, start_ms + d * 1000, start_ms + found * 1000)
        for n, (a, d, found) in enumerate(detected)
    ]
    seen = tuple(
        Visit(name, trace.device_id, "g", fence, a, a, departure_ms=d) for name, a, d, _ in spans
    )
    found = tuple(
        Event(name, "geofence.exited", "p", trace.device_id, d, t, "g", fence, name, "balanced")
        for name, _, d, t in spans
    )
    return Heard(replace(trace, visits=visits), found, seen)


def test_a_return_before_the_exit_is_proven_is_no_exit_and_the_exit_is_that_of_the_last_visit() -> (
    None
):
    true = [(100, 600), (700, 1300)]
    merged = score([_heard(trips(PLAIN)[0], true, [(100, 1300, 1450)])])
    assert (merged.found, merged.merged, merged.exit_s) == (2, 1, [150.0])
    apart = score([_heard(trips(PLAIN)[0], true, [(100, 600, 680), (700, 1300, 1450)])])
    assert (apart.found, apart.merged, apart.exit_s) == (2, 0, [80.0, 150.0])


@pytest.mark.parametrize("interval_s", [15.0, 300.0])
def test_at_other_pings_balanced_finds_as_many_visits_as_the_raw_answer_and_fewer_false_ones(
    interval_s: float,
) -> None:
    phone = replace(PLAIN, interval_s=interval_s)
    balanced, exact = of_trips("balanced", phone), of_trips("exact", phone)
    assert balanced.found >= exact.found * 0.98
    assert balanced.false_visits <= exact.false_visits


def test_a_perfect_phone_has_every_visit_found_and_none_invented() -> None:
    for profile in ("exact", "balanced"):
        found = of_trips(profile, replace(PERFECT, interval_s=5.0))
        assert found.found == found.true_visits > 100
        assert (found.false_visits, found.false_enters, found.false_exits) == (0, 0, 0)


def test_a_phone_at_rest_inside_does_not_leave() -> None:
    """One room in thousands is so far off that its phone leaves.

    `python -m bench.detection --still-days 1000` counts them.
    """
    balanced, strict, exact = (
        lying_still("still-work", profile, 60) for profile in ("balanced", "strict", "exact")
    )
    assert exact.false_exits > 60 * 10
    assert balanced.false_exits <= 1
    assert strict.false_exits <= 1


def test_at_four_pings_a_minute_a_phone_at_rest_inside_does_not_leave_either() -> None:
    """Four times as many fixes prove hardly more: their errors are the same."""
    traces = simulate(
        APART, "still-work", devices=10, days=1, seed=SEED, phone=replace(LYING, interval_s=15.0)
    )
    assert score(by_follow(APART.geofences, Profile("balanced"), traces)).false_exits <= 1


def test_a_phone_at_rest_at_home_enters_nothing_but_by_a_lie() -> None:
    """One fix that claims to be sure is enough to enter, so a lie can.

    The noise of a room cannot.
    """
    honest = simulate(APART, "still-home", devices=4, days=5, seed=SEED, phone=PLAIN)
    assert score(by_follow(APART.geofences, Profile("balanced"), honest)).false_enters == 0
    assert lying_still("still-home", "balanced").false_enters <= 20


def test_the_phones_that_lie_still_do_lie() -> None:
    traces = simulate(APART, "still-work", devices=4, days=5, seed=SEED, phone=LYING)
    assert sum(int((trace.fixes.kind == LIE).sum()) for trace in traces) > 100


def facts(heard: Sequence[Heard]) -> list[tuple[object, ...]]:
    return [
        *(
            (one.trace.device_id, event.kind, event.ts_ms, event.visit_id, event.inferred)
            for one in heard
            for event in one.events
        ),
        *(
            (visit.visit_id, visit.arrival_ms, visit.departure_ms, visit.points)
            for one in heard
            for visit in one.visits
        ),
    ]


@pytest.mark.parametrize("profile", ["exact", "balanced", "strict"])
def test_the_bench_tells_what_the_street_on_a_record_tells(profile: ProfileName) -> None:
    traces = [
        *trips(LYING, 2),
        *simulate(TOWN, "still-edge", devices=1, days=0.5, seed=SEED, phone=LYING),
    ]
    follow, street = (
        facts(list(way(TOWN.geofences, Profile(profile), traces))) for way in (by_follow, by_street)
    )
    assert len(follow) > 20
    assert follow == street


def test_pings_that_come_late_in_any_order_cost_no_visit_that_they_prove() -> None:
    """Batches of five minutes, hours offline, stragglers."""
    traces = trips(replace(POOR, wrong_clocks=0.0, offline_s=(300.0, 1_800.0)))
    found = score(by_follow(TOWN.geofences, Profile("balanced"), traces))
    assert found.found / found.true_visits >= 0.93


def test_a_phone_whose_clock_runs_ahead_is_heard_again_and_freezes_nothing() -> None:
    fast = replace(PLAIN, clock_offset_s=0.0, wrong_clocks=1.0, wrong_clock_s=240.0)
    heard = list(by_follow(TOWN.geofences, Profile("balanced"), trips(fast, 10)))
    assert sum(len(one.visits) for one in heard) > 20
