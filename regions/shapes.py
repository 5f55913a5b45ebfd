"""The shapes of an index as columns: what an exact distance needs, by slot.

Columns only grow at their end. A grown copy shares the arrays while there is room, so adding one fence among a million
costs no copy, and readers of an older version never look beyond their own end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from regions.border import Border, area_m2, covers, inradius_m
from regions.chord import FAR_M, arc_m
from regions.ellipsoid import Floats, in_space, in_space_one
from regions.geodesy import edge_of_chord_m, edge_of_chord_m_one
from regions.region import Area, Circle, Region

Slots = NDArray[np.int64]
T = TypeVar("T")
OfArea = Callable[[Border, Floats, Floats], Floats]

_LAT, _LON, _RADIUS, _X, _Y, _Z, _IS_AREA = range(7)  # areas: centre and radius of a ball that holds them


class Shapes:
    """Circles as numbers, areas with their borders. Immutable to readers; grown by one writer at a time."""

    __slots__ = ("_areas", "_borders", "_columns", "_inradius", "_lock", "_used", "_views", "count")

    def __init__(self) -> None:
        self._columns: Floats = np.empty((7, 0))
        self._views = [column.data for column in self._columns]
        self._areas: dict[int, Area] = {}
        self._borders: dict[int, Border] = {}
        self._inradius: dict[int, float] = {}
        self._used = [0]
        self._lock = Lock()
        self.count = 0

    @property
    def nbytes(self) -> int:
        """Bytes held by the columns."""
        return self._columns.nbytes

    def grown(self, added: Sequence[Region], borders: Sequence[Border | None]) -> Shapes:
        """These shapes and the added ones behind them; `borders` (`borders_of`) has one for each area."""
        grown = Shapes()
        with self._lock:
            end = self.count + len(added)
            roomy = self._used[0] == self.count and end <= self._columns.shape[1]
            if roomy:
                grown._columns, grown._views, grown._used, grown._lock = self._columns, self._views, self._used, self._lock
                grown._areas, grown._borders, grown._inradius = self._areas, self._borders, self._inradius
            else:
                grown._columns = np.empty((7, end if not self.count else end + end // 8 + 16))
                grown._columns[:, : self.count] = self._columns[:, : self.count]
                grown._views = [column.data for column in grown._columns]
                grown._areas, grown._borders, grown._inradius = self._own(self._areas), self._own(self._borders), self._own(self._inradius)
            grown._write(self.count, added, borders)
            grown._used[0] = grown.count = end
        return grown

    def _write(self, start: int, added: Sequence[Region], borders: Sequence[Border | None]) -> None:
        rows = np.array([_ball(region, border) for region, border in zip(added, borders, strict=True)], dtype=np.float64).reshape(-1, 3)
        part = slice(start, start + len(added))
        self._columns[_LAT : _RADIUS + 1, part] = rows.T
        self._columns[_X : _Z + 1, part] = in_space(rows[:, 0], rows[:, 1])
        self._columns[_IS_AREA, part] = [border is not None for border in borders]
        for slot, (region, border) in enumerate(zip(added, borders, strict=True), start):
            if isinstance(region, Area) and border is not None:
                self._areas[slot], self._borders[slot] = region, border

    def _own(self, by_slot: dict[int, T]) -> dict[int, T]:
        """Without what another version, grown from the same one, has put behind our end."""
        return {slot: value for slot, value in by_slot.items() if slot < self.count}

    def region(self, slot: int) -> Region:
        """The region in a slot."""
        lat, lon, radius = (view[slot] for view in self._views[: _RADIUS + 1])
        return self._areas.get(slot) or Circle(lat, lon, radius)

    def radius_m(self, slot: int) -> float:
        """A circle's radius, or that of the circle as large as the area."""
        area = self._areas.get(slot)
        return math.sqrt(area_m2(area.shape) / math.pi) if area else float(self._views[_RADIUS][slot])

    def inradius_m(self, slot: int) -> float:
        """Radius of a large circle that fits inside."""
        area = self._areas.get(slot)
        if area is None:
            return float(self._views[_RADIUS][slot])
        if slot not in self._inradius:
            self._inradius[slot] = inradius_m(area.shape, self._borders[slot])
        return self._inradius[slot]

    def inside(self, lat: Floats, lon: Floats, slot: Slots) -> NDArray[np.bool_]:
        """(n,) the sign alone, much cheaper for areas."""
        return self._measured(lat, lon, slot, _sign_of_area) <= 0.0

    def edge_m(self, lat: Floats, lon: Floats, slot: Slots) -> Floats:
        """(n,) exact signed distances from each position to the region in its slot."""
        return self._measured(lat, lon, slot, Border.edge_m)

    def _measured(self, lat: Floats, lon: Floats, slot: Slots, of_area: OfArea) -> Floats:
        to_lat, to_lon, radius, x, y, z, kind = self._columns[:, slot]
        here = in_space(lat, lon)
        chord = np.sqrt((here[0] - x) ** 2 + (here[1] - y) ** 2 + (here[2] - z) ** 2)
        is_area = kind > 0.0
        if not is_area.any():
            return edge_of_chord_m(chord, lat, lon, to_lat, to_lon, radius)
        edge = np.empty(len(lat))
        round_ = ~is_area
        edge[round_] = edge_of_chord_m(chord[round_], lat[round_], lon[round_], to_lat[round_], to_lon[round_], radius[round_])
        rows = np.nonzero(is_area)[0]
        rows = rows[np.argsort(slot[rows], kind="stable")]
        for part in np.split(rows, np.nonzero(np.diff(slot[rows]))[0] + 1):
            edge[part] = of_area(self._borders[int(slot[part[0]])], lat[part], lon[part])
        return edge

    def edge_m_one(self, lat: float, lon: float, slot: int) -> float:
        """`edge_m` for one pair."""
        if slot in self._areas:
            return float(self._borders[slot].edge_m(np.array([lat]), np.array([lon]))[0])
        to_lat, to_lon, radius, x, y, z, _ = self._views
        chord = math.dist(in_space_one(lat, lon), (x[slot], y[slot], z[slot]))
        return edge_of_chord_m_one(chord, lat, lon, to_lat[slot], to_lon[slot], radius[slot])

    def floor_m(self, lat: float, lon: float) -> Floats:
        """(count,) lower bounds of the edge distances of every slot from one position."""
        x, y, z = in_space_one(lat, lon)
        columns = self._columns[:, : self.count]
        chord = np.sqrt((columns[_X] - x) ** 2 + (columns[_Y] - y) ** 2 + (columns[_Z] - z) ** 2)
        # up to FAR_M the bound on arcs holds; beyond, an arc through the earth's smallest circle is short by under 1 %
        away = np.where(chord > FAR_M, np.maximum(0.985 * arc_m(chord), chord), arc_m(chord) - 0.2)
        return np.asarray(away - columns[_RADIUS], dtype=np.float64)


