"""The detection state machine as short stories.

Times in seconds, distances in metres, negative inside.
"""

from __future__ import annotations

import msgspec
import pytest

from geofence.detection.deadlines import end
from geofence.detection.late_pings import amend
from geofence.model.presence import Pending, Presence
from tests.rigs.presence_story import Story


@pytest.mark.parametrize("profile", ["exact", "balanced"])
def test_one_sure_fix_inside_enters_at_its_own_time(profile: str) -> None:
    assert Story(profile).see(0, 500).see(60, -120).events == [("entered", 60)]


def test_exact_enters_on_the_border_and_leaves_one_step_outside() -> None:
    assert Story("exact").see(0, 0.0).see(1, 1e-9).events == [("entered", 0), ("exited", 1)]


def test_exact_ignores_accuracy_suspicion_and_cool_down() -> None:
    story = (
        Story("exact").see(0, -1, 5000, evidence=False).see(1, 1, 5000, evidence=False).see(2, -1)
    )
    assert story.events == [("entered", 0), ("exited", 1), ("entered", 2)]


def test_exact_never_falls_silent() -> None:
    assert Story("exact").see(0, -10).wait_until(10_000_000).events == [("entered", 0)]


def test_a_first_fix_already_inside_is_marked_and_a_later_one_is_not() -> None:
    assert Story("balanced").see(0, -120).happened[0].first_fix is True
    assert Story("balanced").see(0, 900).see(60, -120).happened[0].first_fix is False


def test_unsure_fixes_enter_when_they_are_sure_together_and_the_first_gives_the_time() -> None:
    unsure = 30.0 * 1.51  # sigma 30 m: at 20 m inside p is about 0.75
    story = Story("balanced").see(0, 900).see(60, -20, unsure)
    assert story.events == []
    assert story.see(70, -20, unsure).events == [], (
        "ten seconds later most of its error is the same"
    )
    assert story.see(120, -20, unsure).events == [("entered", 60)]
    assert story.presence is not None
    assert (story.presence.points, story.presence.before_ms) == (3, 0)


def test_hardly_sure_fixes_inside_enter_in_the_end_and_one_outside_begins_anew() -> None:
    hardly = 30.0 * 1.51  # p about 0.63 at 10 m inside
    story = Story("balanced").see(0, 900)
    for at_s in range(60, 240, 60):
        story.see(at_s, -10, hardly)
    assert story.events == []
    for at_s in range(240, 481, 60):
        story.see(at_s, -10, hardly)
    assert story.events == [("entered", 60)]
    torn = Story("balanced").see(0, 900)
    for at_s in range(60, 3600, 60):
        torn.see(at_s, 5 if at_s % 180 == 0 else -10, hardly)
    assert torn.events == []


def test_two_fixes_on_the_border_prove_nothing() -> None:
    assert Story("balanced").see(0, 0.0, 30).see(60, 0.0, 30).see(120, 0.0, 30).events == []


def test_an_unsure_fix_followed_by_one_outside_is_forgotten() -> None:
    story = Story("balanced").see(60, -10, 45).see(90, 200).see(120, -10, 45)
    assert story.events == []
    assert story.presence is not None
    assert story.presence.pending is not None
    assert story.presence.pending.ts_ms == 120_000


def test_a_fix_worse_than_the_limit_changes_nothing_in_either_direction() -> None:
    story = Story("balanced").see(0, -100, 1400)
    assert (story.events, story.presence) == ([], None)
    inside = story.see(60, -100).presence
    assert story.see(120, 900, 1400).see(180, 900, 1400).presence == inside


def test_a_jump_is_not_evidence() -> None:
    assert Story("balanced").see(0, -100, evidence=False).events == []


def test_leaving_on_foot_takes_four_sure_fixes_at_one_a_minute_and_the_first_gives_the_time() -> (
    None
):
    story = Story("balanced").see(0, -100).see(60, 60).see(120, 110).see(180, 150)
    assert story.events == [("entered", 0)]
    assert story.see(240, 200).events == [("entered", 0), ("exited", 60)]


def test_driving_off_takes_two_fixes_twenty_seconds_apart_and_the_first_gives_the_time() -> None:
    story = Story("balanced").see(0, -100).see(60, 500).see(79.9, 700)
    assert story.events == [("entered", 0)]
    assert story.see(80, 700).events == [("entered", 0), ("exited", 60)]
    assert Story("balanced").see(0, -100).see(60, 50).see(120, 600).events[-1] == ("exited", 60), (
        "the far one counts in full"
    )


def test_many_fixes_within_a_minute_prove_little_more_than_one() -> None:
    """Their error is the same: at a fix a second it takes about as long as at four a minute."""
    story = Story("balanced").see(0, -100)
    for at_s in range(60, 140):
        story.see(at_s, 100, 5)
    assert story.events == [("entered", 0)]
    for at_s in range(140, 150):
        story.see(at_s, 100, 5)
    assert story.events == [("entered", 0), ("exited", 60)]


