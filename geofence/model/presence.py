"""What is remembered of a device: its watermark, and its presence at each geofence."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec


class DeviceKey(NamedTuple):
    """A device within its project."""

    project_id: str
    device_id: str


class Pending(msgspec.Struct, frozen=True):
    """Evidence that waits for a second fix: the first one's time (epoch ms), edge (m, negative inside) and trust."""

    kind: Literal["enter", "exit"]
    ts_ms: int
    edge_m: float
    probability: float
    accuracy_m: float | None = None


class Presence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one device at one geofence. All times epoch ms UTC.

    `inside` False is kept only while evidence waits or a cool-down runs. `before_ms` is the device's watermark before the
    arrival: a late ping in between may move the arrival back, one outside that gap was judged already.
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


class DeviceState(msgspec.Struct, frozen=True):
    """A device's hot state. `watermark_ms` is its newest applied ping; `fix_ms`, `lat`, `lon` the last one worth comparing with.

    `known` False means the record has no row of it yet. `customer_id` is the person who carries it.
    """

    known: bool = False
    watermark_ms: int | None = None
    fix_ms: int | None = None
    lat: float = 0.0
    lon: float = 0.0
    customer_id: str | None = None
    presences: dict[str, Presence] = {}


class Visit(msgspec.Struct, frozen=True):
    """From entered to exited: one row of the record, written at arrival and again at departure (epoch ms UTC)."""

    visit_id: str
    device_id: str
    geofence_uid: str
    geofence_id: str
    arrival_ms: int
    last_inside_ms: int
    before_ms: int | None = None
    departure_ms: int | None = None
    points: int = 1
    best_probability: float = 0.0
    customer_id: str | None = None
    store_id: str | None = None
    ring: str | None = None
    inferred: bool = False
    amended: bool = False
    reason: str | None = None
    visit: int = 0
