"""Fixes that a phone cannot have made as short stories.

Seconds, and metres north of a place.
"""

from __future__ import annotations

import pytest

from geofence.detection.outliers import Trail, classify, implied_mps, metres
from geofence.model.ping import Fix


def story(*fixes: tuple[float, float] | tuple[float, float, float]) -> list[bool]:
    """Whether each of (second, metres north, claimed accuracy) was believed."""
    trail, found = Trail(), []
    for at_s, north_m, *claimed in fixes:
        weighed = classify(
            trail,
            Fix(int(at_s * 1000), 48.0 + north_m / 111_195, 11.0, claimed[0] if claimed else None),
        )
        trail = weighed.trail
        found.append(weighed.trusted)
    return found


def test_a_walk_and_a_drive_are_believed() -> None:
    assert story((0, 0), (60, 80), (120, 3000), (121, 3050)) == [True] * 4


def test_one_fix_that_needs_a_rocket_is_not_evidence_and_the_next_one_back_is() -> None:
    assert story((0, 0), (10, 5000), (20, 20)) == [True, False, True]


def test_a_phone_that_really_went_far_is_believed_from_its_second_fix_on() -> None:
    assert story((0, 0), (60, 900_000), (120, 900_050), (180, 900_100)) == [True, False, True, True]


def test_a_wrong_first_fix_is_forgotten_as_soon_as_two_others_agree() -> None:
    assert story((0, 8_000_000), (30, 0), (60, 10), (90, 20)) == [True, False, True, True]


def test_in_the_air_no_fix_is_evidence_and_after_landing_the_second_is() -> None:
    flight = [(60.0 * n, 250.0 * 60 * n) for n in range(1, 11)]
    assert story((0, 0), *flight, (660, 150_050), (720, 150_060)) == [
        True,
        *[False] * 10,
        True,
        True,
    ]


def test_a_burst_of_bad_fixes_shorter_than_twenty_seconds_heals_nothing() -> None:
    burst = [(60.0 + n, 20_000.0) for n in range(10)]
    assert story((0, 0), *burst, (75, 10)) == [True, *[False] * 10, True]


def test_two_phones_that_share_a_name_leave_the_first_one_believed() -> None:
    assert story((0, 0), (30, 500_000), (60, 10), (90, 500_010), (120, 20)) == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_what_stated_accuracies_explain_is_no_jump() -> None:
    assert story((0, 0, 60.0), (0.5, 80, 40.0)) == [True, True]
    assert story((0, 0, 2.0), (0.5, 80, 1.7)) == [True, False]


def test_a_fix_worse_than_200_m_is_judged_but_nothing_is_compared_with_it() -> None:
    assert story((0, 0, 10.0), (60, 3000, 1400.0), (61, 5, 10.0)) == [True, True, True]
    assert story((0, 0, 10.0), (60, 90_000, 1400.0), (90, 90_000, 1400.0)) == [True, False, False]


def test_speed_and_distance_hold_across_the_180th_meridian() -> None:
    west, east = Fix(0, 10.0, 179.9995), Fix(10_000, 10.0, -179.9995)
    assert implied_mps(west, east) == pytest.approx(metres(10.0, 0.0, 10.0, 0.001) / 10)
    assert implied_mps(west, east) < 12