def test_a_room_whose_error_points_outside_ends_no_visit_however_many_its_fixes() -> None:
    """An hour and a half of fixes 60 m outside by a phone that claims 45 m.

    Two sigma, again and again the same error.
    """
    story = Story("balanced").see(0, -100)
    for at_s in range(60, 5400, 60):
        story.see(at_s, 60, 45)
    assert story.events == [("entered", 0)]
    assert story.see(5460, -10, 20).see(5520, 60, 45).wait_until(7200).events == [("entered", 0)]


def test_nothing_but_signs_of_leaving_for_twice_the_silence_that_ends_a_visit_is_leaving() -> None:
    story = Story("balanced").see(0, -100)
    for at_s in range(60, 7260, 60):
        story.see(at_s, 60, 45)
    assert story.events == [("entered", 0)]
    assert story.see(7260, 60, 45).events == [("entered", 0), ("exited", 60)]
    quick = (
        Story("balanced", presence_timeout_ms=60_000)
        .see(0, -100)
        .see(30, 60, 45)
        .see(85, 60, 45)
        .see(140, 60, 45)
    )
    assert quick.see(150, 60, 45).events == [("entered", 0), ("exited", 30)]


def test_evidence_from_before_this_rule_is_read_as_one_fix_that_proved_nothing() -> None:
    old = Pending("exit", 60_000, 100.0, 0.99, 10.0)
    waiting = Presence("gf_1", True, "vis_0", last_ms=60_000, pending=old)
    story = Story("balanced")
    story.presence = waiting
    assert story.see(120, 100).events == []
    assert story.see(180, 900).events == [("exited", 60)]


def test_the_same_evidence_counts_once_whether_or_not_it_was_stored_in_between() -> None:
    story, stored = Story("balanced").see(0, -100), Story("balanced").see(0, -100)
    for at_s in (60, 120, 180, 240):
        story.see(at_s, 100)
        stored.see(at_s, 100)
        if stored.presence is not None:
            stored.presence = msgspec.json.decode(
                msgspec.json.encode(stored.presence), type=Presence
            )
        assert stored.presence == story.presence
    assert stored.events == story.events == [("entered", 0), ("exited", 60)]


def test_fixes_too_poor_to_prove_anything_are_silence() -> None:
    """They show that the phone lives, not where.

    The visit ends at the last fix that proved something, as if none had come.
    """
    story = Story("balanced").see(0, -100).see(60, -100)
    for at_s in range(120, 3661, 60):
        story.see(at_s, -100, 1400)
    assert story.events == [("entered", 0), ("exited", 60)]
    assert (story.happened[-1].inferred, story.happened[-1].probability) == (True, None)
    assert story.see(3700, -100).events[-1] == ("entered", 3700)


def test_one_outlier_outside_does_not_end_a_visit() -> None:
    assert Story("balanced").see(0, -100).see(60, 300).see(120, -100).see(180, 300).events == [
        ("entered", 0)
    ]


def test_the_exit_margin_holds_a_phone_at_the_door() -> None:
    story = Story("balanced").see(0, -100)
    for at_s in range(60, 600, 60):
        story.see(at_s, 15, 5)
    assert story.events == [("entered", 0)]


def test_a_poor_fix_just_outside_is_no_proof_of_leaving() -> None:
    assert Story("balanced").see(0, -100).see(60, 40, 150).see(120, 40, 150).events == [
        ("entered", 0)
    ]


def test_nobody_re_enters_during_the_cool_down_but_everybody_may_after_it() -> None:
    story = Story("balanced").see(0, -100).see(60, 500).see(90, 500).see(120, -100)
    assert story.events[-1] == ("exited", 60)
    assert story.see(181, -100).events[-1] == ("entered", 181)


def test_a_cool_down_is_remembered_for_an_hour_after_its_end_for_phones_that_send_late() -> None:
    story = Story("balanced").see(0, -100).see(60, 500).see(90, 500)
    assert story.presence is not None
    assert story.presence.due_ms == (180 + 3600) * 1000
    assert story.wait_until(3779).presence is not None
    assert story.wait_until(3780).presence is None
    assert Story("balanced").see(0, -100).see(60, 500).see(90, 500).wait_until(3779).see(
        120, -100
    ).events[-1] == ("exited", 60)


def test_strict_enters_only_after_the_confirmation_time_inside() -> None:
    story = Story("strict").see(0, -100).see(30, -100).see(59, -100)
    assert story.events == []
    assert story.see(60, -100).events == [("entered", 0)]


def test_strict_starts_again_when_the_phone_was_outside_in_between() -> None:
    assert Story("strict").see(0, -100).see(30, 200).see(61, -100).events == []


