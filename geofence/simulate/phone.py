"""What a phone makes of the truth: fixes that wander, lie, come late, and stay out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from geofence.model.ping import Floats, Times
from geofence.simulate.frame import Frame
from geofence.simulate.noise import DAY_S, Complexes, Noise, shifts, spells, wandering
from geofence.simulate.paths import INDOORS, Path

ACCURACY_PER_SIGMA = 1.51  # the radius that holds 68 % of a two-dimensional Gaussian

HONEST, OUTLIER, LIE, CELL = 0, 1, 2, 3

STREET = Noise((5.0, 8.0))
CANYON = Noise((15.0, 30.0), outliers_per_day=48.0)
INDOORS_WIFI = Noise((20.0, 60.0), bias_share=0.5, outliers_per_day=2.0)
NONE = Noise((0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Phone:
    """Every parameter of the phones.

    Metres, seconds; `per_day` are means of Poisson counts; pairs are the ends of a range.

    `lies` claim `lie_accuracy_m` while `lie_m` off; `cells` come from the mobile network alone and
    say so. `outlier_admitted` is the share of outlying spells whose stated accuracy grows with the
    error. In a gap the phone takes no fix; while offline it takes them and sends them later; a
    straggler is one ping that is sent again minutes later. A wrong clock is off by up to
    `wrong_clock_s` in either direction, all others by a normal error of `clock_offset_s`.
    """

    interval_s: float = 60.0
    jitter: float = 0.05
    street: Noise = STREET
    canyon: Noise = CANYON
    indoors: Noise = INDOORS_WIFI
    stated_spread: float = 0.25
    outlier_admitted: float = 0.5
    lies_per_day: float = 0.0
    lie_m: tuple[float, float] = (150.0, 250.0)
    lie_s: float = 5.0
    lie_accuracy_m: float = 1.7
    cells_per_day: float = 4.0
    cell_accuracy_m: float = 1400.0
    gaps_per_day: float = 0.5
    gap_s: tuple[float, float] = (300.0, 7_200.0)
    batch_s: float = 0.0
    latency_s: float = 0.5
    offline_per_day: float = 0.0
    offline_s: tuple[float, float] = (300.0, 14_400.0)
    stragglers: float = 0.0
    straggler_s: tuple[float, float] = (30.0, 600.0)
    clock_offset_s: float = 1.0
    clock_drift_ppm: float = 20.0
    wrong_clocks: float = 0.0
    wrong_clock_s: float = 1_800.0


PLAIN = Phone()
LYING = replace(PLAIN, lies_per_day=12.0)
POOR = replace(
    LYING,
    gaps_per_day=2.0,
    batch_s=300.0,
    offline_per_day=0.5,
    stragglers=0.005,
    wrong_clocks=0.05,
)
PERFECT = Phone(
    jitter=0.0,
    street=NONE,
    canyon=NONE,
    indoors=NONE,
    cells_per_day=0.0,
    gaps_per_day=0.0,
    latency_s=0.0,
    clock_offset_s=0.0,
    clock_drift_ppm=0.0,
)
PHONES = {"plain": PLAIN, "lying": LYING, "poor": POOR, "perfect": PERFECT}


@dataclass(frozen=True, slots=True)
class Fixes:
    """The pings of one device, in the order of true time. All (n,).

    `at_ms` is when it truly was, `ts_ms` when the phone says it was, `received_ms` when the service
    hears of it (epoch ms UTC); `lat`, `lon` degrees; `accuracy_m`, `speed_mps` as stated (NaN
    unknown); `kind` one of HONEST, OUTLIER, LIE, CELL.
    """

    at_ms: Times
    ts_ms: Times
    received_ms: Times
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    speed_mps: Floats
    kind: NDArray[np.int8] = field(repr=False)

    def __len__(self) -> int:
        return len(self.at_ms)

    def as_received(self) -> Fixes:
        """The same in the order in which they arrive."""
        return self.taken(np.argsort(self.received_ms, kind="stable"))

    def taken(self, rows: NDArray[np.int64]) -> Fixes:
        """Those at these places, in that order."""
        columns = (
            self.at_ms,
            self.ts_ms,
            self.received_ms,
            self.lat,
            self.lon,
            self.accuracy_m,
            self.speed_mps,
            self.kind,
        )
        return Fixes(*(column[rows] for column in columns))  # type: ignore[arg-type]  # the same columns, in the same order


def listen(path: Path, frame: Frame, phone: Phone, start_ms: int, dice: Generator) -> Fixes:
    """The fixes of a phone carried along a path that begins at `start_ms` (epoch ms UTC)."""
    at_s = _moments(path.seconds, phone, dice)
    leg = path.legs(at_s)
    sigma_m, error, outlying = _errors(path, at_s, leg, phone, dice)
    stated_m = (
        ACCURACY_PER_SIGMA * sigma_m * np.exp(phone.stated_spread * dice.standard_normal(len(at_s)))
    )
    stated_m = np.hypot(stated_m, outlying[1])
    kind = np.where(outlying[0] >= 0, OUTLIER, HONEST).astype(np.int8)
    error, stated_m, kind = _plainly_wrong(at_s, error, stated_m, kind, phone, dice)
    x_m, y_m = path.spots(at_s)
    lat, lon = frame.degrees(x_m + error.real, y_m + error.imag)
    at_ms = start_ms + np.rint(at_s * 1000.0).astype(np.int64)
    return Fixes(
        at_ms=at_ms,
        ts_ms=at_ms + _clock_error_ms(at_s, phone, dice),
        received_ms=at_ms + _delays_ms(at_s, phone, dice),
        lat=np.round(lat, 7),
        lon=np.round(lon, 7),
        accuracy_m=np.round(stated_m, 1),
        speed_mps=_speeds(path, leg, kind, dice),
        kind=kind,
    )


def _moments(seconds: float, phone: Phone, dice: Generator) -> Floats:
    """When the phone takes its fixes.

    About every interval, from a random moment within the first, and none in a gap.
    """
    count = int(seconds / phone.interval_s) + 1
    steps_s = phone.interval_s * np.maximum(1.0 + phone.jitter * dice.standard_normal(count), 0.1)
    at_s: Floats = phone.interval_s * dice.random() + np.cumsum(steps_s) - steps_s[0]
    at_s = at_s[at_s < seconds]
    for start_s, end_s in _ranges(seconds, phone.gaps_per_day, phone.gap_s, dice):
        at_s = at_s[(at_s < start_s) | (at_s >= end_s)]
    return at_s


def _ranges(
    seconds: float, per_day: float, lasts_s: tuple[float, float], dice: Generator
) -> list[tuple[float, float]]:
    """(start, end) of stretches of time; their length is spread evenly over its logarithm."""
    starts_s = np.sort(seconds * dice.random(dice.poisson(per_day * seconds / DAY_S)))
    lengths_s = np.exp(dice.uniform(np.log(lasts_s[0]), np.log(lasts_s[1]), len(starts_s)))
    return list(zip(starts_s.tolist(), (starts_s + lengths_s).tolist(), strict=True))


def _errors(
    path: Path, at_s: Floats, leg: NDArray[np.int64], phone: Phone, dice: Generator
) -> tuple[Floats, Complexes, tuple[NDArray[np.int64], Floats]]:
    """Sigma and error of each fix.

    Which outlying spell it is in (-1: none), and how much of that its accuracy admits.
    """
    kinds = (phone.street, phone.canyon, phone.indoors)
    stay, around = path.stay[leg], path.surroundings[leg]
    share = dice.random(int(path.stay[-1]) + 1)[stay]
    bias = (dice.standard_normal((int(path.stay[-1]) + 1, 2)) @ np.array([1.0, 1j]))[stay]
    sigma_m, error = np.zeros(len(at_s)), np.zeros(len(at_s), dtype=np.complex128)
    outlying, admitted_m = np.full(len(at_s), -1, dtype=np.int64), np.zeros(len(at_s))
    for number, noise in enumerate(kinds):
        here = around == number
        low_m, high_m = noise.sigma_m
        sigma_m[here] = low_m + share[here] * (high_m - low_m)
        moving = np.sqrt(1.0 - noise.bias_share) * wandering(dice, at_s[here], noise.correlation_s)
        spell = spells(
            dice,
            at_s[here],
            noise.outliers_per_day * here.mean() if here.any() else 0.0,
            noise.outlier_s,
        )
        shift = shifts(dice, spell, noise.outlier_m)
        error[here] = sigma_m[here] * (np.sqrt(noise.bias_share) * bias[here] + moving) + shift
        outlying[here] = spell
        admits = dice.random(int(spell.max(initial=-1)) + 2) < phone.outlier_admitted
        admitted_m[here] = np.where(admits[spell], np.abs(shift), 0.0)
    return sigma_m, error, (outlying, admitted_m)


def _plainly_wrong(
    at_s: Floats,
    error: Complexes,
    stated_m: Floats,
    kind: NDArray[np.int8],
    phone: Phone,
    dice: Generator,
) -> tuple[Complexes, Floats, NDArray[np.int8]]:
    """Lies and fixes of the mobile network put over the others."""
    lying = spells(dice, at_s, phone.lies_per_day, phone.lie_s)
    lie = shifts(dice, lying, phone.lie_m)
    cell = spells(dice, at_s, phone.cells_per_day, 0.0) >= 0
    far = (
        phone.cell_accuracy_m
        / ACCURACY_PER_SIGMA
        * (dice.standard_normal((len(at_s), 2)) @ np.array([1.0, 1j]))
    )
    error = np.where(cell, far, np.where(lying >= 0, lie, error))
    stated_m = np.where(
        cell, phone.cell_accuracy_m, np.where(lying >= 0, phone.lie_accuracy_m, stated_m)
    )
    return error, stated_m, np.where(cell, CELL, np.where(lying >= 0, LIE, kind)).astype(np.int8)


def _speeds(path: Path, leg: NDArray[np.int64], kind: NDArray[np.int8], dice: Generator) -> Floats:
    """Speed as stated: by satellite only, so unknown under a roof and from the network."""
    true_mps = path.speeds_mps()[leg]
    seen_mps = np.round(np.maximum(true_mps + 0.3 * dice.standard_normal(len(leg)), 0.0), 1)
    known = (path.surroundings[leg] != INDOORS) & (kind != CELL)
    return np.where(known, np.where(true_mps > 0.0, seen_mps, 0.0), np.nan)


def _clock_error_ms(at_s: Floats, phone: Phone, dice: Generator) -> Times:
    wrong = dice.random() < phone.wrong_clocks
    offset_s = (
        dice.uniform(-1.0, 1.0) * phone.wrong_clock_s
        if wrong
        else dice.standard_normal() * phone.clock_offset_s
    )
    drift = dice.standard_normal() * phone.clock_drift_ppm * 1e-6
    return np.rint(1000.0 * (offset_s + drift * at_s)).astype(np.int64)


def _delays_ms(at_s: Floats, phone: Phone, dice: Generator) -> Times:
    """From the fix to the service.

    Latency, waiting for the batch or for the network, and the few that are sent again.
    """
    ready_s = at_s.copy()
    if phone.batch_s > 0.0:
        ready_s = np.ceil(ready_s / phone.batch_s) * phone.batch_s
    for start_s, end_s in _ranges(
        float(at_s[-1]) if len(at_s) else 0.0, phone.offline_per_day, phone.offline_s, dice
    ):
        ready_s = np.where((ready_s >= start_s) & (ready_s < end_s), end_s, ready_s)
    again = dice.random(len(at_s)) < phone.stragglers
    ready_s = (
        ready_s
        + np.where(again, dice.uniform(*phone.straggler_s, len(at_s)), 0.0)
        + phone.latency_s
    )
    return np.rint(1000.0 * (ready_s - at_s)).astype(np.int64)
