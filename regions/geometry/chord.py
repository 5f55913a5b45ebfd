"""From the straight line through the earth to the way along its surface.

The difference to the geodesic has a proven bound.
"""

from __future__ import annotations

import math

import numpy as np

from regions.geometry.ellipsoid import CURVATURE_MAX_M, CURVATURE_MIN_M, Floats

# A geodesic bends with a curvature between 1/CURVATURE_MAX_M and 1/CURVATURE_MIN_M, so (Schur's
# comparison of arcs) its length s for a chord c lies between the two circles' arcs. Their
# difference is c^3/24 (1/min^2 - 1/max^2) and higher terms; half of it remains against the circle
# in between. Torsion adds less than a nanometre at 200 km.
_BEND = (CURVATURE_MIN_M**-2 + CURVATURE_MAX_M**-2) / 2
_DIAMETER_M = 2 / math.sqrt(_BEND)
_SPREAD = (CURVATURE_MIN_M**-2 - CURVATURE_MAX_M**-2) / 48 * 1.2
_SLACK_M = 1e-5  # rounding of positions in space is 1e-8

FAR_M = 200_000.0  # beyond it the bound is not worth having: ask Geod


def arc_m(chord_m: Floats) -> Floats:
    """(n,) lengths along the surface for chords through the earth.

    Exact within `doubt_m` up to `FAR_M`.
    """
    return np.asarray(
        _DIAMETER_M * np.arcsin(np.minimum(chord_m / _DIAMETER_M, 1.0)), dtype=np.float64
    )


def arc_m_one(chord_m: float) -> float:
    """`arc_m` for one chord."""
    return _DIAMETER_M * math.asin(min(chord_m / _DIAMETER_M, 1.0))


def doubt_m(chord_m: Floats) -> Floats:
    """(n,) how far `arc_m` may be from the geodesic: 0.01 mm nearby, 1.3 cm at 100 km."""
    return chord_m * chord_m * chord_m * _SPREAD + _SLACK_M


def doubt_m_one(chord_m: float) -> float:
    """`doubt_m` for one chord."""
    return chord_m * chord_m * chord_m * _SPREAD + _SLACK_M
