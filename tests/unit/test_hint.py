"""The hint as short stories: how far, how long, and what to watch.

Seconds and metres; north of a store at (48, 11).
"""

from __future__ import annotations

from typing import Any

import pytest

from geofence.hints.safe_radius import Wake, Wish, hint
from geofence.hints.watchlist import anchor_of
from geofence.model.ping import Fix
from geofence.model.place import Geofence, Profile
from geofence.model.presence import DeviceState, Pending, Presence, Spot, Stop
from geofence.model.receipt import Hint
from geofence.places.catalogue import Catalogue

T0 = 1_790_000_000_000
LAT, LON = 48.0, 11.0
NORTH_M = 111_194.0
SPHERE = 0.994


def circle(
    uid: str,
    north_m: float = 0.0,
    radius_m: float = 150.0,
    profile: Profile | None = None,
    **more: Any,
) -> Geofence:
    region = {"type": "circle", "lat": LAT + north_m / NORTH_M, "lon": LON, "radius_m": radius_m}
    return Geofence(uid, f"fence-{uid}", region, profile=profile or Profile("balanced"), **more)


def hinted(
    fences: list[Geofence],
    *presences: Presence,
    north_m: float = 0.0,
    accuracy_m: float | None = 10.0,
    before: DeviceState | None = None,
    now_s: float | None = None,
    fix_north_m: float | None = None,
    wake: Wake = "clock",
    watch: int = 19,
    version: str | None = None,
) -> Hint:
    """The hint at second 0 for a phone `north_m` north of the store."""
    here = Fix(T0, LAT + north_m / NORTH_M, LON, accuracy_m)
    fix_lat = here.lat if fix_north_m is None else LAT + fix_north_m / NORTH_M
    state = DeviceState(
        True, T0, T0, fix_lat, LON, presences={one.geofence_uid: one for one in presences}
    )
    now_ms = None if now_s is None else T0 + int(now_s * 1000)
    return hint(
        Catalogue.build(1, Profile(), fences),
        state,
        here,
        Wish(watch, wake, version),
        before,
        now_ms,
    )


def inside(uid: str = "a", **more: Any) -> Presence:
    return Presence(
        uid,
        inside=True,
        visit_id="v",
        arrival_ms=T0 - 60_000,
        last_inside_ms=T0,
        last_ms=T0,
        points=1,
        **more,
    )


def test_outside_the_way_in_less_the_accuracy_limits_the_circle() -> None:
    far = hinted([circle("a")], north_m=1150.0)
    assert far.safe_radius_m == pytest.approx((1000 - 10) * SPHERE, abs=2)
    assert far.next_ping_s == 28
    assert hinted([circle("a")], north_m=1150.0, accuracy_m=None).safe_radius_m == pytest.approx(
        (1000 - 30) * SPHERE, abs=2
    )


def test_inside_the_exit_margin_is_on_the_way_out_except_under_exact() -> None:
    assert hinted([circle("a")], inside(), north_m=50.0).safe_radius_m == pytest.approx(
        (100 + 20 - 10) * SPHERE, abs=0.2
    )
    exact = circle("a", profile=Profile("exact"))
    assert hinted([exact], inside(), north_m=50.0).safe_radius_m == pytest.approx(
        (100 - 10) * SPHERE, abs=0.2
    )


def test_a_geofence_that_surrounds_the_phone_but_is_not_entered_leaves_no_room() -> None:
    assert hinted([circle("a")]).safe_radius_m == 0.0
    many = [circle(f"in{n}", radius_m=500.0 + n) for n in range(40)]
    held = [inside(f"in{n}") for n in range(40)]
    assert hinted([*many, circle("out")], *held).safe_radius_m == 0.0, (
        "the one not entered is found behind forty entered ones"
    )
    assert hinted(
        [*many, circle("out")], *held, inside("out"), watch=1
    ).safe_radius_m == pytest.approx((170 - 10) * SPHERE, abs=0.2)


def test_without_geofences_there_is_no_circle_and_an_hour_of_sleep() -> None:
    assert hinted([]) == Hint(None, 3600, (), hinted([]).version)
    assert hinted([circle("a", enabled=False)]).safe_radius_m is None
    assert hinted([circle("a", active_until_ms=T0)]).safe_radius_m is None


