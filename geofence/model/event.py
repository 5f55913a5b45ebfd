"""What happened: entered, dwelled, exited, crossed, stopped, amended."""

from __future__ import annotations

from typing import Literal

import msgspec

EventKind = Literal[
    "geofence.entered",
    "geofence.dwelled",
    "geofence.exited",
    "geofence.crossed",
    "device.stopped",
    "visit.amended",
]


class Event(msgspec.Struct, frozen=True):
    """One thing that happened. Times epoch ms UTC, distances metres, durations seconds.

    `id` is made from facts (visit, kind, dwell), so an event that is found twice is one row.
    `visit_id` is empty for a crossing: no visit was opened. `stream_seq` and `visit` are given by
    the record: the reading order, and the n-th visit of this device here (for display only).
    `by_ms` is the time of the ping that caused it where that is not `ts_ms`, and 0 where a timer or
    an edit did.
    """

    id: str
    kind: EventKind
    project_id: str
    device_id: str
    ts_ms: int
    recorded_ms: int
    geofence_uid: str
    geofence_id: str
    visit_id: str
    profile: str
    customer_id: str | None = None
    store_id: str | None = None
    ring: str | None = None
    probability: float | None = None
    edge_m: float | None = None
    accuracy_m: float | None = None
    fix_age_s: float | None = None
    first_fix: bool = False
    inferred: bool = False
    reason: str | None = None
    duration_s: float | None = None
    dwell_s: int | None = None
    cell: str | None = None
    visit: int = 0
    stream_seq: int = 0
    by_ms: int | None = None