def _sign_of_area(border: Border, lat: Floats, lon: Floats) -> Floats:
    return np.where(covers(border.shape, lat, lon), -1.0, 1.0)


def borders_of(regions: Sequence[Region]) -> list[Border | None]:
    """The prepared border of each area, None for circles."""
    return [Border(region.shape) if isinstance(region, Area) else None for region in regions]


def _ball(region: Region, border: Border | None) -> tuple[float, float, float]:
    """Latitude, longitude and radius of the circle, or of a ball around the area."""
    if isinstance(region, Circle):
        return region.lat, region.lon, region.radius_m
    if border is None:
        raise ValueError("an area comes with its border")
    return _area_ball(border)


def _area_ball(border: Border) -> tuple[float, float, float]:
    lat, lon = border.samples(max(1.0, border.perimeter_m / 256))
    middle = np.mean(np.stack(in_space(lat, lon)), axis=1)
    c_lat = math.degrees(math.atan2(middle[2], math.hypot(middle[0], middle[1]) * 0.99330562))
    c_lon = math.degrees(math.atan2(middle[1], middle[0]))
    chord = np.linalg.norm(np.stack(in_space(lat, lon), axis=1) - np.array(in_space_one(c_lat, c_lon)), axis=1)
    return c_lat, c_lon, float(arc_m(chord).max()) + border.perimeter_m / 256 + 1.0
