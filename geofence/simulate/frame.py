"""Metres east and north of a centre, and degrees: arrays in, arrays out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from geofence.model.ping import Floats
from geofence.simulate.streets import EQUATOR_M, FLATTENING

_E2 = FLATTENING * (2.0 - FLATTENING)


@dataclass(frozen=True, slots=True)
class Frame:
    """A flat map around a centre (degrees WGS84), good to centimetres within a town."""

    lat: float
    lon: float

    def degrees(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """(lat, lon) of spots `x_m` east and `y_m` north of the centre."""
        north_m, east_m = self._per_degree()
        return self.lat + y_m / north_m, self.lon + x_m / east_m

    def metres(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """(x_m, y_m) of places in degrees."""
        north_m, east_m = self._per_degree()
        return (lon - self.lon) * east_m, (lat - self.lat) * north_m

    def _per_degree(self) -> tuple[float, float]:
        north_m, east_m = radii_m(np.float64(self.lat))
        return math.radians(float(north_m)), math.radians(
            float(east_m) * math.cos(math.radians(self.lat))
        )


def radii_m(lat: Floats | np.float64) -> tuple[Floats, Floats]:
    """The radii of curvature at a latitude, along the meridian and across it, in metres."""
    w2 = 1.0 - _E2 * np.sin(np.radians(lat)) ** 2
    return EQUATOR_M * (1.0 - _E2) / w2**1.5, EQUATOR_M / np.sqrt(w2)
