"""Step 1 for a group of requests: one unit system, and the impossible refused, request by request.

Items of all requests become columns at once; 64 requests of one ping are one batch of 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import MAX_ID, Floats, PingIn, Rejection, Times
from geofence.street.normalise import epoch_ms, fault_of, judge, words_of

Items = Sequence[tuple[int, PingIn]] | Sequence[PingIn]

_FIELDS = attrgetter("device_id", "ts", "lat", "lon", "accuracy_m", "mocked", "id", "customer_id")
_MOST_MS = 2**62


class Group(NamedTuple):
    """(n,) columns of the pings of all requests of a group, in order of arrival.

    `request` is the number of the request in the group, `index` the item's place in it; `ts_ms`
    epoch ms UTC; `lat`, `lon` degrees; `accuracy_m` NaN where missing; `suspect` 0,0 or mocked.
    `id` and `customer_id` are None where no ping has one.
    """

    request: Times
    place: Times
    device_id: list[str]
    ts_ms: Times
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    suspect: NDArray[np.bool_]
    id: list[str | None] | None
    customer_id: list[str | None] | None

    @property
    def size(self) -> int:
        """How many pings."""
        return len(self.device_id)

    def at(self, rows: NDArray[np.int64]) -> Group:
        """Some of the pings, in the order of `rows`."""
        some = rows.tolist()
        return Group(
            self.request[rows],
            self.place[rows],
            [self.device_id[row] for row in some],
            self.ts_ms[rows],
            self.lat[rows],
            self.lon[rows],
            self.accuracy_m[rows],
            self.suspect[rows],
            _some(self.id, some),
            _some(self.customer_id, some),
        )


def gather(
    requests: Sequence[Sequence[tuple[int, PingIn]]], now_ms: int | None
) -> tuple[Group, list[list[Rejection]]]:
    """Columns of every ping that can be true, and by request a rejection for each that cannot.

    `requests` hold (place in the request, item); `now_ms` is the clock, None where pings move it.
    """
    sizes = [len(items) for items in requests]
    numbered = [one for items in requests for one in items]
    refused: list[list[Rejection]] = [[] for _ in requests]
    if not numbered:
        return _EMPTY, refused
    places, pings = zip(*numbered, strict=True)
    group = _columns(np.repeat(np.arange(len(sizes)), sizes), places, pings)
    reasons = judge(group.ts_ms, group.lat, group.lon, now_ms)
    reasons |= _faults(group, pings, reasons)
    for row, code in sorted(reasons.items()):
        rejection = Rejection(places[row], code, words_of(code, pings[row]))
        refused[int(group.request[row])].append(rejection)
    return _without(group, list(reasons)), refused


def _without(group: Group, rows: list[int]) -> Group:
    if not rows:
        return group
    good = np.ones(group.size, dtype=np.bool_)
    good[rows] = False
    return group.at(np.flatnonzero(good))


def _columns(request: Times, places: Sequence[int], pings: Sequence[PingIn]) -> Group:
    names, ts, lats, lons, *more = zip(*map(_FIELDS, pings), strict=True)
    accuracies, mocked, ids, customers = more
    lat, lon = np.array(lats, dtype=np.float64), np.array(lons, dtype=np.float64)
    return Group(
        request,
        np.array(places, dtype=np.int64),
        list(names),
        _times(ts),
        lat,
        lon,
        np.array(accuracies, dtype=np.float64),
        ((lat == 0.0) & (lon == 0.0)) | np.array(mocked, dtype=np.bool_),
        _any(ids),
        _any(customers),
    )


def _times(ts: Sequence[Any]) -> Times:
    """(n,) epoch ms; whole numbers in one go, dates one by one."""
    try:
        found = np.array(ts, dtype=np.int64)
    except (TypeError, OverflowError):
        return np.fromiter(map(epoch_ms, ts), np.int64, len(ts))
    if found.min() <= -_MOST_MS or found.max() >= _MOST_MS:
        return np.fromiter(map(epoch_ms, ts), np.int64, len(ts))
    return found


def _faults(group: Group, pings: Sequence[PingIn], known: dict[int, str]) -> dict[int, str]:
    """Codes of items with a name or an accuracy that cannot be; nothing is looped over if none."""
    lengths = set(map(len, group.device_id))
    named = not lengths or (min(lengths) > 0 and max(lengths) <= MAX_ID)
    bad_m = (group.accuracy_m < 0) | (group.accuracy_m == inf)
    if named and "".join(group.device_id).isprintable() and not bad_m.any():
        return {}
    found = {row: fault_of(ping) for row, ping in enumerate(pings) if row not in known}
    return {row: code for row, code in found.items() if code is not None}


_NONE, _NO_TIMES = np.empty(0), np.empty(0, dtype=np.int64)
_EMPTY = Group(_NO_TIMES, _NO_TIMES, [], _NO_TIMES, _NONE, _NONE, _NONE, _NONE > 0, None, None)


def _any(texts: Sequence[str | None]) -> list[str | None] | None:
    return None if texts.count(None) == len(texts) else list(texts)


def _some(texts: list[str | None] | None, rows: list[int]) -> list[str | None] | None:
    return None if texts is None else [texts[row] for row in rows]
