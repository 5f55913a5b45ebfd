"""WGS84.

Its axes, its curvature, positions in space, and the area under straight lines in longitude and
latitude.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

AXIS_M = 6378137.0
FLATTENING = 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
CURVATURE_MIN_M = AXIS_M * (1 - E2)  # the meridian at the equator
CURVATURE_MAX_M = AXIS_M / math.sqrt(1 - E2)  # everything at the poles

_GAUSS_X, _GAUSS_W = np.polynomial.legendre.leggauss(5)


def in_space(lat: ArrayLike, lon: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Earth-centred x, y, z in metres of positions on the ellipsoid, in degrees."""
    phi, lam = (
        np.radians(np.asarray(lat, dtype=np.float64)),
        np.radians(np.asarray(lon, dtype=np.float64)),
    )
    sin, cos = np.sin(phi), np.cos(phi)
    prime = AXIS_M / np.sqrt(1 - E2 * sin * sin)
    return prime * cos * np.cos(lam), prime * cos * np.sin(lam), prime * (1 - E2) * sin


def in_space_one(lat: float, lon: float) -> tuple[float, float, float]:
    """`in_space` for one position, without numpy."""
    phi, lam = math.radians(lat), math.radians(lon)
    sin = math.sin(phi)
    prime = AXIS_M / math.sqrt(1 - E2 * sin * sin)
    level = prime * math.cos(phi)
    return level * math.cos(lam), level * math.sin(lam), prime * (1 - E2) * sin


def metres_per_degree(lat: ArrayLike) -> tuple[Floats, Floats]:
    """Metres per degree of latitude and of longitude at a latitude."""
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    w2 = 1 - E2 * np.sin(phi) ** 2
    degree = math.pi / 180
    return degree * AXIS_M * (1 - E2) / w2**1.5, degree * AXIS_M / np.sqrt(w2) * np.cos(phi)


def ring_area_m2(lat: Floats, lon: Floats) -> float:
    """Signed area in square metres inside a closed ring of straight lines in lon/lat.

    Counter-clockwise is positive. The strip between the equator and an edge has area a^2/2 *
    integral of q(lat) d(lon), q being the authalic function (Snyder, Map Projections: A Working
    Manual, 3-12); five Gauss points along each edge integrate it.
    """
    along = (_GAUSS_X + 1) / 2
    phi = np.radians(lat[:-1, None] + (lat[1:] - lat[:-1])[:, None] * along)
    e, sin = math.sqrt(E2), np.sin(phi)
    q = (1 - E2) * (sin / (1 - E2 * sin * sin) + np.arctanh(e * sin) / e)
    return float(-np.sum(np.radians(np.diff(lon)) * (q @ (_GAUSS_W / 2)))) * AXIS_M**2 / 2
