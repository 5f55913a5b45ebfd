"""Pings classified as columns are classified as they are one by one."""

from __future__ import annotations

import numpy as np
import pytest

from geofence.detection.outlier_columns import MOST_ROUNDS, Classified, Devices, Fixes, classify_all
from geofence.detection.outliers import SUSPECT_MPS, Fix, Trail, classify
from geofence.model.device_table import DeviceTable
from geofence.model.presence import DeviceState

DEVICES = 400


def _walks(dice: np.random.Generator, most: int) -> tuple[Devices, Fixes]:
    """Devices that walk, fly, lie, and report with every accuracy there is."""
    count = dice.integers(1, most + 1, DEVICES)
    first = np.cumsum(count) - count
    of = np.repeat(np.arange(DEVICES), count)
    n = len(of)
    steps_ms = dice.choice([1, 500, 5_000, 20_000, 60_000, 4_000_000], n).astype(np.float64)
    ms = 1_000_000.0 + np.cumsum(steps_ms)
    size = dice.choice([0.0, 1e-5, 1e-3, 0.05, 3.0], n, p=[0.2, 0.3, 0.3, 0.15, 0.05])
    lat = np.clip(48.0 + size * dice.normal(size=n), -90, 90)
    lon = np.where(dice.random(n) < 0.1, 179.999, -179.999) + size * dice.normal(size=n)
    lon = (lon + 180.0) % 360.0 - 180.0
    accuracy_m = dice.choice([np.nan, 5.0, 65.0, 200.0, 1_400.0], n)
    return Devices(of, first, count), Fixes(ms, lat, lon, accuracy_m, dice.random(n) < 0.1)


def _fix(fixes: Fixes, row: int) -> Fix:
    accuracy_m = float(fixes.accuracy_m[row])
    known = None if np.isnan(accuracy_m) else accuracy_m
    return Fix(int(fixes.ms[row]), float(fixes.lat[row]), float(fixes.lon[row]), known)


def _one_by_one(trail: Trail, fixes: Fixes, rows: range) -> tuple[Trail, list[tuple[bool, bool]]]:
    found = []
    for row in rows:
        if fixes.suspect[row]:
            found.append((False, False))
            continue
        one = classify(trail, _fix(fixes, row))
        trail = one.trail
        found.append((one.trusted, not one.trusted and one.speed_mps > SUSPECT_MPS))
    return trail, found


def _as_trail(state: DeviceState) -> Trail:
    last = None
    if state.fix_ms is not None:
        last = Fix(state.fix_ms, state.lat, state.lon, state.fix_accuracy_m)
    odd = None if state.odd_ms is None else Fix(state.odd_ms, state.odd_lat, state.odd_lon)
    return Trail(last, odd)


def _same(
    table: DeviceTable, found: Classified, devices: Devices, fixes: Fixes, before: list[Trail]
) -> int:
    """Compare every decided device; how many there were."""
    decided = np.flatnonzero(~found.undecided).tolist()
    for device in decided:
        first = int(devices.first[device])
        rows = range(first, first + int(devices.size[device]))
        trail, expected = _one_by_one(before[device], fixes, rows)
        seen = list(zip(found.trusted[rows].tolist(), found.impossible[rows].tolist(), strict=True))
        assert seen == expected
        table.trail[device] = found.trail[device]
        assert _as_trail(table.state(device)) == trail
    return len(decided)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [1, 3, MOST_ROUNDS + 4])
def test_columns_and_objects_agree_over_several_units(seed: int, most: int) -> None:
    dice = np.random.default_rng(seed)
    table = DeviceTable("p")
    table.rows([f"d{nth}" for nth in range(DEVICES)])
    compared, ms = 0, 0.0
    for _ in range(4):
        devices, fixes = _walks(dice, most)
        fixes = fixes._replace(ms=fixes.ms + ms)
        ms = float(fixes.ms.max())
        before = [_as_trail(table.state(device)) for device in range(DEVICES)]
        found = classify_all(table.trail[:DEVICES], devices, fixes)
        compared += _same(table, found, devices, fixes, before)
    assert compared > 2 * DEVICES
