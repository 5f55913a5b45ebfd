"""Standing still: 70 m for 140 s, once for each place, whatever one bad fix says."""

from __future__ import annotations

from geofence.detection.stops import update
from geofence.model.presence import Spot, Stop


def story(*fixes: tuple[float, float] | tuple[float, float, float]) -> list[tuple[float, float]]:
    """(second detected, second since) of every stop that the fixes prove.

    A fix is (second, metres north, claimed accuracy in metres).
    """
    stop: Stop | None = None
    found = []
    for at_s, north_m, *claimed in fixes:
        here = Spot(int(at_s * 1000), 48.0 + north_m / 111_195, 11.0)
        stop, still = update(stop, here, claimed[0] if claimed else 10.0)
        if still:
            assert stop is not None
            found.append((at_s, stop.at.since_ms / 1000))
    return found


def test_a_phone_within_70_m_for_140_s_stands_still_and_that_is_reported_once() -> None:
    assert story((0, 0), (60, 30), (139, 50)) == []
    assert story((0, 0), (60, 30), (140, 50), (200, 10), (900, 0)) == [(140, 0)]


def test_a_phone_that_walks_on_never_stands_still() -> None:
    assert story(*((60.0 * n, 80.0 * n) for n in range(30))) == []


def test_one_fix_far_away_neither_ends_a_stop_nor_makes_a_second_one() -> None:
    still = [(60.0 * n, 0.0) for n in range(20)]
    still[5] = (300.0, 200.0)
    still[9] = (540.0, -180.0)
    assert story(*still) == [(180, 0)]


def test_two_stops_are_reported_each_with_its_own_begin() -> None:
    assert story((0, 0), (150, 0), (210, 300), (270, 300), (330, 310), (360, 300)) == [
        (150, 0),
        (360, 210),
    ]


def test_whoever_comes_back_to_a_place_after_walking_starts_a_stop_anew() -> None:
    assert story((0, 0), (60, 100), (120, 200), (180, 5), (240, 0), (300, 0), (330, 0)) == [
        (330, 180)
    ]


def test_a_fix_worse_than_70_m_says_nothing_of_a_stop() -> None:
    assert story((0, 0), (60, 400, 71.0), (90, 400, 71.0), (140, 0)) == [(140, 0)]
    assert story((0, 0, 71.0), (140, 0)) == []