def test_a_geofence_that_opens_tomorrow_does_not_wake_the_phone_yet() -> None:
    assert hinted([circle("a", active_from_ms=T0 + 86_400_000)]).safe_radius_m is None
    soon = hinted([circle("a", active_from_ms=T0 + 600_000)])
    assert (soon.safe_radius_m, soon.next_ping_s) == (None, 600)
    assert hinted([circle("a", active_from_ms=T0 + 4_000)]).next_ping_s == 4


def test_a_cool_down_ends_with_a_ping_not_with_a_circle_of_nothing() -> None:
    cooling = Presence("a", inside=False, left_ms=T0 - 30_000, last_ms=T0)
    assert hinted([circle("a")], cooling, wake="circle").next_ping_s == 90
    assert hinted([circle("a"), circle("b", 2000.0)], cooling).safe_radius_m == pytest.approx(
        (2000 - 150 - 10) * SPHERE, abs=4
    )


def test_evidence_that_waits_asks_for_a_second_fix_soon() -> None:
    leaving = inside(pending=Pending("exit", T0 - 5_000, 60.0, 0.0))
    for wake in ("clock", "circle"):
        gone = hinted([circle("a")], leaving, north_m=250.0, wake=wake)
        assert (gone.safe_radius_m, gone.next_ping_s) == (0.0, 15)
    coming = Presence("a", inside=False, pending=Pending("enter", T0, -5.0, 0.6), last_ms=T0)
    assert hinted([circle("a")], coming, north_m=145.0).next_ping_s == 20
    strict = circle("a", profile=Profile("strict"))
    assert hinted([strict], coming, north_m=145.0).next_ping_s == 30, (
        "a minute is to be confirmed, with a look in between"
    )


def test_evidence_that_is_not_enough_yet_asks_again_until_more_of_it_proves_nothing() -> None:
    still = DeviceState(True, T0, T0 - 100_000, LAT + 250.0 / NORTH_M, LON)
    for fixes, wait_s in ((1.0, 30), (2.4, 30), (2.5, 200), (9.0, 200)):
        waits = inside(pending=Pending("exit", T0 - 60_000, 60.0, 0.9, 60.0, 4.0, 2.2, fixes, T0))
        assert (
            hinted([circle("a")], waits, north_m=250.0, wake="circle", before=still).next_ping_s
            == wait_s
        )
    coming = Presence(
        "a",
        inside=False,
        pending=Pending("enter", T0 - 60_000, -5.0, 0.6, 60.0, 0.4, 0.4, 1.6, T0),
        last_ms=T0,
    )
    assert (
        hinted([circle("a")], coming, north_m=145.0, wake="circle", before=still).next_ping_s == 30
    )


def test_a_phone_that_may_be_standing_still_is_asked_when_that_is_known() -> None:
    here = Spot(T0 - 30_000, LAT, LON)
    assert hinted([circle("a")], inside(stop=Stop(here)), wake="circle").next_ping_s == 110
    assert (
        hinted([circle("a")], inside(stop=Stop(here, reported=True)), wake="circle").next_ping_s
        == 1800
    )


def test_a_jump_asks_whether_the_phone_is_really_there() -> None:
    state = DeviceState(True, T0, T0 - 200_000, LAT + 1.0, LON, odd_ms=T0, odd_lat=LAT, odd_lon=LON)
    catalogue = Catalogue.build(1, Profile(), [circle("a", 5000.0)])
    assert hint(catalogue, state, Fix(T0, LAT, LON, 10.0), Wish(19, "circle")).next_ping_s == 20


@pytest.mark.parametrize("wake", ["clock", "circle"])
@pytest.mark.parametrize("timeout_s", [10, 60, 600, 3600, 86_400])
def test_inside_a_phone_is_asked_twice_within_the_time_of_silence(
    timeout_s: int, wake: Wake
) -> None:
    fence = circle(
        "a", radius_m=90_000.0, profile=Profile("balanced", presence_timeout_s=timeout_s)
    )
    assert hinted([fence], inside(), wake=wake).next_ping_s <= timeout_s / 2
    late = hinted([fence], inside(), wake=wake, now_s=timeout_s * 0.6)
    assert late.next_ping_s <= max(10, timeout_s * 0.2), (
        "the newest ping was old when it came: silence ends sooner"
    )


