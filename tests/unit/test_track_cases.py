"""What people have asked of trackers for years, as stories: each names the request it answers."""

from __future__ import annotations

import random

import pytest

from tests.rigs.presence_story import RULES, Story

CAR = 12.0  # metres per second


def test_traccar_2189_noise_at_the_edge_makes_no_row_of_enters_and_exits() -> None:
    """A parked car 20 m inside whose fixes wander over the edge.

    One enter, and nobody hears of it again.
    """
    dice, story, raw = random.Random(2189), Story("balanced"), Story("exact")
    for at_s in range(0, 12 * 3600, 30):
        edge_m = dice.gauss(-20, 12)
        story.see(at_s, edge_m, 18.0)
        raw.see(at_s, edge_m, 18.0)
    assert [kind for kind, _ in story.events] == ["entered"]
    assert len(raw.events) > 100


def test_traccar_6019_driving_past_on_the_road_beside_is_no_dwell_and_staying_is() -> None:
    """Fences beside roads.

    Who drives along the edge is inside for seconds; who parks there stays.
    """
    passing = Story("balanced", dwell_s=(120,))
    for at_s in range(-45, 61, 5):
        passing.see(1000 + at_s, abs(at_s) * CAR - 130.0, 8.0)
    assert [kind for kind, _ in passing.events] == ["entered", "exited"]
    parking = Story("balanced", dwell_s=(120,)).see(0, 500).see(60, -60).see(120, -60).see(190, -60)
    assert parking.events == [("entered", 60), ("dwelled", 180)]


def test_tile38_816_dwell_needs_no_debouncer_outside_and_no_further_ping() -> None:
    """A dwell clause.

    Flapping at the edge does not start its clock anew, and a phone gone quiet dwells all the same.
    """
    story = Story("balanced", dwell_s=(300,)).see(0, -80)
    for at_s, edge_m in ((60, 30), (70, -80), (130, 25), (140, -80)):
        story.see(at_s, edge_m, 5)
    assert story.wait_until(300).events == [("entered", 0), ("dwelled", 300)]


def test_transistorsoft_892_a_fix_of_17_km_accuracy_ends_no_visit() -> None:
    story = Story("balanced").see(0, -80)
    for at_s in range(60, 600, 60):
        story.see(at_s, 9_000, 17_000)
    assert story.see(600, -80).events == [("entered", 0)]
    assert story.presence is not None
    assert story.presence.pending is None


@pytest.mark.parametrize("gap_s", [5, 60])
def test_tracelet_294_a_receiver_that_claims_1_7_m_while_200_m_off_ends_no_visit(
    gap_s: int,
) -> None:
    story = Story("balanced").see(0, -100, 5)
    for n in range(1, 200):
        story.see(n * gap_s, 200 if n % 7 == 3 else -100, 1.7 if n % 7 == 3 else 5)
    assert story.events == [("entered", 0)]


def test_a_row_of_lies_shorter_than_twenty_seconds_ends_no_visit() -> None:
    story = Story("balanced").see(0, -100, 5)
    for at_s in range(60, 79):
        story.see(at_s, 200, 1.7)
    assert story.see(80, -100, 5).events == [("entered", 0)]


def test_back_at_the_door_takes_back_the_first_sign_of_leaving() -> None:
    story = Story("balanced").see(0, -100).see(60, 60, 5)
    for at_s in range(120, 3600, 60):
        story.see(at_s, 15, 5)
    assert story.events == [("entered", 0)]
    assert story.see(3600, 60, 5).see(3660, 90, 5).see(3720, 90, 5).see(3780, 90, 5).events == [
        ("entered", 0),
        ("exited", 3600),
    ]


def test_a_poor_fix_near_the_door_takes_back_nothing() -> None:
    assert Story("balanced").see(0, -100).see(60, 500).see(90, 10, 180).see(120, 500).events[
        -1
    ] == (
        "exited",
        60,
    )


def test_two_unsure_fixes_an_hour_apart_agree_that_it_is_inside_but_not_since_when() -> None:
    near = Story("balanced").see(0, 900).see(60, -20, 45).see(300, -20, 45)
    far = Story("balanced").see(0, 900).see(60, -20, 45).see(3000, -20, 45)
    assert (near.events, far.events) == ([("entered", 60)], [("entered", 3000)])


def test_strict_counts_every_fix_while_it_waits_and_is_not_silent_meanwhile() -> None:
    story = Story("strict", confirm_ms=3_900_000)
    for at_s in range(0, 3901, 300):
        story.see(at_s, -100)
    assert story.events == [("entered", 0)]
    assert story.presence is not None
    assert story.presence.points == 14


def test_a_missing_accuracy_counts_as_30_m_also_at_the_limit() -> None:
    assert Story("balanced", max_accuracy_m=25).see(0, -100, None).events == []
    assert Story("balanced", max_accuracy_m=30).see(0, -100, None).events == [("entered", 0)]


def test_a_thin_region_can_be_entered_at_its_middle_and_left_again() -> None:
    story = Story("balanced", inradius_m=8).see(0, -8, 25)
    assert story.events == [("entered", 0)]
    assert story.see(60, 80, 25).see(120, 80, 25).see(180, 80, 25).see(240, 80, 25).events == [
        ("entered", 0),
        ("exited", 60),
    ]


def test_probability_says_how_sure_an_event_is_and_nothing_where_nothing_was_seen() -> None:
    story = Story("balanced").see(0, -100).see(60, 500, 10).see(120, 500, 10)
    assert [one.probability for one in story.happened] == [pytest.approx(1.0, abs=0.01)] * 2
    silent = Story("balanced").see(0, -100).wait_until(3600).happened[-1]
    assert (silent.probability, silent.after_ms) == (None, 3_600_000)
    assert Story("exact").see(0, -1).see(1, 1).happened[-1].probability == 1.0


def test_a_stop_inside_is_reported_once_and_never_under_exact() -> None:
    for profile, stops in (("balanced", [200]), ("strict", [200]), ("exact", [])):
        story = Story(profile, confirm_ms=RULES[profile].confirm_ms and 60_000)
        for at_s in (0, 60, 120, 200, 260, 600):
            story.see(at_s, -100)
        found = [one.ts_ms / 1000 for one in story.happened if one.kind == "device.stopped"]
        assert found == (stops if profile != "strict" else [200]), profile
