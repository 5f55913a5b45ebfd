"""Scenarios of movement: asleep at home, at work, in town, or passing through."""

from __future__ import annotations

import math
from collections.abc import Callable

from geofence.simulate.noise import DAY_S
from geofence.simulate.paths import INDOORS, Path, Trail, still
from geofence.simulate.streets import Spot
from geofence.simulate.town import Chance, Goal, Town

HOUR_S = 3_600.0
WALK_MPS, DRIVE_MPS, PASS_MPS = (1.1, 1.7), (7.0, 14.0), (8.0, 25.0)
SHOP_S = (60.0, 2_400.0)  # from fetching a coffee to the week's groceries
EDGE_M = 20.0

Scenario = Callable[[Town, Chance, float], Path]


def still_home(town: Town, chance: Chance, seconds: float) -> Path:
    """A phone on a bedside table, inside no geofence."""
    return still(town.streets.spots[chance.choice(town.homes)], seconds)


def still_work(town: Town, chance: Chance, seconds: float) -> Path:
    """A phone on a desk inside a geofence, anywhere in the inner half of it."""
    return still(_within(town, chance, chance.choice(town.goals), 0.0, 0.5), seconds)


def still_edge(town: Town, chance: Chance, seconds: float) -> Path:
    """A phone on a desk within 20 m of a geofence's edge, on either side."""
    goal, turn = chance.choice(town.goals), chance.uniform(0.0, 2.0 * math.pi)
    reach_m = town.depth_m(goal, turn) + chance.uniform(-EDGE_M, EDGE_M)
    return still(_step(goal.spot, reach_m, turn), seconds)


def commuter(town: Town, chance: Chance, seconds: float) -> Path:
    """Home, a drive, work, lunch in a shop nearby, work, the supermarket, home; day after day."""
    home = chance.choice(town.homes)
    desk = chance.choice(town.goals)
    office = town.streets.spots[desk.crossing]
    if chance.random() < 0.5:  # half of them work inside a geofence: in a back room, or above
        office = _within(town, chance, desk, 0.0, 0.8)
    trail = Trail(town.streets.spots[home])
    day = 0
    while trail.at_s < seconds:
        trail.linger_until(day * DAY_S + chance.gauss(7.5, 0.4) * HOUR_S, INDOORS)
        _work(town, trail, chance, home, desk, office, day * DAY_S)
        _way_home(town, trail, chance, desk, home)
        day += 1
    return trail.path(seconds)


def shopper(town: Town, chance: Chance, seconds: float) -> Path:
    """At home until midday, some hours in town, home again; day after day."""
    home = chance.choice(town.homes)
    trail = Trail(town.streets.spots[home])
    day = 0
    while trail.at_s < seconds:
        trail.linger_until(day * DAY_S + chance.uniform(9.0, 16.0) * HOUR_S, INDOORS)
        begun = chance.choice(town.goals).crossing
        travel(town, trail, chance, home, begun, chance.uniform(*DRIVE_MPS))
        ended = _chores(town, trail, chance, begun, trail.at_s + chance.uniform(1.0, 3.0) * HOUR_S)
        travel(town, trail, chance, ended, home, chance.uniform(*DRIVE_MPS))
        day += 1
    return trail.path(seconds)


def trip(town: Town, chance: Chance, seconds: float) -> Path:
    """In town all the time, on foot: in and out of shops, past others."""
    begun = chance.choice(town.goals).crossing
    trail = Trail(town.streets.spots[begun])
    _chores(town, trail, chance, begun, seconds)
    return trail.path(seconds)


def passes(town: Town, chance: Chance, seconds: float) -> Path:
    """Through the streets at 8 to 25 m/s, past shops and out at the other end, never into one."""
    here = chance.choice(town.homes)
    trail = Trail(town.streets.spots[here])
    while trail.at_s < seconds:
        there = (
            chance.choice(town.goals).crossing
            if chance.random() < 0.8
            else chance.choice(town.homes)
        )
        travel(town, trail, chance, here, there, chance.uniform(*PASS_MPS))
        trail.linger(chance.uniform(5.0, 40.0), town.around(trail.spot))
        here = there
    return trail.path(seconds)


SCENARIOS: dict[str, Scenario] = {
    "commuter": commuter,
    "shopper": shopper,
    "trip": trip,
    "passes": passes,
    "still-home": still_home,
    "still-work": still_work,
    "still-edge": still_edge,
}


