"""Fences in improbable places.

In the open sea, at 0,0, or where a mistake with their coordinates would put them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import tzfpy
from numpy.typing import NDArray

from regions.geometry.ellipsoid import Floats
from regions.lint.proximity import Fences, Ints

Mask = NDArray[np.bool_]

_HOME = 0.01  # degrees around 0,0
_SMALL_M = 5_000.0  # a larger fence reaches land from far
_SIDE = 2.0  # degrees: the squares in which fences are at home
_AMONG = 5  # others near the other reading, at least
# of all fences at most lie near a misplaced one, and on its side of the equator or of Greenwich
_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Fences near 0,0, and those in the open sea elsewhere."""

    null_island: Ints
    sea: Ints


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A fence that another reading of its coordinates would bring among `others` fences.

    `code` is `swapped` (the pair) or `flipped` (a sign).
    """

    code: str
    fence: int
    others: int


def at_sea(fences: Fences) -> Nowhere:
    """Fences at 0,0 or in the open sea.

    The sea is where the time zone map has only zones by longitude (`Etc/GMT+2`): no country's
    waters are near.
    """
    home = (np.abs(fences.lat) < _HOME) & (np.abs(fences.lon) < _HOME)
    zones = [
        tzfpy.get_tz(lon, lat)
        for lat, lon in zip(fences.lat.tolist(), fences.lon.tolist(), strict=True)
    ]
    wet = np.array([zone.startswith("Etc/GMT") for zone in zones], dtype=bool) & ~home
    for nth in np.nonzero(wet & ~fences.round)[0].tolist():
        wet[nth] = _is_wet(fences, nth)
    return Nowhere(np.nonzero(home)[0], np.nonzero(wet & (fences.reach_m <= _SMALL_M))[0])


def _is_wet(fences: Fences, nth: int) -> bool:
    """Whether an area's interior point and its first corners lie in the open sea."""
    point = shapely.point_on_surface(fences.shape[nth])
    corners = fences.corners[fences.corner_of == nth][:100].tolist()
    places = [(point.x, point.y), *corners]
    return all(tzfpy.get_tz(x, y).startswith("Etc/GMT") for x, y in places)


def misplaced(fences: Fences, nowhere: Nowhere) -> list[Misplaced]:
    """Lonely fences that another reading of their coordinates brings where many others are.

    A chain with branches all over the world can have a lonely branch whose mirror image lies among
    others by chance: a sign is only doubted where hardly any other fence has it.
    """
    few = max(1.0, _SHARE * len(fences.names))
    count = np.ones(len(fences.names), dtype=np.int64)
    count[nowhere.null_island] = 0
    squares = _Squares(fences.lat, fences.lon, count)
    alone = squares.around(fences.lat, fences.lon)
    lonely = (alone <= few) & (count > 0)
    found: dict[int, Misplaced] = {}
    for code, lat, lon, doubtful in _other_readings(fences, count, few):
        others = squares.around(lat, lon)
        doubtful &= lonely & (np.abs(lat) <= 90.0) & (others >= np.maximum(_AMONG, 20 * alone))
        for nth in np.nonzero(doubtful)[0].tolist():
            found.setdefault(nth, Misplaced(code, nth, int(others[nth])))
    return [found[nth] for nth in sorted(found)]


def _other_readings(
    fences: Fences, count: Ints, few: float
) -> list[tuple[str, Floats, Floats, Mask]]:
    """Code, latitudes, longitudes, and the fences for which the reading comes into question."""
    lat, lon = fences.lat, fences.lon
    rare_lat, rare_lon = (_side_count(side, count) <= few for side in (lat, lon))
    return [
        ("swapped", lon, lat, np.ones(len(lat), dtype=bool)),
        ("flipped", lat, -lon, rare_lon),
        ("flipped", -lat, lon, rare_lat),
        ("flipped", -lat, -lon, rare_lat & rare_lon),
    ]


def _side_count(degrees: Floats, count: Ints) -> Ints:
    """(n,) how many fences lie on the same side of 0 as each."""
    east = int(count[degrees > 0].sum())
    return np.where(degrees > 0, east, int(count.sum()) - east)


class _Squares:
    """Numbers of fences in the squares of a grid of degrees, and in the nine around a position."""

    def __init__(self, lat: Floats, lon: Floats, count: Ints) -> None:
        self._rows, self._columns = int(180 / _SIDE), int(360 / _SIDE)
        self._count = np.zeros((self._rows, self._columns), dtype=np.int64)
        np.add.at(self._count, self._at(lat, lon), count)
        wide = np.concatenate([self._count[:, -1:], self._count, self._count[:, :1]], axis=1)
        tall = np.pad(wide, ((1, 1), (0, 0)))
        self._nine = np.sum(
            [tall[i : i + self._rows, j : j + self._columns] for i in range(3) for j in range(3)],
            axis=0,
        )

    def _at(self, lat: Floats, lon: Floats) -> tuple[Ints, Ints]:
        row = np.clip(np.floor((lat + 90.0) / _SIDE), 0, self._rows - 1).astype(np.int64)
        column = (np.floor((lon + 180.0) / _SIDE).astype(np.int64)) % self._columns
        return row, column

    def around(self, lat: Floats, lon: Floats) -> Ints:
        """(n,) fences in the nine squares around each position."""
        return np.asarray(self._nine[self._at(lat, lon)])
