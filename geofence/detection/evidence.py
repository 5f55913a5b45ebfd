"""How much a fix proves: P(inside) from its stated accuracy and its distance to the edge.

The stated accuracy is the radius that holds 68 % of a two-dimensional Gaussian error (Android and
iOS say so), hence sigma = accuracy / 1.51 along any one direction. The region is seen as a strip of
its own thickness, 2 x inradius, which is right for edges that are long against sigma and careful
for small ones.

What several fixes prove is the sum of their logarithms of odds, as in a sequential test (Wald
1945), less what they have in common: the errors of one phone are alike for about a minute, part of
them stays as long as the phone stays in its room, and phones lie.
"""

from __future__ import annotations

from math import erfc, exp, log, sqrt

SURE = 0.8
LIKELY = 0.5
ACCURACY_TO_SIGMA = 1.51
MISSING_ACCURACY_M = 30.0
LEAST_SIGMA_M = 1.0
# at the centre of a strip of r_in = 1.3 sigma, p(inside) is 0.81: just enough to enter on one fix
THICKNESS_PER_SIGMA = 1.3

# of the error of a fix, exp(-t / 60 s) is still there t seconds later (a Gauss-Markov process, Gelb
# 1974)
ALIKE_S = 60.0
# half of the variance in a room does not wander at all: a day of its fixes is worth about two,
# never many
MOST_FIXES = 2.5
# odds of 99 to 1, ln 99: about one fix in a hundred is plainly wrong, whatever accuracy it claims,
MOST_PROOF = 4.6
# ... by up to about this much. One that would have to be wrong by more proves more, in proportion
LIE_M = 250.0
LEAVING = 11.0  # odds of 60,000 to 1: a phone at rest is judged half a million times a year

_ROOT2 = sqrt(2.0)


def sigma_m(accuracy_m: float | None) -> float:
    """Standard deviation along one direction, metres; a missing accuracy counts as 30 m."""
    accuracy = MISSING_ACCURACY_M if accuracy_m is None else accuracy_m
    return max(accuracy / ACCURACY_TO_SIGMA, LEAST_SIGMA_M)


def way_in_sigma_m(accuracy_m: float | None, inradius_m: float) -> float:
    """Sigma for the way in, capped so that a thin region stays enterable."""
    return min(sigma_m(accuracy_m), max(inradius_m / THICKNESS_PER_SIGMA, 0.01))


def probability_inside(edge_m: float, sigma: float, inradius_m: float) -> float:
    """P(inside) in [0, 1] of a fix `edge_m` from the edge (negative inside).

    `sigma` is the standard deviation of the fix in metres.
    """
    p = _phi(-edge_m / sigma) - _phi(-(edge_m + 2.0 * inradius_m) / sigma)
    return min(1.0, max(0.0, p))


def log_odds(p: float, beyond_m: float = 0.0) -> float:
    """What one fix proves of a statement that it makes `p` likely: bounded log odds.

    The bound grows with `beyond_m`, the error that the fix must have where the statement is false.
    """
    most = MOST_PROOF * max(1.0, beyond_m / LIE_M)
    odds = log(max(p, 1e-12) / max(1.0 - p, 1e-12))
    return max(-most, min(most, odds))


def novelty(gap_ms: int) -> float:
    """How much of a fix is new, `gap_ms` after another.

    0 at once, 0.28 after 20 s, 0.63 after a minute, 1 in the end.
    """
    return 1.0 - exp(-max(gap_ms, 0) / (1000.0 * ALIKE_S))


def effective_sum(total: float, fixes: float) -> float:
    """What is left of proofs that sum up to `total` over `fixes` new ones.

    Their mean, times as many as a room leaves independent.
    """
    return total * min(1.0, MOST_FIXES / fixes)


def _phi(x: float) -> float:
    return 0.5 * erfc(-x / _ROOT2)
