"""Our own format: events, visits, and what a poster of pings is told.

Ids are the retailer's, times RFC 3339 in UTC with milliseconds, distances metres. No event carries
a position.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.http.fields import moment_text
from api.http.problems import RejectedItem
from geofence.model.event import Event, EventKind
from geofence.model.place import Geofence
from geofence.model.presence import Visit
from geofence.model.receipt import DeviceAnswer, Hint, InAppOffer, Near, Receipt

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Include = Literal["events", "offers", "hint"]
VisitId = Annotated[
    str, msgspec.Meta(description="The visit's own id, the same in every event of it.")
]
NthVisit = Annotated[
    int,
    msgspec.Meta(
        description="The how-many-th visit it is of this device to this geofence, from 1."
    ),
]
LastInside = Annotated[
    Moment,
    msgspec.Meta(description="When its newest ping inside was; current while the visit lasts."),
]
Departure = Annotated[
    Moment | None,
    msgspec.Meta(description="When it left, or fell silent; null while the visit lasts."),
]
Points = Annotated[
    int, msgspec.Meta(description="How many pings it is made of; current while it lasts.")
]
BestProbability = Annotated[
    float,
    msgspec.Meta(
        description="How sure the surest of its pings makes it that the device was inside: 0 to 1, always 1 under `exact`."
    ),
]
Inferred = Annotated[
    bool, msgspec.Meta(description="True where silence ended it and no ping outside proved it.")
]
Amended = Annotated[
    bool,
    msgspec.Meta(
        description="True where a late ping has moved its arrival, departure or best probability."
    ),
]
VisitReason = Annotated[
    str | None,
    msgspec.Meta(
        description="`geofence_removed` when it ended because the geofence was removed, disabled or over; else null."
    ),
]
WATCHED = {"ios": 19, "android": 99}


class EventOut(msgspec.Struct, frozen=True):
    """Something that happened to one device at one geofence. Distances metres, times RFC 3339.

    `probability` is how sure it is; null where nothing was seen of it. A crossing opens no visit:
    its `visit_id` is null.
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
        return cls(
            id=event.id,
            kind=event.kind,
            device_id=event.device_id,
            customer_id=event.customer_id,
            geofence_id=event.geofence_id,
            store_id=event.store_id,
            ring=event.ring,
            visit_id=event.visit_id or None,
            visit=event.visit,
            ts=moment_text(event.ts_ms),
            recorded_at=moment_text(event.recorded_ms),
            probability=event.probability,
            edge_m=event.edge_m,
            accuracy_m=event.accuracy_m,
            fix_age_s=event.fix_age_s,
            profile=event.profile,
            first_fix=event.first_fix,
            inferred=event.inferred,
            reason=event.reason,
            duration_s=event.duration_s,
            cell=event.cell,
        )


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
        return cls(
            visit_id=visit.visit_id,
            device_id=visit.device_id,
            customer_id=visit.customer_id,
            geofence_id=visit.geofence_id,
            store_id=visit.store_id,
            ring=visit.ring,
            visit=visit.visit,
            arrival=moment_text(visit.arrival_ms),
            last_inside=moment_text(visit.last_inside_ms),
            departure=None if visit.departure_ms is None else moment_text(visit.departure_ms),
            duration_s=None
            if visit.departure_ms is None
            else (visit.departure_ms - visit.arrival_ms) / 1000,
            points=visit.points,
            best_probability=visit.best_probability,
            inferred=visit.inferred,
            amended=visit.amended,
            reason=visit.reason,
        )


class InsideOut(msgspec.Struct, frozen=True):
    """A geofence the device is inside of."""

    geofence_id: str
    store_id: str | None
    ring: str | None
    name: str | None
    tags: tuple[str, ...]

    @classmethod
    def of(cls, geofence: Geofence) -> InsideOut:
        """The geofence, without its region."""
        return cls(
            geofence.external_id, geofence.store_id, geofence.ring, geofence.name, geofence.tags
        )


class WatchOut(msgspec.Struct, frozen=True):
    """A geofence for the phone's own operating system to watch.

    `edge_m` to its edge, negative inside.
    """

    geofence_id: str
    store_id: str | None
    ring: str | None
    edge_m: float
    region: dict[str, Any]

    @classmethod
    def of(cls, near: Near) -> WatchOut:
        """The geofence with its region."""
        fence = near.geofence
        return cls(
            fence.external_id, fence.store_id, fence.ring, round(near.edge_m, 1), fence.region
        )


