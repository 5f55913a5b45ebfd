"""How much a fix proves: the probability that a phone is inside, from its stated accuracy and its distance to the edge.

The stated accuracy is the radius that holds 68 % of a two-dimensional Gaussian error (Android and iOS say so), hence
sigma = accuracy / 1.51 along any one direction. The region is seen as a strip of its own thickness, 2 x inradius, which
is right for edges that are long against sigma and careful for small ones.
"""

from __future__ import annotations

from math import erfc, sqrt

SURE = 0.8
LIKELY = 0.5
ACCURACY_TO_SIGMA = 1.51
MISSING_ACCURACY_M = 30.0
LEAST_SIGMA_M = 1.0
THICKNESS_PER_SIGMA = 1.3  # at the centre of a strip of r_in = 1.3 sigma, p(inside) is 0.81: just enough to enter on one fix

_ROOT2 = sqrt(2.0)


def sigma_m(accuracy_m: float | None) -> float:
    """Standard deviation along one direction, metres; a missing accuracy counts as 30 m."""
    accuracy = MISSING_ACCURACY_M if accuracy_m is None else accuracy_m
    return max(accuracy / ACCURACY_TO_SIGMA, LEAST_SIGMA_M)


def way_in_sigma_m(accuracy_m: float | None, inradius_m: float) -> float:
    """Sigma for the way in, capped so that a thin region stays enterable."""
    return min(sigma_m(accuracy_m), max(inradius_m / THICKNESS_PER_SIGMA, LEAST_SIGMA_M))


def probability_inside(edge_m: float, sigma: float, inradius_m: float) -> float:
    """P(inside) in [0, 1] of a fix `edge_m` from the edge (negative inside), with standard deviation `sigma` metres."""
    p = _phi(-edge_m / sigma) - _phi(-(edge_m + 2.0 * inradius_m) / sigma)
    return min(1.0, max(0.0, p))


def _phi(x: float) -> float:
    return 0.5 * erfc(-x / _ROOT2)
