"""The fixes of a phone on a true path: errors that wander, lies, late pings, gaps."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

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
_EAST_NORTH = np.array([1.0, 1j])


@dataclass(frozen=True, slots=True)
class Phone:
    """Every parameter of the phones.

    Metres and seconds. `per_day` are means of Poisson counts; pairs are the ends of a range.

    `lies` claim `lie_accuracy_m` and are `lie_m` off; `cells` come from the mobile network alone
    and state its accuracy. `outlier_admitted` is the share of outlying spells whose stated accuracy
    grows with the error. In a gap the phone takes no fix; offline it takes fixes and sends them
    later; a straggler is a ping that arrives minutes late. A wrong clock is off by up to
    `wrong_clock_s` in either direction, every other clock by a normal error of `clock_offset_s`.
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
    """The pings of one device, in the order of true time. All arrays are (n,).

    `at_ms` is the true time, `ts_ms` the time by the phone's clock, `received_ms` the arrival at
    the service (epoch ms UTC); `lat`, `lon` in degrees; `accuracy_m`, `speed_mps` as stated (NaN
    where unknown); `kind` is one of HONEST, OUTLIER, LIE, CELL.
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
        """The same fixes in the order of their arrival."""
        return self.taken(np.argsort(self.received_ms, kind="stable"))

    def taken(self, rows: NDArray[np.int64]) -> Fixes:
        """The fixes of these rows, in that order."""
        columns = {each.name: getattr(self, each.name)[rows] for each in fields(self)}
        return Fixes(**columns)


def listen(path: Path, frame: Frame, phone: Phone, start_ms: int, dice: Generator) -> Fixes:
    """The fixes of a phone carried along a path that begins at `start_ms` (epoch ms UTC)."""
    at_s = _moments(path.seconds, phone, dice)
    leg = path.legs(at_s)
    error, stated_m, kind = _stated(path, at_s, leg, phone, dice)
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


def _stated(
    path: Path, at_s: Floats, leg: NDArray[np.int64], phone: Phone, dice: Generator
) -> tuple[Complexes, Floats, NDArray[np.int8]]:
    """The error, the stated accuracy (metres) and the kind of each fix."""
    errors = _errors(path, at_s, leg, phone, dice)
    spread = np.exp(phone.stated_spread * dice.standard_normal(len(at_s)))
    stated_m = np.hypot(ACCURACY_PER_SIGMA * errors.sigma_m * spread, errors.admitted_m)
    kind = np.where(errors.spell >= 0, OUTLIER, HONEST).astype(np.int8)
    return _plainly_wrong(at_s, errors.error, stated_m, kind, phone, dice)


def _moments(seconds: float, phone: Phone, dice: Generator) -> Floats:
    """The moments of the fixes: about one per interval, with a random phase, and none in a gap."""
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
    """(start, end) of stretches of time, with lengths uniform in their logarithm."""
    starts_s = np.sort(seconds * dice.random(dice.poisson(per_day * seconds / DAY_S)))
    lengths_s = np.exp(dice.uniform(np.log(lasts_s[0]), np.log(lasts_s[1]), len(starts_s)))
    return list(zip(starts_s.tolist(), (starts_s + lengths_s).tolist(), strict=True))


class _Errors(NamedTuple):
    """The error of each fix (n,), in metres."""

    sigma_m: Floats
    error: Complexes
    spell: NDArray[np.int64]
    """The outlying spell that a fix is in; -1 for none."""
    admitted_m: Floats
    """How much of the spell's shift the stated accuracy admits."""


def _errors(
    path: Path, at_s: Floats, leg: NDArray[np.int64], phone: Phone, dice: Generator
) -> _Errors:
    stay, stays = path.stay[leg], int(path.stay[-1]) + 1
    share = dice.random(stays)[stay]
    bias = (dice.standard_normal((stays, 2)) @ _EAST_NORTH)[stay]
    count = len(at_s)
    found = _no_errors(count)
    around = path.surroundings[leg]
    for number, noise in enumerate((phone.street, phone.canyon, phone.indoors)):
        here = around == number
        per_day = noise.outliers_per_day * here.sum() / max(count, 1)
        some = _errors_of(noise, per_day, at_s[here], share[here], bias[here], phone, dice)
        for whole, part in zip(found, some, strict=True):
            whole[here] = part
    return found


def _no_errors(count: int) -> _Errors:
    zeros = np.zeros(count)
    return _Errors(zeros, np.zeros(count, complex), np.full(count, -1), zeros.copy())


def _errors_of(
    noise: Noise,
    outliers_per_day: float,
    at_s: Floats,
    share: Floats,
    bias: Complexes,
    phone: Phone,
    dice: Generator,
) -> _Errors:
    """The errors of the fixes in one kind of surroundings."""
    low_m, high_m = noise.sigma_m
    sigma_m = low_m + share * (high_m - low_m)
    wander = np.sqrt(1.0 - noise.bias_share) * wandering(dice, at_s, noise.correlation_s)
    spell = spells(dice, at_s, outliers_per_day, noise.outlier_s)
    shift = shifts(dice, spell, noise.outlier_m)
    error = sigma_m * (np.sqrt(noise.bias_share) * bias + wander) + shift
    admits = dice.random(int(spell.max(initial=-1)) + 2) < phone.outlier_admitted
    return _Errors(sigma_m, error, spell, np.where(admits[spell], np.abs(shift), 0.0))


def _plainly_wrong(
    at_s: Floats,
    error: Complexes,
    stated_m: Floats,
    kind: NDArray[np.int8],
    phone: Phone,
    dice: Generator,
) -> tuple[Complexes, Floats, NDArray[np.int8]]:
    """The same with lies, and with fixes from the mobile network, in place of some."""
    lying = spells(dice, at_s, phone.lies_per_day, phone.lie_s)
    lie = shifts(dice, lying, phone.lie_m)
    cell = spells(dice, at_s, phone.cells_per_day, 0.0) >= 0
    far = (
        phone.cell_accuracy_m
        / ACCURACY_PER_SIGMA
        * (dice.standard_normal((len(at_s), 2)) @ _EAST_NORTH)
    )
    error = np.where(cell, far, np.where(lying >= 0, lie, error))
    stated_m = np.where(
        cell, phone.cell_accuracy_m, np.where(lying >= 0, phone.lie_accuracy_m, stated_m)
    )
    return error, stated_m, np.where(cell, CELL, np.where(lying >= 0, LIE, kind)).astype(np.int8)


def _speeds(path: Path, leg: NDArray[np.int64], kind: NDArray[np.int8], dice: Generator) -> Floats:
    """Stated speeds: measured by satellite, so unknown indoors and from the network."""
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
    """Time from each fix to its arrival: latency, batching, time offline, stragglers."""
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