class HintOut(msgspec.Struct, frozen=True):
    """Within `safe_radius_m` nothing can happen (null.

    Nothing is anywhere near); ping again after `next_ping_s`.

    `version` names the list of `geofences` to watch; send it with the next ping as `hint_version`,
    and `geofences` is null while that list is still good.
    """

    safe_radius_m: float | None
    next_ping_s: int
    geofences: tuple[WatchOut, ...] | None
    version: str

    @classmethod
    def of(cls, hint: Hint) -> HintOut:
        """The hint as clients see it."""
        near = None if hint.geofences is None else tuple(map(WatchOut.of, hint.geofences))
        return cls(hint.safe_radius_m, hint.next_ping_s, near, hint.version)


class OfferOut(msgspec.Struct, frozen=True):
    """An offer to show in the app until `expires_at`; `code` is null where the offer has none."""

    message_id: str
    campaign_id: str
    store_id: str | None
    title: str
    body: str
    link: str | None
    code: str | None
    expires_at: Moment

    @classmethod
    def of(cls, shown: InAppOffer) -> OfferOut:
        """The offer as the app gets it."""
        return cls(
            message_id=shown.message_id,
            campaign_id=shown.campaign_id,
            store_id=shown.store_id or None,
            title=shown.title,
            body=shown.body,
            link=shown.link,
            code=shown.code or None,
            expires_at=moment_text(shown.expires_ms),
        )


class DeviceAnswerOut(msgspec.Struct, frozen=True):
    """What followed for one device; each part is there when it was asked for.

    `geofences` are those it is inside of.
    """

    events: tuple[EventOut, ...] | UnsetType = UNSET
    geofences: tuple[InsideOut, ...] | UnsetType = UNSET
    offers: tuple[OfferOut, ...] | UnsetType = UNSET
    hint: HintOut | UnsetType | None = UNSET

    @classmethod
    def of(cls, answer: DeviceAnswer, include: frozenset[str]) -> DeviceAnswerOut:
        """The parts named by `include`."""
        return cls(
            events=tuple(map(EventOut.of, answer.events)) if "events" in include else UNSET,
            geofences=tuple(map(InsideOut.of, answer.inside)) if "events" in include else UNSET,
            offers=tuple(map(OfferOut.of, answer.offers)) if "offers" in include else UNSET,
            hint=(HintOut.of(answer.hint) if answer.hint else None) if "hint" in include else UNSET,
        )


class PingAnswerOut(msgspec.Struct, frozen=True):
    """The phone's call: what happened, where it is inside, what to show, and when to speak next."""

    events: tuple[EventOut, ...]
    geofences: tuple[InsideOut, ...]
    offers: tuple[OfferOut, ...]
    hint: HintOut | None


class ReceiptOut(msgspec.Struct, frozen=True):
    """What became of a batch.

    Everything that follows from the accepted items is on stable storage.
    """

    result: Literal["ok"]
    accepted: int
    duplicates: int
    rejected: tuple[RejectedItem, ...]
    devices: dict[str, DeviceAnswerOut] | UnsetType = UNSET


def receipt_out(receipt: Receipt, include: frozenset[str]) -> ReceiptOut:
    """The receipt as clients see it; `devices` only when something was asked for."""
    devices = {
        name: DeviceAnswerOut.of(answer, include) for name, answer in receipt.devices.items()
    }
    return ReceiptOut(
        "ok",
        receipt.accepted,
        receipt.duplicates,
        rejected_items(receipt),
        devices if include else UNSET,
    )


def rejected_items(receipt: Receipt) -> tuple[RejectedItem, ...]:
    """The refused items in request order."""
    return tuple(RejectedItem(*one) for one in sorted(receipt.rejected))


def ping_answer_out(answer: DeviceAnswer) -> PingAnswerOut:
    """The answer to the phone's own call."""
    return PingAnswerOut(
        events=tuple(map(EventOut.of, answer.events)),
        geofences=tuple(map(InsideOut.of, answer.inside)),
        offers=tuple(map(OfferOut.of, answer.offers)),
        hint=HintOut.of(answer.hint) if answer.hint else None,
    )
