"""True paths: straight lines between knots, with the surroundings of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Floats
from geofence.simulate.streets import Spot

OPEN, CANYON, INDOORS = 0, 1, 2  # an open street, one between tall buildings, under a roof


@dataclass(frozen=True, slots=True)
class Path:
    """Knots in time order: `at_s` (seconds since the beginning), `x_m`, `y_m`, all (k,).

    Positions are metres east and north of the frame's centre. For the k - 1 legs between knots,
    `surroundings` (k - 1,) is one of OPEN, CANYON, INDOORS, and `stay` (k - 1,) counts up where
    they change: a phone's sigma is drawn once per stay.
    """

    at_s: Floats
    x_m: Floats
    y_m: Floats
    surroundings: NDArray[np.int8]
    stay: NDArray[np.int64]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.at_s[-1])

    def spots(self, at_s: Floats) -> tuple[Floats, Floats]:
        """(x_m, y_m) at these moments; constant before the beginning and after the end."""
        return np.interp(at_s, self.at_s, self.x_m), np.interp(at_s, self.at_s, self.y_m)

    def legs(self, at_s: Floats) -> NDArray[np.int64]:
        """The leg at each of these moments."""
        found = np.searchsorted(self.at_s, at_s, side="right") - 1
        return np.clip(found, 0, len(self.surroundings) - 1)

    def speeds_mps(self) -> Floats:
        """The speed on each leg."""
        lengths_m = np.hypot(np.diff(self.x_m), np.diff(self.y_m))
        return lengths_m / np.diff(self.at_s)


class Trail:
    """Makes a path step by step."""

    def __init__(self, spot: Spot) -> None:
        self.spot, self.at_s = spot, 0.0
        self._knots = [(0.0, *spot)]
        self._surroundings: list[int] = []

    def go(self, spot: Spot, speed_mps: float, surroundings: int = OPEN) -> None:
        """Straight to a spot."""
        length_m = math.dist(self.spot, spot)
        if length_m > 0.01:
            self._add(spot, length_m / speed_mps, surroundings)

    def linger(self, seconds: float, surroundings: int = OPEN) -> None:
        """Stand still."""
        if seconds > 0.0:
            self._add(self.spot, seconds, surroundings)

    def linger_until(self, at_s: float, surroundings: int = OPEN) -> None:
        """Stand still until a moment; nothing where it has passed."""
        self.linger(at_s - self.at_s, surroundings)

    def path(self, seconds: float | None = None) -> Path:
        """The path so far, cut off or extended to `seconds`."""
        if seconds is not None:
            self.linger_until(seconds, self._surroundings[-1] if self._surroundings else OPEN)
        at_s, x_m, y_m = (np.array(column) for column in zip(*self._knots, strict=True))
        around = np.array(self._surroundings, dtype=np.int8)
        stay = np.concatenate([[0], np.cumsum(np.diff(around) != 0)]).astype(np.int64)
        whole = Path(at_s, x_m, y_m, around, stay)
        return whole if seconds is None or whole.seconds <= seconds else _cut(whole, seconds)

    def _add(self, spot: Spot, seconds: float, surroundings: int) -> None:
        self.spot, self.at_s = spot, self.at_s + seconds
        self._knots.append((self.at_s, *spot))
        self._surroundings.append(surroundings)


def still(spot: Spot, seconds: float, surroundings: int = INDOORS) -> Path:
    """A path that stays at one spot."""
    trail = Trail(spot)
    trail.linger(seconds, surroundings)
    return trail.path()


def _cut(path: Path, seconds: float) -> Path:
    legs = int(path.legs(np.array([seconds]))[0]) + 1
    x_m, y_m = path.spots(np.array([seconds]))
    at_s = np.append(path.at_s[:legs], seconds)
    return Path(
        at_s,
        np.append(path.x_m[:legs], x_m),
        np.append(path.y_m[:legs], y_m),
        path.surroundings[:legs],
        path.stay[:legs],
    )
