"""What is remembered of a device: its watermark, and its presence at each geofence."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class DeviceKey(NamedTuple):
    """A device within its project."""

    project_id: str
    device_id: str


class Evidence(NamedTuple):
    """A fix as a sign of coming or leaving.

    Its time (epoch ms), edge (m, negative inside), probability and accuracy (m).
    """

    ts_ms: int
    edge_m: float
    probability: float
    accuracy_m: float | None = None


class Pending(msgspec.Struct, frozen=True):
    """Evidence that waits for more.

    The first fix's time (epoch ms), edge (m, negative inside) and trust.

    `proof` is what all fixes so far prove (`detection/evidence.py`), `best` what the best of them
    proves alone, `fixes` how many new ones they are worth, `last_ms` the time of the newest;
    `signs` those of leaving, one by one (`detection/pending.py`).
    """

    kind: Literal["enter", "exit"]
    ts_ms: int
    edge_m: float
    probability: float
    accuracy_m: float | None = None
    proof: float = 0.0
    best: float = 0.0
    fixes: float = 1.0
    last_ms: int = 0
    signs: tuple[Evidence, ...] = ()


class Spot(msgspec.Struct, frozen=True):
    """Where a device was (degrees) and since when (epoch ms)."""

    since_ms: int
    lat: float
    lon: float


class Stop(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device that may be standing still.

    Where and since when, whether the stop was reported, and a first fix away from there.
    """

    at: Spot
    reported: bool = msgspec.field(default=False, name="told")  # the name it was stored under
    departure: Spot | None = msgspec.field(default=None, name="away")


class Presence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one device at one geofence. All times epoch ms UTC.

    `inside` False is kept only while evidence waits or a cool-down runs. `before_ms` is the
    device's watermark before the arrival: a late ping in between may move the arrival back, one
    outside that gap was judged already. `entered_ms` is the arrival as it was reported: late pings
    do not move it. `lag_ms` is how far the device's newest ping was behind our clock: timers, which
    run on the time of pings, are due so much later on ours.
    """

    geofence_uid: str
    inside: bool
    visit_id: str | None = None
    arrival_ms: int = 0
    before_ms: int | None = None
    last_inside_ms: int = 0
    last_ms: int = 0
    points: int = 0
    best_probability: float = 0.0
    pending: Pending | None = None
    left_ms: int | None = None
    dwelled: tuple[int, ...] = ()
    amended: bool = False
    due_ms: int | None = None
    stop: Stop | None = None
    entered_ms: int | None = None
    lag_ms: int = 0


class DeviceState(msgspec.Struct, frozen=True):
    """A device's hot state.

    `watermark_ms` is its newest applied ping; `fix_ms`, `lat`, `lon` the last one worth comparing
    with, `fix_accuracy_m` what it claimed. `odd_ms`, `odd_lat`, `odd_lon` is a fix that was too far
    from it to be believed alone.

    `known` False means the record has no row of it yet. `customer_id` is the person who carries it.
    """

    known: bool = False
    watermark_ms: int | None = None
    fix_ms: int | None = None
    lat: float = 0.0
    lon: float = 0.0
    customer_id: str | None = None
    presences: dict[str, Presence] = {}
    fix_accuracy_m: float | None = None
    odd_ms: int | None = None
    odd_lat: float = 0.0
    odd_lon: float = 0.0


class Visit(msgspec.Struct, frozen=True):
    """From entered to exited.

    One row of the record, written at arrival and again at departure (epoch ms UTC).

    `before_ms` and `after_ms` bound the time in which a late ping may still move the arrival and
    the departure: what lies beyond was judged already. Both are what they were when the visit began
    and ended, so the order of late pings is nothing.
    """

    visit_id: str
    device_id: str
    geofence_uid: str
    geofence_id: str
    arrival_ms: int
    last_inside_ms: int
    before_ms: int | None = None
    departure_ms: int | None = None
    after_ms: int | None = None
    points: int = 1
    best_probability: float = 0.0
    customer_id: str | None = None
    store_id: str | None = None
    ring: str | None = None
    inferred: bool = False
    amended: bool = False
    reason: str | None = None
    visit: int = 0
