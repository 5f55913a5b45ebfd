"""The streets of an invented town: a crooked grid, and the shortest way through it."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Spot = tuple[float, float]  # metres east and north of the town's centre
Link = tuple[int, int]

FLATTENING = 1 / 298.257223563
EQUATOR_M = 6_378_137.0


@dataclass(frozen=True, slots=True)
class Streets:
    """Crossings, and the streets between them.

    `names` holds the street name of each (lower, higher) pair of crossings.
    """

    spots: tuple[Spot, ...]
    links: tuple[tuple[int, ...], ...]
    names: dict[Link, str]

    def length_m(self, start: int, end: int) -> float:
        """The length of the street between two neighbouring crossings."""
        return math.dist(self.spots[start], self.spots[end])

    def way(self, start: int, end: int) -> list[int]:
        """The shortest way between two crossings, both included (Dijkstra 1959)."""
        best, came_from, queue = {start: 0.0}, {start: start}, [(0.0, start)]
        while queue:
            so_far_m, here = heapq.heappop(queue)
            if here == end:
                break
            for there in self.links[here]:
                total_m = so_far_m + self.length_m(here, there)
                if total_m < best.get(there, math.inf):
                    best[there], came_from[there] = total_m, here
                    heapq.heappush(queue, (total_m, there))
        way = [end]
        while way[-1] != start:
            way.append(came_from[way[-1]])
        return way[::-1]


def lay_streets(
    chance: random.Random, across: int, block_m: float, names: Sequence[str]
) -> Streets:
    """`across` x `across` crossings about `block_m` apart, with some streets missing.

    Every crossing is reachable: it keeps its street to the right or the one above, which lead to
    the town's edge, where no street is missing.
    """
    middle, turn = (across - 1) / 2, chance.uniform(-0.4, 0.4)
    spots = [
        _crooked(chance, column - middle, row - middle, block_m, turn)
        for row in range(across)
        for column in range(across)
    ]
    links: list[set[int]] = [set() for _ in spots]
    called: dict[Link, str] = {}
    for here in range(len(spots)):
        for there, name in _streets_from(chance, here, across, names):
            links[here].add(there)
            links[there].add(here)
            called[here, there] = name
    return Streets(tuple(spots), tuple(tuple(sorted(each)) for each in links), called)


def _streets_from(
    chance: random.Random, here: int, across: int, names: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """The streets to the right and upwards from a crossing, at most one of them missing."""
    row, column = divmod(here, across)
    missing = None
    if 0 < row < across - 1 and 0 < column < across - 1:
        missing = chance.choice((here + 1, here + across, None, None, None, None))
    if column < across - 1 and missing != here + 1:
        yield here + 1, names[row % len(names)]
    if row < across - 1 and missing != here + across:
        yield here + across, names[(across + column) % len(names)]


def _crooked(chance: random.Random, column: float, row: float, block_m: float, turn: float) -> Spot:
    x_m = (column + chance.gauss(0, 0.12)) * block_m
    y_m = (row + chance.gauss(0, 0.12)) * block_m
    return x_m * math.cos(turn) - y_m * math.sin(turn), x_m * math.sin(turn) + y_m * math.cos(turn)


def to_degrees(spot: Spot, lat: float, lon: float) -> tuple[float, float]:
    """(lat, lon) of a spot near a centre, in degrees.

    Uses the curvature radii of WGS84 at that latitude; exact to centimetres within a town.
    """
    eccentricity2 = FLATTENING * (2 - FLATTENING)
    w2 = 1 - eccentricity2 * math.sin(math.radians(lat)) ** 2
    north_m = EQUATOR_M * (1 - eccentricity2) / w2**1.5
    east_m = EQUATOR_M / math.sqrt(w2) * math.cos(math.radians(lat))
    return lat + math.degrees(spot[1] / north_m), lon + math.degrees(spot[0] / east_m)