def test_a_phone_that_its_system_wakes_sleeps_until_it_leaves_the_circle() -> None:
    assert hinted([circle("a")], north_m=600.0, wake="circle").next_ping_s == 3600
    assert hinted([circle("a")], north_m=600.0).next_ping_s == 12
    assert hinted([circle("a")], inside(), wake="circle").next_ping_s == 1800


def asked_after(
    still_s: int,
    *presences: Presence,
    north_m: float = 180.0,
    moved_m: float = 0.0,
    accuracy_m: float = 10.0,
) -> int:
    """`next_ping_s` of a phone that has lain so long, so far north of a 150 m circle's middle."""
    before = DeviceState(True, T0, T0 - still_s * 1000, LAT + (north_m - moved_m) / NORTH_M, LON)
    return hinted(
        [circle("a")],
        *presences,
        north_m=north_m,
        wake="circle",
        before=before,
        accuracy_m=accuracy_m,
    ).next_ping_s


def test_next_to_a_border_a_phone_that_lies_still_is_asked_less_and_less() -> None:
    assert hinted([circle("a")], north_m=180.0, wake="circle").next_ping_s == 30
    assert [asked_after(s) for s in (5, 30, 60, 75, 900)] == [30, 60, 120, 150, 150]
    assert asked_after(900, moved_m=100.0) == 30
    assert asked_after(900, north_m=100.0) == 150, (
        "it may be inside already: a better fix would show it"
    )


def test_no_phone_sleeps_through_half_a_visit_of_five_minutes_that_its_system_cannot_notice() -> (
    None
):
    assert asked_after(900, north_m=259.0) == 150
    assert asked_after(900, north_m=259.0, accuracy_m=60.0) == 150
    assert asked_after(900, north_m=265.0) == 3600, "a circle of 100 m is noticed when it is left"


def test_next_to_the_way_out_alone_a_phone_that_lies_still_may_sleep_longer() -> None:
    here = inside()
    assert [asked_after(s, here, north_m=145.0) for s in (60, 240, 900)] == [120, 480, 900]
    assert asked_after(900, here, north_m=145.0, accuracy_m=60.0) == 300, (
        "it may be gone: a better fix would show it"
    )


def test_after_a_position_that_proves_nothing_the_next_one_may_show_anything() -> None:
    assert hinted([circle("a", 2000.0)], fix_north_m=4000.0).safe_radius_m == 0.0
    assert hinted([circle("a", 2000.0)]).safe_radius_m == pytest.approx(1840 * SPHERE, abs=4)


def test_near_a_pole_the_circle_does_not_reach_round_it() -> None:
    pole = Geofence("a", "a", {"type": "circle", "lat": -80.0, "lon": 0.0, "radius_m": 100})
    here = Fix(T0, 89.9, 0.0, 5.0)
    found = hint(
        Catalogue.build(1, Profile(), [pole]), DeviceState(True, T0, T0, 89.9, 0.0), here, Wish(19)
    )
    assert found.safe_radius_m == pytest.approx(0.1 * 110_574 * 0.45, abs=0.2)


def grid(rows: int = 10) -> list[Geofence]:
    return [circle(f"f{n:03}", north_m=300.0 * n, radius_m=100.0) for n in range(rows * 10)]


def test_the_list_is_the_nearest_for_the_phones_system_nearest_first() -> None:
    found = hinted(grid(), north_m=3020.0)
    assert found.geofences is not None
    assert len(found.geofences) == 19
    assert [one.geofence.uid for one in found.geofences][:3] == ["f010", "f011", "f009"]
    assert len(hinted(grid(), north_m=3020.0, watch=99).geofences or ()) == 99


def test_entered_geofences_are_always_in_the_list_since_a_phone_must_notice_that_it_leaves() -> (
    None
):
    found = hinted([*grid(), circle("mine", 20_000.0)], inside("mine"), north_m=3020.0)
    assert "mine" in [one.geofence.uid for one in found.geofences or ()]


