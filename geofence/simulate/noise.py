"""The error of fixes: correlated noise by surroundings, and spells of outliers.

The error of a receiver is a Gauss-Markov process (Gelb, Applied Optimal Estimation, 1974): after t
seconds exp(-t / correlation_s) of it is left, and fresh error fills it up to the same sigma. A part
of the variance (`bias_share`) is constant while the phone stays in one place, because the
reflections and the Wi-Fi map of a building are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from geofence.model.ping import Floats

DAY_S = 86_400.0

Complexes = NDArray[np.complex128]  # east + 1j * north


@dataclass(frozen=True, slots=True)
class Noise:
    """The errors of one kind of surroundings.

    `sigma_m` is along one axis; each stay draws its own from the range. Spells of outliers begin
    `outliers_per_day` times. A spell shifts at least one fix, and all others within an exponential
    time of mean `outlier_s` seconds, by one vector with a length from `outlier_m`.
    """

    sigma_m: tuple[float, float]
    correlation_s: float = 60.0
    bias_share: float = 0.0
    outliers_per_day: float = 0.0
    outlier_m: tuple[float, float] = (50.0, 200.0)
    outlier_s: float = 15.0


def wandering(dice: Generator, at_s: Floats, correlation_s: float) -> Complexes:
    """A Gauss-Markov process of sigma 1 along each axis, at moments (n,) in time order."""
    fresh = dice.standard_normal((len(at_s), 2))
    kept = np.exp(-np.diff(at_s, prepend=-math.inf) / correlation_s)
    fills = np.sqrt(1.0 - kept * kept) * (fresh[:, 0] + 1j * fresh[:, 1])
    steps = zip(kept.tolist(), fills.tolist(), strict=True)
    wander = accumulate(steps, lambda old, step: old * step[0] + step[1], initial=0j)
    return np.fromiter(wander, np.complex128, len(at_s) + 1)[1:]


def spells(dice: Generator, at_s: Floats, per_day: float, lasts_s: float) -> NDArray[np.int64]:
    """The spell that each moment (n,) falls into, -1 for none.

    Spells begin `per_day` times; each holds at least one moment.
    """
    found = np.full(len(at_s), -1, dtype=np.int64)
    if not len(at_s) or per_day <= 0.0:
        return found
    span_s = float(at_s[-1] - at_s[0])
    begins_s = at_s[0] + span_s * np.sort(dice.random(dice.poisson(per_day * span_s / DAY_S)))
    first = np.searchsorted(at_s, begins_s)
    ends_s = at_s[first] + lasts_s * dice.exponential(size=len(first))
    for number, (start, end) in enumerate(
        zip(first.tolist(), np.searchsorted(at_s, ends_s, side="right").tolist(), strict=True)
    ):
        found[start : max(end, start + 1)] = number
    return found


def shifts(dice: Generator, spell: NDArray[np.int64], reach_m: tuple[float, float]) -> Complexes:
    """The shift of each moment: one distance and direction for each spell, 0 outside of them."""
    count = int(spell.max(initial=-1)) + 1
    each = dice.uniform(*reach_m, count) * np.exp(2j * math.pi * dice.random(count))
    return np.where(spell >= 0, np.append(each, 0j)[spell], 0j)