def travel(
    town: Town, trail: Trail, chance: Chance, start: int, end: int, speed_mps: float
) -> None:
    """Along the shortest way between two crossings, with a red light now and then."""
    for crossing in town.streets.way(start, end):
        spot = town.streets.spots[crossing]
        trail.go(spot, speed_mps, town.around(spot))
        if chance.random() < 0.1:
            trail.linger(chance.uniform(5.0, 40.0), town.around(spot))


def shop(town: Town, trail: Trail, chance: Chance, goal: Goal, seconds: float) -> None:
    """From the crossing into a shop, about its aisles, and back to the crossing."""
    corner = town.streets.spots[goal.crossing]
    trail.go(corner, chance.uniform(*WALK_MPS), town.around(corner))
    trail.go(goal.spot, chance.uniform(*WALK_MPS), town.around(goal.spot))
    until_s = trail.at_s + seconds
    while trail.at_s < until_s:
        trail.linger(min(chance.uniform(20.0, 120.0), until_s - trail.at_s), INDOORS)
        trail.go(
            _step(goal.spot, chance.uniform(0.0, 12.0), chance.uniform(0.0, 2.0 * math.pi)),
            0.8,
            INDOORS,
        )
    trail.go(corner, chance.uniform(*WALK_MPS), town.around(corner))


def _chores(town: Town, trail: Trail, chance: Chance, here: int, until_s: float) -> int:
    """Shop after shop on foot, with a pause now and then; returns the last crossing."""
    speed_mps = chance.uniform(*WALK_MPS)
    while trail.at_s < until_s:
        goal = chance.choice(town.goals_near(trail.spot, 1_200.0))
        travel(town, trail, chance, here, goal.crossing, speed_mps)
        if chance.random() < 0.75:
            low_s, high_s = map(math.log, SHOP_S)
            shop(town, trail, chance, goal, math.exp(chance.uniform(low_s, high_s)))
        else:
            trail.linger(chance.uniform(20.0, 300.0), town.around(trail.spot))
        here = goal.crossing
    return here


def _work(
    town: Town, trail: Trail, chance: Chance, home: int, desk: Goal, office: Spot, midnight_s: float
) -> None:
    """From home to the office, a lunch break, and back to the crossing by five o'clock."""
    travel(town, trail, chance, home, desk.crossing, chance.uniform(*DRIVE_MPS))
    trail.go(office, chance.uniform(*WALK_MPS), town.around(office))
    trail.linger_until(midnight_s + chance.gauss(12.0, 0.3) * HOUR_S, INDOORS)
    _lunch(town, trail, chance, desk, office)
    trail.linger_until(midnight_s + chance.gauss(17.0, 0.4) * HOUR_S, INDOORS)
    trail.go(town.streets.spots[desk.crossing], chance.uniform(*WALK_MPS), town.around(office))


def _way_home(town: Town, trail: Trail, chance: Chance, desk: Goal, home: int) -> None:
    """From the crossing at work home, by way of the supermarket."""
    market = chance.choice(town.goals)
    travel(town, trail, chance, desk.crossing, market.crossing, chance.uniform(*DRIVE_MPS))
    shop(town, trail, chance, market, chance.uniform(600.0, 2_400.0))
    travel(town, trail, chance, market.crossing, home, chance.uniform(*DRIVE_MPS))


def _lunch(town: Town, trail: Trail, chance: Chance, desk: Goal, office: Spot) -> None:
    corner = town.streets.spots[desk.crossing]
    goal = chance.choice(town.goals_near(corner, 900.0))
    speed_mps = chance.uniform(*WALK_MPS)
    trail.go(corner, speed_mps, town.around(corner))
    travel(town, trail, chance, desk.crossing, goal.crossing, speed_mps)
    shop(town, trail, chance, goal, chance.uniform(300.0, 1_500.0))
    travel(town, trail, chance, goal.crossing, desk.crossing, speed_mps)
    trail.go(office, speed_mps, town.around(office))


def _within(town: Town, chance: Chance, goal: Goal, least: float, most: float) -> Spot:
    """A spot between these shares of the way from a goal to its geofence's edge.

    Spots are uniform over the area.
    """
    turn = chance.uniform(0.0, 2.0 * math.pi)
    share = math.sqrt(chance.uniform(least * least, most * most))
    return _step(goal.spot, share * town.depth_m(goal, turn), turn)


def _step(spot: Spot, metres: float, turn: float) -> Spot:
    return spot[0] + metres * math.cos(turn), spot[1] + metres * math.sin(turn)
