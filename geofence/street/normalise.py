"""Step 1: one unit system, and the impossible refused, for a group of requests at once.

Items of all requests become columns together; 64 requests of one ping are one batch of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf, isfinite
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import MAX_ID, PingIn, Pings, Rejection, Times

FUTURE_MS = 5 * 60_000
# 2000-01-01: older than any phone; epoch seconds taken for milliseconds land in 1970
OLDEST_MS = 946_684_800_000

SECONDS = range(946_684_800, 4_102_444_800)  # what the years 2000 to 2100 are in seconds
NEWEST_MS = 4_102_444_800_000  # 2100-01-01: also where pings move the clock

_MOST_MS = 2**62  # beyond, 64 bits may not hold what is computed from it
_FIELDS = attrgetter("device_id", "ts", "lat", "lon", "accuracy_m", "id", "customer_id")
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
    requests: Sequence[Sequence[tuple[int, PingIn]]], now_ms: int | None
) -> tuple[Pings, list[list[Rejection]]]:
    """Columns of every ping that can be true, and by request a rejection for each that cannot.

    `requests` hold (place in the request, item); `now_ms` is the clock, None where pings move it.
    A negative or infinite accuracy means that the phone does not know where it is: such a fix is
    refused.
    """
    numbered = [one for items in requests for one in items]
    refused: list[list[Rejection]] = [[] for _ in requests]
    if not numbered:
        return _EMPTY, refused
    places, items = zip(*numbered, strict=True)
    request = np.repeat(np.arange(len(requests)), list(map(len, requests)))
    pings = _columns(request, places, items)
    for row, code in sorted(_judge(pings, items, now_ms).items()):
        rejection = Rejection(places[row], code, _words(code, items[row]))
        refused[int(request[row])].append(rejection)
    return _without(pings, refused), refused


def _without(pings: Pings, refused: Sequence[Sequence[Rejection]]) -> Pings:
    """The pings that were not refused."""
    if not any(refused):
        return pings
    bad = {(number, one.index) for number, some in enumerate(refused) for one in some}
    places = zip(pings.request.tolist(), pings.index, strict=True)
    return pings.at(np.array([row for row, at in enumerate(places) if at not in bad], np.int64))


def _columns(request: Times, places: Sequence[int], items: Sequence[PingIn]) -> Pings:
    names, ts, lats, lons, *more = zip(*map(_FIELDS, items), strict=True)
    accuracies, ids, customers = more
    lat, lon = np.array(lats, dtype=np.float64), np.array(lons, dtype=np.float64)
    return Pings(
        list(places),
        list(names),
        _times(ts),
        lat,
        lon,
        np.array(accuracies, dtype=np.float64),
        ((lat == 0.0) & (lon == 0.0)) | np.array([item.mocked for item in items], dtype=np.bool_),
        _any(ids),
        _any(customers),
        request,
    )


def _times(ts: Sequence[Any]) -> Times:
    """(n,) epoch ms; whole numbers in one go, dates one by one."""
    try:
        found = np.array(ts, dtype=np.int64)
    except (TypeError, OverflowError):
        return np.fromiter(map(_epoch_ms, ts), np.int64, len(ts))
    if found.min() <= -_MOST_MS or found.max() >= _MOST_MS:
        return np.fromiter(map(_epoch_ms, ts), np.int64, len(ts))
    return found


def _judge(pings: Pings, items: Sequence[PingIn], now_ms: int | None) -> dict[int, str]:
    """Row -> code of what cannot be true; the first reason that holds."""
    latest_ms = NEWEST_MS if now_ms is None else now_ms + FUTURE_MS
    reasons = _mark(pings.ts_ms > latest_ms, "future")
    reasons |= _mark(pings.ts_ms < OLDEST_MS, "invalid_time")
    # NaN fails every comparison, so it is caught by "not within"
    within = (np.abs(pings.lat) <= 90.0) & (np.abs(pings.lon) <= 180.0)
    reasons |= _mark(~within, "invalid_position")
    return _faults(pings, items) | reasons


def _mark(bad: NDArray[np.bool_], code: str) -> dict[int, str]:
    return dict.fromkeys(np.flatnonzero(bad).tolist(), code) if bad.any() else {}


def _faults(pings: Pings, items: Sequence[PingIn]) -> dict[int, str]:
    """Codes of items with a name or an accuracy that cannot be; no item is looked at if none."""
    lengths = set(map(len, pings.device_id))
    named = min(lengths) > 0 and max(lengths) <= MAX_ID
    bad_m = (pings.accuracy_m < 0) | (pings.accuracy_m == inf)
    if named and "".join(pings.device_id).isprintable() and not bad_m.any():
        return {}
    found = {row: _fault(item) for row, item in enumerate(items)}
    return {row: code for row, code in found.items() if code is not None}


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


def _epoch_ms(ts: datetime | int) -> int:
    """Whole milliseconds; beyond what 64 bits hold becomes the far past, which is refused."""
    if isinstance(ts, int):
        return ts if -_MOST_MS < ts < _MOST_MS else 0
    return round((ts - _EPOCH).total_seconds() * 1000)


def _any(texts: Sequence[str | None]) -> list[str | None] | None:
    return None if texts.count(None) == len(texts) else list(texts)


_NONE, _NO_TIMES = np.empty(0), np.empty(0, dtype=np.int64)
_EMPTY = Pings([], [], _NO_TIMES, _NONE, _NONE, _NONE, _NONE > 0, None, None, _NO_TIMES)
