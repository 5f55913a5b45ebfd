"""Simulated phones err as they say they do, and the truth about them is true."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Geod

from geofence.model.place import Geofence
from geofence.simulate.days import SCENARIOS
from geofence.simulate.frame import Frame
from geofence.simulate.noise import Noise, spells, wandering
from geofence.simulate.paths import CANYON, INDOORS, OPEN, Path, Trail, still
from geofence.simulate.phone import (
    CELL,
    HONEST,
    LIE,
    LYING,
    OUTLIER,
    PERFECT,
    PLAIN,
    POOR,
    Fixes,
    Phone,
    listen,
)
from geofence.simulate.truth import Shape, TrueVisit, true_visits
from geofence.simulate.world import START_MS, AroundGeofences, InventedTown, Trace, simulate

GEOD = Geod(ellps="WGS84")
FRAME = Frame(48.2310, 16.7420)
DAY_S = 86_400.0
TOWN = InventedTown(rings=("near",))


def heard(phone: Phone, days: float = 10.0, surroundings: int = INDOORS, seed: int = 1) -> Fixes:
    """What a phone says that lies still at the centre."""
    return listen(
        still((0.0, 0.0), days * DAY_S, surroundings),
        FRAME,
        phone,
        START_MS,
        np.random.default_rng(seed),
    )


def offs_m(fixes: Fixes) -> tuple[np.ndarray, np.ndarray]:
    """Metres east and north of the centre."""
    return FRAME.metres(fixes.lat, fixes.lon)


def quiet(noise: Noise) -> Phone:
    """Only this noise, on every kind of ground, and nothing else wrong."""
    return replace(PERFECT, street=noise, canyon=noise, indoors=noise)


def test_a_still_phones_error_has_the_sigma_that_was_asked_for() -> None:
    east_m, north_m = offs_m(heard(quiet(Noise((20.0, 20.0))), days=60))
    assert np.std(east_m) == pytest.approx(20.0, rel=0.03)
    assert np.std(north_m) == pytest.approx(20.0, rel=0.03)
    assert abs(np.corrcoef(east_m, north_m)[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("interval_s", "left"), [(6.0, math.exp(-0.1)), (60.0, math.exp(-1.0)), (300.0, math.exp(-5.0))]
)
def test_the_error_is_forgotten_at_the_pace_of_its_correlation_time(
    interval_s: float, left: float
) -> None:
    fixes = heard(
        replace(quiet(Noise((20.0, 20.0), correlation_s=60.0)), interval_s=interval_s),
        days=300_000 * interval_s / DAY_S / 3,
    )
    east_m, _ = offs_m(fixes)
    assert np.corrcoef(east_m[:-1], east_m[1:])[0, 1] == pytest.approx(left, abs=0.02)


def test_uneven_moments_are_correlated_by_the_time_between_them() -> None:
    at_s = np.tile([0.0, 10.0], 40_000) + np.repeat(np.arange(40_000) * 100.0, 2)
    wander = wandering(np.random.default_rng(1), at_s, 60.0).real
    assert np.corrcoef(wander[::2], wander[1::2])[0, 1] == pytest.approx(
        math.exp(-10 / 60), abs=0.02
    )
    assert np.corrcoef(wander[1:-1:2], wander[2::2])[0, 1] == pytest.approx(
        math.exp(-90 / 60), abs=0.02
    )


def test_a_bias_stays_for_a_whole_stay_and_keeps_the_sigma() -> None:
    means = []
    for seed in range(400):
        east_m, _ = offs_m(heard(quiet(Noise((20.0, 20.0), bias_share=0.5)), days=0.5, seed=seed))
        means.append(east_m.mean())
    assert np.std(means) == pytest.approx(20.0 * math.sqrt(0.5), rel=0.12)


def test_two_thirds_of_honest_fixes_lie_within_the_accuracy_they_state() -> None:
    fixes = heard(replace(quiet(Noise((20.0, 20.0))), stated_spread=0.25), days=30)
    within = np.hypot(*offs_m(fixes)) <= fixes.accuracy_m
    assert within.mean() == pytest.approx(0.68, abs=0.03)
    assert np.std(np.log(fixes.accuracy_m)) == pytest.approx(0.25, rel=0.05)


def test_a_street_is_better_than_a_canyon_and_that_better_than_a_room() -> None:
    spread = [
        np.median([np.hypot(*offs_m(heard(PLAIN, 0.2, kind, seed))).mean() for seed in range(40)])
        for kind in (OPEN, CANYON, INDOORS)
    ]
    assert spread[0] < 12.0 < spread[1] < spread[2]


def test_a_lying_phone_claims_less_than_two_metres_while_it_is_far_off() -> None:
    fixes = heard(LYING, days=30)
    lying = fixes.kind == LIE
    assert 12 * 30 * 0.7 < lying.sum() < 12 * 30 * 1.5
    away_m = np.hypot(*offs_m(fixes))[lying]
    assert (fixes.accuracy_m[lying] == 1.7).all()
    assert away_m.min() > 149.0
    assert away_m.max() < 251.0
    assert not (heard(PLAIN, days=30).kind == LIE).any()


def test_a_lie_that_lasts_is_reported_again_at_the_same_place() -> None:
    fixes = heard(replace(LYING, lie_s=300.0, interval_s=10.0), days=5)
    east_m, north_m = offs_m(fixes)
    run = np.flatnonzero((fixes.kind[:-1] == LIE) & (fixes.kind[1:] == LIE))
    assert len(run) > 500
    same = np.hypot(np.diff(east_m), np.diff(north_m))[run] < 0.1
    assert same.mean() > 0.97


def test_fixes_of_the_network_say_1400_metres_and_are_that_bad() -> None:
    fixes = heard(replace(PERFECT, cells_per_day=400.0), days=10)
    cells = fixes.kind == CELL
    assert (fixes.accuracy_m[cells] == 1400.0).all()
    assert (np.hypot(*offs_m(fixes))[cells] <= 1400.0).mean() == pytest.approx(0.68, abs=0.04)
    assert np.hypot(*offs_m(fixes))[~cells].max() < 0.1


def test_outliers_are_off_by_what_was_asked_and_about_half_of_them_admit_it() -> None:
    noise = Noise((0.0, 0.0), outliers_per_day=200.0, outlier_m=(50.0, 200.0), outlier_s=0.0)
    fixes = heard(quiet(noise), days=20)
    out = fixes.kind == OUTLIER
    away_m = np.hypot(*offs_m(fixes))
    assert ((away_m[out] > 49.0) & (away_m[out] < 201.0)).all()
    assert (fixes.accuracy_m[out] > 49.0).mean() == pytest.approx(0.5, abs=0.05)
    assert away_m[fixes.kind == HONEST].max() < 0.1


def test_a_spell_takes_in_one_moment_at_least_and_as_many_as_it_lasts() -> None:
    at_s = np.arange(0.0, 30 * DAY_S, 60.0)
    short, long = (
        spells(np.random.default_rng(3), at_s, 10.0, lasts_s) for lasts_s in (0.0, 600.0)
    )
    assert (short >= 0).sum() == pytest.approx(300, abs=60)
    assert 5.0 < (long >= 0).sum() / (short >= 0).sum() < 15.0


def test_in_a_gap_no_fix_is_taken_and_gaps_last_from_minutes_to_hours() -> None:
    fixes = heard(replace(PERFECT, gaps_per_day=4.0, gap_s=(300.0, 7_200.0)), days=30)
    silent_s = np.diff(fixes.at_ms) / 1000
    gaps = silent_s[silent_s > 90.0]
    assert 60 < len(gaps) < 180
    assert gaps.max() > 3_600.0


def test_a_batch_is_heard_at_once_and_pings_arrive_after_they_were_taken() -> None:
    fixes = heard(replace(PERFECT, batch_s=300.0), days=1)
    assert len(np.unique(fixes.received_ms)) <= 289
    waited_ms = fixes.received_ms - fixes.at_ms
    assert waited_ms.min() >= 0
    assert 240_000 < waited_ms.max() <= 300_000


def test_an_offline_phone_sends_its_hours_at_once_and_stragglers_come_behind_younger_pings() -> (
    None
):
    fixes = heard(POOR, days=20).as_received()
    assert (np.diff(fixes.received_ms) >= 0).all()
    assert (np.diff(fixes.at_ms) < 0).any()
    assert (fixes.received_ms - fixes.at_ms).max() > 1_800_000


def test_clocks_are_a_little_wrong_and_some_are_wrong_by_minutes_also_into_the_future() -> None:
    little = [
        (one.ts_ms - one.at_ms)[0] for one in (heard(PLAIN, 0.05, seed=seed) for seed in range(60))
    ]
    assert 500.0 < np.std(little) < 1_500.0
    wrong = [
        (one.ts_ms - one.at_ms)[0]
        for one in (heard(replace(PLAIN, wrong_clocks=1.0), 0.05, seed=seed) for seed in range(60))
    ]
    assert max(wrong) > 300_000
    assert min(wrong) < -300_000


def test_a_perfect_phone_tells_where_it_is() -> None:
    trace = next(simulate(TOWN, "trip", days=0.1, phone=PERFECT))
    x_m, y_m = trace.path.spots((trace.fixes.at_ms - START_MS) / 1000)
    seen_x_m, seen_y_m = trace.town.frame.metres(trace.fixes.lat, trace.fixes.lon)
    assert np.hypot(x_m - seen_x_m, y_m - seen_y_m).max() < 0.02


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_same_seed_gives_the_same_pings_and_another_seed_others(scenario: str) -> None:
    def run(seed: int) -> list[Trace]:
        return list(
            simulate(
                InventedTown(2, ("near",)), scenario, devices=2, days=0.1, seed=seed, phone=POOR
            )
        )

    once, again, other = run(4), run(4), run(5)
    for left, right in zip(once, again, strict=True):
        assert left.visits == right.visits
        assert all(
            np.array_equal(getattr(left.fixes, name), getattr(right.fixes, name), equal_nan=True)
            for name in Fixes.__slots__
        )
    assert any(
        not np.array_equal(left.fixes.lat, right.fixes.lat)
        for left, right in zip(once, other, strict=True)
    )


def test_another_phone_is_carried_along_the_same_path() -> None:
    for left, right in zip(
        *(simulate(TOWN, "trip", devices=2, days=0.1, phone=one) for one in (PLAIN, LYING)),
        strict=True,
    ):
        assert left.visits == right.visits
        assert np.array_equal(left.path.x_m, right.path.x_m)


def by_second(trace: Trace, fence: Geofence) -> list[TrueVisit]:
    """The truth by the geodesic library, second after second."""
    at_s = np.arange(math.ceil(trace.path.seconds))
    lat, lon = trace.town.frame.degrees(*trace.path.spots(at_s.astype(float)))
    region = fence.region
    away_m = GEOD.inv(lon, lat, np.full(len(lat), region["lon"]), np.full(len(lat), region["lat"]))[
        2
    ]
    visits, began = [], None
    for second, inside in enumerate((away_m <= region["radius_m"]).tolist()):
        if inside and began is None:
            began = second
        elif not inside and began is not None:
            visits.append(
                TrueVisit(
                    trace.device_id,
                    fence.external_id,
                    START_MS + 1000 * began,
                    START_MS + 1000 * second,
                )
            )
            began = None
    return visits + (
        [TrueVisit(trace.device_id, fence.external_id, START_MS + 1000 * began, None)]
        if began is not None
        else []
    )


@pytest.mark.parametrize(
    ("scenario", "days"), [("commuter", 0.35), ("trip", 0.2), ("passes", 0.1), ("still-edge", 0.02)]
)
def test_the_truth_is_what_the_geodesic_library_says_second_after_second(
    scenario: str, days: float
) -> None:
    trace = next(simulate(TOWN, scenario, days=days, seed=3))
    expected = [visit for fence in TOWN.geofences for visit in by_second(trace, fence)]
    assert expected
    assert sorted(trace.visits) == sorted(expected)


def test_a_polygon_with_a_hole_holds_what_shapely_says() -> None:
    outer = [
        [16.70, 48.20],
        [16.80, 48.21],
        [16.76, 48.26],
        [16.75, 48.22],
        [16.71, 48.27],
        [16.70, 48.20],
    ]
    hole = [[16.72, 48.21], [16.74, 48.21], [16.73, 48.22], [16.72, 48.21]]
    other = [[16.60, 48.20], [16.62, 48.20], [16.62, 48.22], [16.60, 48.20]]
    region = {"type": "MultiPolygon", "coordinates": [[outer, hole], [other]]}
    dice = np.random.default_rng(1)
    lat, lon = dice.uniform(48.19, 48.28, 20_000), dice.uniform(16.59, 16.81, 20_000)
    expected = shapely.contains_xy(shapely.MultiPolygon([(outer, [hole]), (other, [])]), lon, lat)
    assert 0.1 < expected.mean() < 0.9
    assert np.array_equal(Shape.of(Geofence("u", "f", region)).holds(lat, lon), expected)


def test_a_shape_at_a_pole_or_across_the_180th_meridian_is_refused() -> None:
    pole = {"type": "circle", "lat": 89.0, "lon": 0.0, "radius_m": 100.0}
    east = [[[179.0, 0.0], [180.0, 0.0], [180.0, 1.0], [179.0, 0.0]]]
    west = [[[-180.0, 0.0], [-179.0, 0.0], [-180.0, 1.0], [-180.0, 0.0]]]
    split = {"type": "MultiPolygon", "coordinates": [east, west]}
    for region in (pole, split):
        with pytest.raises(ValueError, match="is not simulated"):
            Shape.of(Geofence("u", "f", region))


def test_a_walk_through_a_circle_arrives_and_departs_when_it_should() -> None:
    trail = Trail((-300.0, 0.0))
    trail.go((300.0, 0.0), 1.5)
    fence = Geofence(
        "u", "f", {"type": "circle", "lat": FRAME.lat, "lon": FRAME.lon, "radius_m": 150.0}
    )
    visit, *others = true_visits(trail.path(), FRAME, [Shape.of(fence)], "d", 0)
    assert not others
    assert visit.arrival_ms == pytest.approx(100_000, abs=1_001)
    assert visit.departure_ms == pytest.approx(300_000, abs=1_001)


def test_somebody_who_never_leaves_has_a_visit_without_end() -> None:
    path: Path = still((0.0, 0.0), 3_600.0)
    fence = Geofence(
        "u", "f", {"type": "circle", "lat": FRAME.lat, "lon": FRAME.lon, "radius_m": 150.0}
    )
    assert true_visits(path, FRAME, [Shape.of(fence)], "d", 5) == [TrueVisit("d", "f", 5, None)]


def test_homes_are_inside_nothing_desks_inside_something_and_edges_near_one() -> None:
    for trace in simulate(TOWN, "still-home", devices=30, days=0.05):
        assert trace.visits == ()
    for trace in simulate(TOWN, "still-work", devices=30, days=0.05):
        assert trace.visits
        assert trace.visits[0].departure_ms is None
    from_edge_m = []
    for trace in simulate(TOWN, "still-edge", devices=30, days=0.05):
        lat, lon = trace.town.frame.degrees(trace.path.x_m[:1], trace.path.y_m[:1])
        regions = [fence.region for fence in TOWN.geofences]
        from_edge_m.append(
            min(
                abs(GEOD.inv(lon[0], lat[0], one["lon"], one["lat"])[2] - one["radius_m"])
                for one in regions
            )
        )
    assert max(from_edge_m) < 20.5


def test_a_commuter_is_at_home_at_night_and_calls_at_a_shop_each_day() -> None:
    path = SCENARIOS["commuter"](TOWN.town(0), random.Random(3), 3 * DAY_S)
    nights = np.array([3.0, 27.0, 51.0, 71.9]) * 3_600.0
    x_m, y_m = path.spots(nights)
    assert np.ptp(x_m) < 0.01
    assert np.ptp(y_m) < 0.01
    assert (path.surroundings[path.legs(nights)] == INDOORS).all()
    assert path.seconds == 3 * DAY_S


def test_nobody_moves_faster_than_a_car_and_passers_by_stay_nowhere_long() -> None:
    for scenario in ("commuter", "trip", "passes"):
        for trace in simulate(TOWN, scenario, devices=3, days=0.5):
            assert trace.path.speeds_mps().max() < 26.0
            if scenario == "passes":
                assert len(trace.visits) > 50
                assert (
                    max((v.departure_ms or v.arrival_ms) - v.arrival_ms for v in trace.visits)
                    < 240_000
                )


def test_people_live_around_the_geofences_they_are_given() -> None:
    far = [
        Geofence(
            f"u{n}",
            f"f{n}",
            {"type": "circle", "lat": -33.9 + n, "lon": 151.2 - n, "radius_m": 120.0},
        )
        for n in range(3)
    ]
    traces = list(simulate(AroundGeofences(far), "trip", devices=12, days=0.1))
    assert {visit.geofence_id for trace in traces for visit in trace.visits} == {"f0", "f1", "f2"}
    with pytest.raises(ValueError, match="no geofence"):
        AroundGeofences([])
