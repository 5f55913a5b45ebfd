"""Step 1: bring items into one unit system and refuse the impossible.

The outcome is columns, and one rejection for each refused item.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf, isfinite, nan

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import MAX_ID, Floats, PingIn, Pings, Rejection, Times

FUTURE_MS = 5 * 60_000
# 2000-01-01: older than any phone; epoch seconds taken for milliseconds land in 1970
OLDEST_MS = 946_684_800_000

SECONDS = range(946_684_800, 4_102_444_800)  # what the years 2000 to 2100 are in seconds
NEWEST_MS = 4_102_444_800_000  # 2100-01-01: also where pings move the clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

REJECTION_CODES = {
    "invalid_item": "the item is not an object",
    "invalid_device": "device_id is missing, or longer than 128 characters, "
    "or holds control characters",
    "invalid_position": "lat or lon is missing, not a number, not finite, or outside ±90 and ±180",
    "invalid_time": "ts is missing, has no offset, cannot be read, or lies before the year 2000",
    "invalid_field": "another field has the wrong type; the detail names it",
    "future": "ts is more than five minutes ahead of the service's clock",
    "conflict": "the same id was posted before with other content",
}


def normalise(
    items: Sequence[tuple[int, PingIn]], now_ms: int | None
) -> tuple[Pings, list[Rejection]]:
    """Columns of the items that can be true, and a rejection for each that cannot.

    `items` are (index in its request, item); `now_ms` is the clock, None where pings move it. A
    negative speed means unknown, as phones say it; a negative or infinite accuracy means that the
    phone does not know where it is, and such a fix is refused.
    """
    ts_ms, lat, lon = _positions(items)
    reasons = dict(sorted(_judge(ts_ms, lat, lon, now_ms).items()))
    for i, (_, item) in enumerate(items):
        code = None if i in reasons else _fault(item)
        if code is not None:
            reasons[i] = code
    if not reasons:
        return _columns(items, ts_ms, lat, lon), []
    good = [i for i in range(len(items)) if i not in reasons]
    pings = _columns([items[i] for i in good], ts_ms[good], lat[good], lon[good])
    return pings, [_rejection(*items[i], code) for i, code in reasons.items()]


def _positions(items: Sequence[tuple[int, PingIn]]) -> tuple[Times, Floats, Floats]:
    n = len(items)
    ts_ms = np.fromiter((_epoch_ms(item.ts) for _, item in items), np.int64, n)
    lat = np.fromiter((item.lat for _, item in items), np.float64, n)
    lon = np.fromiter((item.lon for _, item in items), np.float64, n)
    return ts_ms, lat, lon


def _rejection(index: int, item: PingIn, code: str) -> Rejection:
    return Rejection(index, code, _words(code, item))


def _judge(ts_ms: Times, lat: Floats, lon: Floats, now_ms: int | None) -> dict[int, str]:
    reasons: dict[int, str] = {}
    latest_ms = NEWEST_MS if now_ms is None else now_ms + FUTURE_MS
    reasons.update(_mark(ts_ms > latest_ms, "future"))
    reasons.update(_mark(ts_ms < OLDEST_MS, "invalid_time"))
    # NaN fails every comparison, so it is caught by "not within"
    reasons.update(_mark(~((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0)), "invalid_position"))
    return reasons


def _mark(bad: NDArray[np.bool_], code: str) -> dict[int, str]:
    return dict.fromkeys(np.flatnonzero(bad).tolist(), code) if bad.any() else {}


def _columns(items: Sequence[tuple[int, PingIn]], ts_ms: Times, lat: Floats, lon: Floats) -> Pings:
    n = len(items)
    suspect = (lat == 0.0) & (lon == 0.0)
    mocked = np.fromiter((item.mocked for _, item in items), np.bool_, n)
    return Pings(
        index=[index for index, _ in items],
        device_id=[item.device_id for _, item in items],
        ts_ms=ts_ms,
        lat=lat,
        lon=lon,
        accuracy_m=np.fromiter((_known(item.accuracy_m) for _, item in items), np.float64, n),
        suspect=suspect | mocked,
        id=[item.id for _, item in items],
        customer_id=[item.customer_id for _, item in items],
    )


def _fault(item: PingIn) -> str | None:
    name = item.device_id
    if not (0 < len(name) <= MAX_ID and name.isprintable()):
        return "invalid_device"
    return (
        "invalid_field"
        if item.accuracy_m is not None and (item.accuracy_m < 0 or item.accuracy_m == inf)
        else None
    )


def _words(code: str, item: PingIn) -> str:
    """What is wrong, as narrowly as it is known; never the position itself."""
    if (
        code == "invalid_time"
        and isinstance(item.ts, int)
        and SECONDS.start <= item.ts < SECONDS.stop
    ):
        return "ts looks like seconds since 1970; send milliseconds, or RFC 3339 with an offset"
    if code == "invalid_time":
        return "ts lies before the year 2000"
    if code == "invalid_position":
        return _position_fault(item)
    if code == "invalid_device" and not item.device_id:
        return "device_id is missing"
    if code == "invalid_field":
        return (
            "accuracy_m is negative or infinite: the phone says that it does not know where it is"
        )
    return REJECTION_CODES[code]


def _position_fault(item: PingIn) -> str:
    """Which of lat and lon cannot be true."""
    faults = {"lat": (item.lat, 90), "lon": (item.lon, 180)}
    name, (degrees, limit) = next(
        (name, fault) for name, fault in faults.items() if not abs(fault[0]) <= fault[1]
    )
    return f"{name} is outside ±{limit} degrees" if isfinite(degrees) else f"{name} is not finite"


def _known(value: float | None) -> float:
    return nan if value is None or not value >= 0.0 or value == inf else value


def _epoch_ms(ts: datetime | int) -> int:
    """Whole milliseconds; beyond what 64 bits hold becomes the far past, which is refused."""
    if isinstance(ts, int):
        return ts if -(2**62) < ts < 2**62 else 0
    return round((ts - _EPOCH).total_seconds() * 1000)
