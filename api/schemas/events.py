"""Events: what happened, as clients see it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from api.http.filters import By, Query, TimedPage
from api.schemas.shown import Moment, shown
from geofence.model.event import Event, EventKind


class EventOut(msgspec.Struct, frozen=True):
    """Something that happened to one device at one geofence.

    Distances in metres, times RFC 3339. `probability` is how certain it is, null where no ping
    shows it. A crossing opens no visit: its `visit_id` is null. No event carries a position.
    """

    id: str
    kind: EventKind
    device_id: str
    customer_id: str | None
    geofence_id: str
    store_id: str | None
    ring: str | None
    visit_id: str | None
    visit: int
    ts: Moment
    recorded_at: Moment
    probability: float | None
    edge_m: float | None
    accuracy_m: float | None
    fix_age_s: float | None
    profile: str
    first_fix: bool
    inferred: bool
    reason: str | None
    duration_s: float | None
    cell: str | None

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The event as clients see it."""
        return shown(cls, event)


class EventPage(msgspec.Struct, frozen=True):
    """A page of events, in the order in which they became visible."""

    data: tuple[EventOut, ...]
    next_cursor: str | None


class EventFilters(TimedPage):
    """Which events."""

    device: By = None
    customer: By = None
    store: By = None
    geofence: By = None
    visit: By = None
    kind: EventKind | None = None


class StreamFilters(Query):
    """Which events of the stream, and from where on."""

    kind: EventKind | None = None
    store: By = None
    since_seq: Annotated[
        int | None,
        Field(ge=0, lt=2**63, description="Events after this `id` of the stream; 0 is the start."),
    ] = None
