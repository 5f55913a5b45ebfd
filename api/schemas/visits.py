"""Visits: from entered to exited."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import Field

from api.http.fields import Name
from api.http.filters import By, TimedPage
from api.schemas.shown import Moment, shown
from geofence.model.presence import Visit

VisitId = Annotated[str, Meta(description="The visit's own id, the same in every event of it.")]
NthVisit = Annotated[
    int, Meta(description="Ordinal of the visit for this device and geofence, from 1.")
]
LastInside = Annotated[
    Moment,
    Meta(description="Time of the newest ping inside; it moves while the visit lasts."),
]
Departure = Annotated[
    Moment | None,
    Meta(description="When the device left or fell silent; null while the visit lasts."),
]
Points = Annotated[
    int, Meta(description="Number of pings in the visit; it grows while the visit lasts.")
]
BestProbability = Annotated[
    float,
    Meta(
        description="The highest probability, over its pings, that the device was inside:"
        " 0 to 1, always 1 under `exact`."
    ),
]
Inferred = Annotated[
    bool, Meta(description="True where silence ended the visit and no ping outside proved it.")
]
Amended = Annotated[
    bool,
    Meta(
        description="True where a late ping has moved the arrival, departure or best probability."
    ),
]
VisitReason = Annotated[
    str | None,
    Meta(
        description="`geofence_removed` when the visit ended because the geofence was removed,"
        " disabled or over; else null."
    ),
]


class VisitOut(msgspec.Struct, frozen=True):
    """One stay of a device at a geofence; `departure` and `duration_s` are null while it lasts."""

    visit_id: VisitId
    device_id: str
    customer_id: str | None
    geofence_id: str
    store_id: str | None
    ring: str | None
    visit: NthVisit
    arrival: Moment
    last_inside: LastInside
    departure: Departure
    duration_s: float | None
    points: Points
    best_probability: BestProbability
    inferred: Inferred
    amended: Amended
    reason: VisitReason

    @classmethod
    def of(cls, visit: Visit) -> VisitOut:
        """The visit as clients see it."""
        end_ms = visit.departure_ms
        return shown(
            cls, visit, duration_s=None if end_ms is None else (end_ms - visit.arrival_ms) / 1000
        )


class VisitPage(msgspec.Struct, frozen=True):
    """A page of visits, by arrival."""

    data: tuple[VisitOut, ...]
    next_cursor: str | None


class VisitFilters(TimedPage):
    """Which visits; `since` and `until` are about the arrival."""

    device: By = None
    customer: By = None
    store: By = None
    geofence: By = None
    visit: Annotated[Name | None, Field(description="The `visit_id` that an event names.")] = None

    def _given(self) -> dict[str, Any]:
        given = super()._given()
        return given | {"id": given.pop("visit")}