def test_strict_enters_on_nothing_that_balanced_would_not() -> None:
    story = Story("strict")
    for at_s in range(0, 181, 60):
        story.see(at_s, -2, 45)
    assert story.events == []
    assert Story("strict").see(0, -30, 45).see(60, -20, 45).events == [("entered", 0)], (
        "sure together"
    )


def test_silence_ends_a_visit_at_its_last_ping_and_says_inferred() -> None:
    story = Story("balanced").see(0, -100).see(600, -100).wait_until(4199)
    assert story.events == [("entered", 0)]
    assert story.wait_until(4200).events == [("entered", 0), ("exited", 600)]
    assert story.happened[-1].inferred is True


def test_silence_after_one_fix_outside_ends_the_visit_at_that_fix() -> None:
    story = Story("balanced").see(0, -100).see(600, 200).wait_until(4200)
    assert story.events == [("entered", 0), ("exited", 600)]


def test_a_ping_after_silence_finds_the_visit_ended_whether_or_not_a_timer_ran() -> None:
    with_timer = Story("balanced").see(0, -100).wait_until(9000).see(9000, -100)
    without = Story("balanced").see(0, -100).see(9000, -100)
    assert with_timer.events == without.events == [("entered", 0), ("exited", 0), ("entered", 9000)]


def test_dwell_fires_once_at_its_due_time_by_ping_or_by_timer() -> None:
    by_ping = (
        Story("balanced", dwell_s=(300,)).see(0, -100).see(290, -100).see(350, -100).see(400, -100)
    )
    by_timer = (
        Story("balanced", dwell_s=(300,))
        .see(0, -100)
        .wait_until(299)
        .wait_until(300)
        .wait_until(301)
    )
    assert by_ping.events == by_timer.events == [("entered", 0), ("dwelled", 300)]
    assert by_timer.happened[-1].dwell_s == 300


def test_several_dwell_times_fire_in_order_and_before_the_exit() -> None:
    story = Story("exact", dwell_s=(60, 120)).see(0, -100).see(200, 50)
    assert story.events == [("entered", 0), ("dwelled", 60), ("dwelled", 120), ("exited", 200)]


def test_no_dwell_fires_for_a_phone_already_seen_outside() -> None:
    story = Story("balanced", dwell_s=(300,)).see(0, -100).see(250, 500).see(310, 500)
    assert story.events == [("entered", 0), ("exited", 250)]


def test_a_geofence_that_expires_ends_its_visits_at_that_moment_and_takes_no_new_ones() -> None:
    story = Story("exact", active_until_ms=100_000).see(0, -10).see(150, -10).see(200, -10)
    assert story.events == [("entered", 0), ("exited", 100)]
    assert story.happened[-1].reason == "geofence_removed"


def test_a_removed_geofence_ends_a_visit_but_says_nothing_of_those_outside() -> None:
    story = Story("balanced").see(0, -100)
    assert story.presence is not None
    left, happened = end(story.presence, 50_000, "geofence_removed")
    assert left is None
    assert [(one.kind, one.ts_ms, one.reason) for one in happened] == [
        ("geofence.exited", 50_000, "geofence_removed")
    ]
    waiting = Story("balanced").see(0, -10, 45).presence
    assert waiting is not None
    assert end(waiting, 50_000, "geofence_removed") == (None, [])


def test_late_pings_move_the_arrival_back_only_within_the_gap_nobody_judged() -> None:
    presence = Story("exact").see(0, 500).see(100, -10).presence
    assert presence is not None
    earlier = amend(presence, 40_000, 1.0)
    assert (earlier.arrival_ms, earlier.amended) == (40_000, True)
    assert amend(earlier, 40_000, 1.0) is earlier
    assert amend(presence, 0, 1.0) is presence


def test_points_and_the_best_probability_are_counted_in_order() -> None:
    presence = Story("balanced").see(0, -120).see(30, -60, 100).see(60, -140).presence
    assert presence is not None
    assert presence.points == 3
    assert presence.best_probability == pytest.approx(1.0, abs=1e-3)
    assert presence.last_inside_ms == 60_000


def test_a_lie_after_hours_at_the_door_is_no_exit_whatever_weak_sign_came_before() -> None:
    for weak in (True, False):
        story = Story("balanced").see(0, -100)
        if weak:
            story.see(60, 60, 120)
        for nth in range(30):
            story.see(360 + 300 * nth, 15, 100)
        assert story.see(9400, 400, 5).events == [("entered", 0)]


def test_no_single_fix_is_an_exit_however_long_weak_signs_have_come() -> None:
    story = Story("balanced", presence_timeout_ms=600_000).see(0, -100)
    for nth in range(3):
        story.see(60 + 300 * nth, 60, 120)
    assert story.see(1200, 60, 10).events == [("entered", 0)]
    assert story.see(1260, 60, 10).events == [("entered", 0), ("exited", 1200)]
