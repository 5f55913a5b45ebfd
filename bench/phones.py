"""Phones that stay around one place, as benchmarks post them: a share of them at a store.

Phones that jump about the country are suspect fixes, which no presence believes; phones that stay
are what a service meets.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DATA = Path(
    os.environ.get("GEOFENCE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
CABS = DATA / "traces" / "sf_cabs_dev.parquet"
CAB_FENCES = DATA / "truth" / "fences_starbucks_bay_r150.csv"
RADIUS_M = 150.0
ROUND_MS = 30_000  # a phone pings twice a minute
_METRE_DEG = 1.0 / 111_195.0
_BOX = (25.0, 49.0, -124.0, -67.0)


class Places(NamedTuple):
    """(n,) latitudes and longitudes, degrees WGS84."""

    lat: Floats
    lon: Floats

    def __len__(self) -> int:
        return len(self.lat)


def stores(count: int) -> Places:
    """Real American stores where the data is at hand, a grid 2 km apart otherwise."""
    table = DATA / "stores" / "us_chains.parquet"
    if not table.exists():
        side = int(np.ceil(np.sqrt(count)))
        nth = np.arange(count)
        return Places(30.0 + 0.018 * (nth // side) % 18.0, -120.0 + 0.025 * (nth % side))
    from pyarrow import parquet

    read = parquet.read_table(table, columns=["lat", "lon"])
    lat, lon = np.asarray(read["lat"]), np.asarray(read["lon"])
    south, north, west, east = _BOX
    fits = np.flatnonzero((lat > south) & (lat < north) & (lon > west) & (lon < east))
    chosen = np.random.default_rng(6).choice(fits, count, replace=count > len(fits))
    return Places(lat[chosen], lon[chosen])


class Round(NamedTuple):
    """(n,) phones by number, epoch ms, positions."""

    phones: NDArray[np.int64]
    ts_ms: NDArray[np.int64]
    where: Places


class Crowd:
    """`count` phones, a share of them at a store, the others 1 to 3 km from one."""

    def __init__(self, places: Places, count: int, at_a_store: float, seed: int = 1) -> None:
        self._dice = np.random.default_rng(seed)
        home = self._dice.integers(len(places), size=count)
        away_m = np.where(
            self._dice.random(count) < at_a_store, 0.0, self._dice.uniform(1_000, 3_000, count)
        )
        turn = self._dice.uniform(0, 2 * np.pi, count)
        self._lat = places.lat[home] + away_m * np.sin(turn) * _METRE_DEG
        narrow = np.cos(np.radians(self._lat))
        self._lon = places.lon[home] + away_m * np.cos(turn) * _METRE_DEG / narrow
        self.count, self._narrow = count, narrow

    def rounds(self, pings: int, start_ms: int) -> Iterator[Round]:
        """Pings of all phones in turn, until `pings` are out; errors of 15 m."""
        phones, at_ms = np.arange(self.count), start_ms
        while pings > 0:
            some = phones[:pings]
            error = self._dice.normal(0, 15 * _METRE_DEG, (2, len(some)))
            lat = self._lat[: len(some)] + error[0]
            lon = self._lon[: len(some)] + error[1] / self._narrow[: len(some)]
            yield Round(some, np.full(len(some), at_ms), Places(lat, lon))
            pings, at_ms = pings - len(some), at_ms + ROUND_MS


class Cabs:
    """The recorded cabs of San Francisco in time order, moved so that they end an hour ago."""

    def __init__(self) -> None:
        from pyarrow import parquet

        table = parquet.read_table(CABS)
        ts_ms = np.asarray(table["ts"])
        order = np.argsort(ts_ms, kind="stable")
        names, phones = np.unique(np.asarray(table["device_id"]).astype(str), return_inverse=True)
        self.count = len(names)
        self._phones, self._ts_ms = phones[order], ts_ms[order]
        self._where = Places(np.asarray(table["lat"])[order], np.asarray(table["lon"])[order])

    def rounds(self, pings: int, now_ms: int) -> Iterator[Round]:
        """The first `pings` of the trace, 20,000 at a time; 0 asks for all of them."""
        pings = min(pings or len(self._phones), len(self._phones))
        ts_ms = self._ts_ms - int(self._ts_ms[-1]) + now_ms - 3_600_000
        for first in range(0, pings, 20_000):
            cut = slice(first, min(first + 20_000, pings))
            where = Places(self._where.lat[cut], self._where.lon[cut])
            yield Round(self._phones[cut], ts_ms[cut], where)


def cab_stores() -> Places:
    """The stores of the cabs' truth file."""
    with CAB_FENCES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Places(*(np.array([float(row[axis]) for row in rows]) for axis in ("lat", "lon")))
