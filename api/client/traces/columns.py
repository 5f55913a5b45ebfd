"""What the readers of recorded walks yield, and how they understand names and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Floats, Times

BATCH = 50_000

# What other people call the columns, in lower case.
NAMES: Mapping[str, tuple[str, ...]] = {
    "device": (
        "device_id",
        "device",
        "deviceid",
        "tracker",
        "tid",
        "user_id",
        "user",
        "vehicle_id",
        "taxi_id",
        "id",
    ),
    "time": (
        "ts",
        "time",
        "timestamp",
        "ts_ms",
        "datetime",
        "date_time",
        "recorded_at",
        "time_utc",
        "date",
    ),
    "lat": ("lat", "latitude", "y"),
    "lon": ("lon", "lng", "long", "longitude", "x"),
    "accuracy": ("accuracy_m", "accuracy", "horizontal_accuracy", "hacc", "acc"),
    "speed": ("speed_mps", "speed"),
}


class TraceError(ValueError):
    """A recorded walk cannot be read; says which file, where, and why. Never holds a position."""

    def __init__(self, path: Path, why: str, where: str = "") -> None:
        super().__init__(f"{path.name}{', ' + where if where else ''}: {why}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Points of a file as columns of length n.

    Epoch ms UTC, degrees WGS84, metres, metres per second; NaN is unknown.
    """

    device_id: Sequence[str]
    ts_ms: Times
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    speed_mps: Floats

    def __len__(self) -> int:
        return len(self.ts_ms)


def choose(path: Path, header: Sequence[str]) -> dict[str, str]:
    """Which column holds what.

    `device`, `time`, `lat`, `lon`, `accuracy`, `speed` -> the header's own word for it.

    Raises `TraceError` without time, lat or lon.
    """
    words = {word.strip().lower(): word for word in reversed(header)}
    found = {
        what: next((words[name] for name in names if name in words), None)
        for what, names in NAMES.items()
    }
    if missing := [what for what in ("time", "lat", "lon") if found[what] is None]:
        wanted = "; ".join(f"{what}: one of {', '.join(NAMES[what])}" for what in missing)
        raise TraceError(path, f"no column for {', '.join(missing)} ({wanted})")
    return {what: word for what, word in found.items() if word is not None}


def epoch_ms(numbers: Floats) -> Times:
    """Times since 1970 as milliseconds.

    The size of the numbers says whether they count seconds, milliseconds, microseconds or
    nanoseconds.
    """
    size = float(np.median(numbers)) if len(numbers) else 0.0
    scale = 1e3 if size < 1e11 else 1.0 if size < 1e14 else 1e-3 if size < 1e17 else 1e-6
    return np.rint(numbers * scale).astype(np.int64)


def moment_ms(text: str, *, utc: bool = False) -> int:
    """A written time as epoch ms.

    Without an offset it is refused (ValueError), unless the format says it is UTC.
    """
    moment = datetime.fromisoformat(
        text.strip() + ("+00:00" if utc and not _has_offset(text) else "")
    )
    if moment.tzinfo is None:
        raise ValueError("the time has no offset from UTC, so its moment is unknown")
    return round(moment.timestamp() * 1000)


def _has_offset(text: str) -> bool:
    time = text.strip().partition("T")[2]
    return time.endswith(("Z", "z")) or "+" in time or "-" in time


def unknown(length: int) -> NDArray[np.float64]:
    """A column in which nothing is known."""
    return np.full(length, np.nan)
