"""Signs of leaving: what weak ones may do, and what late pings take back."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from geofence.detection.pending import MOST_SIGNS, accumulate, is_conclusive, is_marker, retract
from geofence.model.presence import Evidence, Pending

HOUR_MS = 3_600_000


def leaving(*signs: tuple[float, float]) -> Pending | None:
    """From (second, probability) of each sign."""
    found = [Evidence(int(at_s * 1000), 60.0, p, 50.0) for at_s, p in signs]
    return reduce(lambda first, sign: accumulate(first, "exit", sign), found, None)


def test_signs_that_make_leaving_only_likely_prove_nothing_until_twice_the_time_of_silence() -> (
    None
):
    weak = leaving(*((300 * nth, 0.78) for nth in range(24)))
    assert weak is not None
    assert is_marker(weak)
    assert weak.ts_ms == 0
    assert not is_conclusive(weak, 2 * HOUR_MS - 1, HOUR_MS)
    assert is_conclusive(weak, 2 * HOUR_MS, HOUR_MS)
    assert not is_conclusive(weak, 100 * HOUR_MS, None)


def test_the_first_sure_sign_after_weak_ones_is_the_first_that_counts() -> None:
    both, alone = leaving((0, 0.7), (60, 0.99)), leaving((60, 0.99))
    assert both is not None
    assert alone is not None
    assert (both.ts_ms, both.proof, both.fixes) == (alone.ts_ms, alone.proof, alone.fixes)
    assert not is_marker(both)


def test_a_weak_sign_between_sure_ones_changes_nothing() -> None:
    with_it, without_it = leaving((0, 0.99), (30, 0.6), (60, 0.99)), leaving((0, 0.99), (60, 0.99))
    assert with_it is not None
    assert without_it is not None
    assert (with_it.ts_ms, with_it.proof, with_it.last_ms) == (
        without_it.ts_ms,
        without_it.proof,
        without_it.last_ms,
    )


times = st.lists(
    st.tuples(st.integers(0, 600), st.sampled_from([0.55, 0.79, 0.8, 0.95, 0.999])),
    max_size=12,
    unique_by=lambda one: one[0],
)


@given(times, st.integers(0, 600))
def test_a_late_ping_inside_leaves_what_there_would_be_had_it_come_in_time(
    signs: list[tuple[int, float]], inside_s: int
) -> None:
    signs = sorted(one for one in signs if one[0] != inside_s)
    all_of_them = leaving(*signs)
    in_time = leaving(*(one for one in signs if one[0] > inside_s))
    late = None if all_of_them is None else retract(all_of_them, inside_s * 1000)
    if signs and signs[0][0] > inside_s:
        assert late is all_of_them
    else:
        assert late == in_time


def test_of_a_day_of_signs_only_the_first_are_kept_one_by_one() -> None:
    many = leaving(*((60 * nth, 0.9) for nth in range(1000)))
    assert many is not None
    assert len(many.signs) == MOST_SIGNS
