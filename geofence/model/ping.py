"""A ping in its three forms: one item as posted, a batch as columns, and one fix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

MAX_ID = 128


class PingIn(msgspec.Struct, frozen=True):
    """One position as posted.

    Degrees WGS84, metres, metres per second; `ts` RFC 3339 with offset or epoch ms.

    `hint_version` names the list of geofences that the phone watches, as the last hint did.
    `speed_mps`, `heading_deg`, `altitude_m`, `battery` and `attributes` are accepted and ignored.
    """

    lat: float
    lon: float
    ts: Annotated[datetime, msgspec.Meta(tz=True)] | int
    device_id: str = ""
    id: str | None = None
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    battery: float | None = None
    mocked: bool = False
    customer_id: str | None = None
    attributes: dict[str, Any] | None = None
    hint_version: str | None = None


class Rejection(NamedTuple):
    """Why one item of a batch was refused.

    `index` is its place in the request; `detail` never holds a position.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which no rejection needs
    code: str
    detail: str


class Fix(NamedTuple):
    """Where a phone says it was: epoch ms, degrees, metres (None where it does not say)."""

    ts_ms: int
    lat: float
    lon: float
    accuracy_m: float | None = None


@dataclass(frozen=True, slots=True)
class Pings:
    """Pings of one or more requests as columns of length n, in order of arrival.

    `index` is the item's place in its request, `request` (n,) int64 the request's number; `ts_ms`
    (n,) int64 epoch ms UTC; `lat`, `lon` (n,) degrees; `accuracy_m` (n,) metres, NaN where missing;
    `suspect` (n,) bool is 0,0 or mocked (speed is judged later, against the previous ping). `id`
    and `customer_id` are None where no ping has one.
    """

    index: list[int]
    device_id: list[str]
    ts_ms: Times
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    suspect: NDArray[np.bool_]
    id: list[str | None] | None
    customer_id: list[str | None] | None
    request: Times

    def __len__(self) -> int:
        return len(self.device_id)

    def at(self, rows: NDArray[np.int64]) -> Pings:
        """Some of the pings, in the order of `rows`."""
        some = rows.tolist()
        return Pings(
            [self.index[row] for row in some],
            [self.device_id[row] for row in some],
            self.ts_ms[rows],
            self.lat[rows],
            self.lon[rows],
            self.accuracy_m[rows],
            self.suspect[rows],
            None if self.id is None else [self.id[row] for row in some],
            None if self.customer_id is None else [self.customer_id[row] for row in some],
            self.request[rows],
        )

    def fixes(self) -> list[Fix]:
        """The pings one by one."""
        accuracy_m: list[float | None] = self.accuracy_m.tolist()
        if np.isnan(self.accuracy_m).any():
            accuracy_m = [None if one != one else one for one in accuracy_m]  # NaN is not itself
        columns = (self.ts_ms.tolist(), self.lat.tolist(), self.lon.tolist(), accuracy_m)
        return list(map(Fix._make, zip(*columns, strict=True)))