def test_a_list_that_the_phone_has_is_not_sent_again_until_half_of_it_is_stale() -> None:
    first = hinted(grid(), north_m=3000.0)
    again = hinted(grid(), north_m=3000.0, version=first.version)
    assert (again.geofences, again.version) == (None, first.version)
    assert (again.safe_radius_m, again.next_ping_s) == (first.safe_radius_m, first.next_ping_s)
    walked = [
        hinted(grid(), north_m=3000.0 + 100.0 * n, version=first.version).geofences is None
        for n in range(30)
    ]
    assert walked[:12] == [True] * 12, (
        "a kilometre on, the nearer half of what matters is still in it"
    )
    assert not any(walked[20:])


def test_a_list_is_sent_again_when_a_geofence_in_it_changed_came_or_went() -> None:
    first = hinted(grid(), north_m=3000.0)
    moved = [circle("f010", 3010.0, 100.0) if fence.uid == "f010" else fence for fence in grid()]
    renewed = [circle("new", 3000.0, 100.0) if fence.uid == "f010" else fence for fence in grid()]
    for fences in (
        moved,
        renewed,
        [*grid(), circle("more", 3050.0)],
        [fence for fence in grid() if fence.uid != "f010"],
    ):
        found = hinted(fences, north_m=3000.0, version=first.version)
        assert found.geofences is not None
        assert found.version != first.version
    elsewhere = [*grid(), circle("far", 25_000.0)]
    assert hinted(elsewhere, north_m=3000.0, version=first.version).geofences is None, (
        "what is far away is not in it"
    )


def test_a_list_for_nineteen_is_not_good_for_ninety_nine() -> None:
    first = hinted(grid(), north_m=3000.0)
    assert (
        len(hinted(grid(), north_m=3000.0, watch=99, version=first.version).geofences or ()) == 99
    )


@pytest.mark.parametrize(
    "version", ["", "-", "x", "zz-aa", "-1-00", "f" * 400, "ffffffffffffffff-00", "1_0-\x00", "٣-٣"]
)
def test_a_version_that_was_never_ours_gets_a_whole_list(version: str) -> None:
    assert len(hinted(grid(), north_m=3000.0, version=version).geofences or ()) == 19


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (0.0, 0.0),
        (90.0, 180.0),
        (-90.0, -180.0),
        (48.20849, 16.37208),
        (-33.86, -70.6),
        (0.00005, -0.00005),
    ],
)
def test_a_version_knows_where_its_list_was_made(lat: float, lon: float) -> None:
    fences = [Geofence("a", "a", {"type": "circle", "lat": lat * 0.9, "lon": lon, "radius_m": 100})]
    catalogue, state = Catalogue.build(1, Profile(), fences), DeviceState(True, T0, T0, lat, lon)
    version = hint(catalogue, state, Fix(T0, lat, lon, 5.0), Wish(19)).version
    anchor = anchor_of(version)
    assert anchor == pytest.approx((lat, lon), abs=0.000051)
    assert (
        hint(catalogue, state, Fix(T0, lat, lon, 5.0), Wish(19, version=version)).geofences is None
    )


def test_the_list_names_no_geofence_that_the_phone_cannot_reach_within_a_day() -> None:
    fences = [circle("near", 5_000), circle("day", 990_000), circle("far", 1_010_000)]
    fences.append(
        Geofence("sea", "sea", {"type": "circle", "lat": -40, "lon": 170, "radius_m": 99})
    )
    made = hinted(fences)
    assert {one.geofence.uid for one in made.geofences or ()} == {"near", "day"}
    assert hinted(fences, version=made.version).geofences is None


def test_a_phone_far_from_everything_gets_an_empty_list_once_and_still_a_circle() -> None:
    fences = [circle(f"far-{n}", 2_000_000 + 1_000 * n) for n in range(30)]
    made = hinted(fences)
    assert made.geofences == ()
    assert made.safe_radius_m is not None
    assert made.safe_radius_m > 1_900_000
    assert hinted(fences, north_m=50.0, version=made.version).geofences is None


def test_a_phone_that_comes_nearer_gets_the_geofences_it_can_reach_now() -> None:
    fences = [circle("far", 1_200_000)]
    made = hinted(fences)
    assert made.geofences == ()
    there = hinted(fences, north_m=800_000.0, version=made.version)
    assert [one.geofence.uid for one in there.geofences or ()] == ["far"]
