"""The shapes of an index as rows: what an exact distance needs, by slot.

Rows are only added at the end. A grown copy shares the arrays while there is room, so adding one
fence among a million costs no copy, and readers of an older version never look beyond their own
end. Borders of areas are prepared at their first use and cached; two threads may prepare one twice,
and either result serves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from regions.geometry.boundary import Border, area_m2, covers, inradius_m
from regions.geometry.chord import FAR_M, arc_m
from regions.geometry.ellipsoid import (
    CURVATURE_MAX_M,
    CURVATURE_MIN_M,
    Floats,
    in_space,
    in_space_one,
)
from regions.geometry.geodesy import edge_of_chord_m, edge_of_chord_m_one
from regions.region import Area, Circle, Region

Slots = NDArray[np.int64]
Mask = NDArray[np.bool_]
T = TypeVar("T")
OfArea = Callable[[Border, Floats, Floats], Floats]

# latitude, longitude, radius, x, y, z; areas: centre and radius of a ball that contains them
_WIDTH = 6
_LAT, _LON, _RADIUS, _X, _Y, _Z = range(_WIDTH)
_NEAR_M = 100_000.0
_FAR_DIAMETER_M, _NEAR_DIAMETER_M = 2.0 * CURVATURE_MAX_M, 2.0 * CURVATURE_MIN_M
_HALF_AROUND_M = 20_004_000.0


class Shapes:
    """Circles as numbers, areas with their borders.

    Immutable to readers; grown by one writer at a time.
    """

    __slots__ = (
        "_areas",
        "_borders",
        "_inradius",
        "_is_area",
        "_lock",
        "_rows",
        "_used",
        "_view",
        "count",
    )

    def __init__(self) -> None:
        self._rows: Floats = np.empty((0, _WIDTH))
        self._is_area: Mask = np.empty(0, dtype=np.bool_)
        self._areas: dict[int, Area] = {}
        self._borders: dict[int, Border] = {}
        self._inradius: dict[int, float] = {}
        self._used = [0]
        self._lock = Lock()
        self.count = 0
        self._see()

    def _see(self) -> None:
        self._view = self._rows.reshape(-1).data

    @property
    def nbytes(self) -> int:
        """Bytes of the rows in use."""
        return self.count * (_WIDTH * 8 + 1)

    @property
    def areas(self) -> dict[int, Area]:
        """The areas by slot."""
        return self._own(self._areas)

    @property
    def balls(self) -> Floats:
        """(count, 3) latitude, longitude and radius of circles and of balls around areas."""
        return self._rows[: self.count, : _RADIUS + 1]

    @property
    def centres(self) -> Floats:
        """(count, 3) the balls' centres in space."""
        return self._rows[: self.count, _X:]

    def grown(self, lat: Floats, lon: Floats, radius_m: Floats, areas: dict[int, Area]) -> Shapes:
        """These shapes and (n,) more behind them.

        `areas` has those of them that are no circles, by row.
        """
        grown = Shapes()
        with self._lock:
            end = self.count + len(lat)
            if self._used[0] == self.count and end <= len(self._rows):
                self._share_with(grown)
            else:
                self._copy_to(grown, end + end // 16 + 16)
            part = slice(self.count, end)
            grown._rows[part] = np.stack([lat, lon, radius_m, *in_space(lat, lon)], axis=1)
            grown._is_area[part] = False
            for row, area in areas.items():
                grown._areas[self.count + row] = area
                grown._is_area[self.count + row] = True
            grown._used[0] = grown.count = end
        grown._see()
        return grown

    def _share_with(self, grown: Shapes) -> None:
        """Let both write into the same arrays."""
        grown._rows, grown._is_area = self._rows, self._is_area
        grown._used, grown._lock = self._used, self._lock
        grown._areas, grown._borders, grown._inradius = self._areas, self._borders, self._inradius

    def _copy_to(self, grown: Shapes, room: int) -> None:
        grown._rows, grown._is_area = np.empty((room, _WIDTH)), np.empty(room, dtype=np.bool_)
        grown._rows[: self.count] = self._rows[: self.count]
        grown._is_area[: self.count] = self._is_area[: self.count]
        grown._areas, grown._borders = self._own(self._areas), self._own(self._borders)
        grown._inradius = self._own(self._inradius)

    def _own(self, by_slot: dict[int, T]) -> dict[int, T]:
        """Without what another version, grown from the same one, has put behind our end."""
        return {slot: value for slot, value in list(by_slot.items()) if slot < self.count}

    def selected(self, slots: Slots) -> Shapes:
        """The shapes of some slots, in their order, renumbered from 0.

        What was prepared for areas goes along.
        """
        new = {int(old): row for row, old in enumerate(slots.tolist())} if self._areas else {}
        fresh = Shapes()
        fresh._rows, fresh._is_area = self._rows[slots], self._is_area[slots]
        fresh._areas = {new[old]: area for old, area in self.areas.items() if old in new}
        fresh._borders = {
            new[old]: border for old, border in self._own(self._borders).items() if old in new
        }
        fresh._inradius = {
            new[old]: found for old, found in self._own(self._inradius).items() if old in new
        }
        fresh._used[0] = fresh.count = len(slots)
        fresh._see()
        return fresh

    def region(self, slot: int) -> Region:
        """The region in a slot."""
        if not 0 <= slot < self.count:
            raise IndexError("no such slot")
        at = slot * _WIDTH
        return self._areas.get(slot) or Circle(
            self._view[at], self._view[at + _LON], self._view[at + _RADIUS]
        )

    def border(self, slot: int) -> Border:
        """The prepared border of the area in a slot."""
        found = self._borders.get(slot)
        if found is None:
            found = self._borders[slot] = Border(self._areas[slot].shape)
        return found

    def radius_m(self, slot: int) -> float:
        """A circle's radius, or that of the circle as large as the area."""
        area = self._areas.get(slot)
        return (
            math.sqrt(area_m2(area.shape) / math.pi)
            if area
            else float(self._view[slot * _WIDTH + _RADIUS])
        )

    def inradius_m(self, slot: int) -> float:
        """Radius of a large circle that fits inside."""
        area = self._areas.get(slot)
        if area is None:
            return float(self._view[slot * _WIDTH + _RADIUS])
        if slot not in self._inradius:
            self._inradius[slot] = inradius_m(area.shape, self.border(slot))
        return self._inradius[slot]

    def inside(self, lat: Floats, lon: Floats, slot: Slots) -> Mask:
        """(n,) the sign alone, much cheaper for areas."""
        return self._measured(lat, lon, slot, _sign_of_area) <= 0.0

    def edge_m(self, lat: Floats, lon: Floats, slot: Slots) -> Floats:
        """(n,) exact signed distances from each position to the region in its slot."""
        return self._measured(lat, lon, slot, Border.edge_m)

    def _measured(self, lat: Floats, lon: Floats, slot: Slots, of_area: OfArea) -> Floats:
        is_area = self._is_area[slot] if self._areas else None
        if is_area is None or not is_area.any():
            return self._circle_edge_m(lat, lon, slot)
        edge = np.empty(len(lat))
        circles = np.nonzero(~is_area)[0]
        edge[circles] = self._circle_edge_m(lat[circles], lon[circles], slot[circles])
        rows = np.nonzero(is_area)[0]
        rows = rows[np.argsort(slot[rows], kind="stable")]
        for part in np.split(rows, np.nonzero(np.diff(slot[rows]))[0] + 1):
            edge[part] = of_area(self.border(int(slot[part[0]])), lat[part], lon[part])
        return edge

    def _circle_edge_m(self, lat: Floats, lon: Floats, slot: Slots) -> Floats:
        """(n,) signed distances to circles."""
        to_lat, to_lon, radius, x, y, z = self._rows.take(slot, axis=0).T
        here = _in_space_once(lat, lon)
        chord = np.sqrt((here[0] - x) ** 2 + (here[1] - y) ** 2 + (here[2] - z) ** 2)
        return edge_of_chord_m(chord, lat, lon, to_lat, to_lon, radius)

    def edge_m_one(self, lat: float, lon: float, slot: int) -> float:
        """`edge_m` for one pair."""
        if slot in self._areas:
            return float(self.border(slot).edge_m(np.array([lat]), np.array([lon]))[0])
        at = slot * _WIDTH
        to_lat, to_lon, radius, x, y, z = self._view[at : at + _WIDTH]
        chord = math.dist(in_space_one(lat, lon), (x, y, z))
        return edge_of_chord_m_one(chord, lat, lon, to_lat, to_lon, radius)

    def floor_m(self, at: Floats, slots: Slots) -> Floats:
        """(n,) lower bounds of the edge distances of some slots from a point in space."""
        rows = self._rows.take(slots, axis=0)
        return floor_m(lengths(rows[:, _X:] - at)) - rows[:, _RADIUS]

    def ceiling_m(self, at: Floats, slots: Slots) -> Floats:
        """(n,) upper bounds of the same. Some point of an area's border lies within its ball."""
        rows = self._rows.take(slots, axis=0)
        radius = rows[:, _RADIUS]
        return ceiling_m(lengths(rows[:, _X:] - at)) + (
            np.where(self._is_area[slots], radius, -radius) if self._areas else -radius
        )


def _in_space_once(lat: Floats, lon: Floats) -> tuple[Floats, Floats, Floats]:
    """`in_space` for pairs as candidates come.

    A ping that is near ten regions stands there ten times in a row.
    """
    if len(lat) < 2:
        return in_space(lat, lon)
    fresh = np.empty(len(lat), dtype=np.bool_)
    fresh[0] = True
    np.not_equal(lat[1:], lat[:-1], out=fresh[1:])
    fresh[1:] |= lon[1:] != lon[:-1]
    first = np.nonzero(fresh)[0]
    if 2 * len(first) > len(lat):
        return in_space(lat, lon)
    x, y, z = in_space(lat[first], lon[first])
    of = np.cumsum(fresh) - 1
    return x[of], y[of], z[of]


def lengths(vectors: Floats) -> Floats:
    """(n,) lengths of (n, 3) vectors."""
    x, y, z = vectors.T
    return np.asarray(np.sqrt(x * x + y * y + z * z), dtype=np.float64)


def ceiling_m(chord: Floats) -> Floats:
    """(n,) upper bounds of the way along the surface.

    The arc of the most curved circle; no way is longer than half around.
    """
    arc = _NEAR_DIAMETER_M * np.arcsin(np.minimum(chord / _NEAR_DIAMETER_M, 1.0)) + 0.001
    return np.asarray(
        np.where(chord < 0.95 * _NEAR_DIAMETER_M, arc, _HALF_AROUND_M), dtype=np.float64
    )


def floor_m(chord: Floats) -> Floats:
    """(n,) lower bounds of the way along the surface between points so far apart through the earth.

    No way is shorter than its chord; nearby that is all but a metre. Up to FAR_M the bound on arcs
    holds. Beyond, a way is at least as long as the arc of the flattest circle on the earth, but for
    its torsion, which a thousandth covers more than ten times over.
    """
    if not len(chord) or chord.max() < _NEAR_M:
        return chord
    far = 0.999 * _FAR_DIAMETER_M * np.arcsin(np.minimum(chord / _FAR_DIAMETER_M, 1.0))
    return np.asarray(
        np.where(chord > FAR_M, np.maximum(far, chord), np.maximum(arc_m(chord) - 0.2, chord)),
        dtype=np.float64,
    )


def _sign_of_area(border: Border, lat: Floats, lon: Floats) -> Floats:
    return np.where(covers(border.shape, lat, lon), -1.0, 1.0)
