"""Our own format: events, visits, and what a poster of pings is told.

Ids are the retailer's, times RFC 3339 in UTC with milliseconds, distances metres. No event carries
a position.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.http.problems import RejectedItem
from api.schemas.events import EventOut
from api.schemas.geofences import InsideGeofenceOut, NearbyGeofenceOut
from api.schemas.shown import Moment, shown
from geofence.model.receipt import DeviceAnswer, Hint, InAppOffer, Receipt

Include = Literal["events", "offers", "hint"]
WATCHED = {"ios": 19, "android": 99}


class HintOut(msgspec.Struct, frozen=True):
    """Within `safe_radius_m` nothing can happen (null.

    Nothing is anywhere near); ping again after `next_ping_s`.

    `version` names the list of `geofences` to watch; send it with the next ping as `hint_version`,
    and `geofences` is null while that list is still good.
    """

    safe_radius_m: float | None
    next_ping_s: int
    geofences: tuple[NearbyGeofenceOut, ...] | None
    version: str

    @classmethod
    def of(cls, hint: Hint) -> HintOut:
        """The hint as clients see it."""
        near = None if hint.geofences is None else tuple(map(NearbyGeofenceOut.of, hint.geofences))
        return cls(hint.safe_radius_m, hint.next_ping_s, near, hint.version)


class InAppOfferOut(msgspec.Struct, frozen=True):
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
    def of(cls, offer: InAppOffer) -> InAppOfferOut:
        """The offer as the app gets it."""
        return shown(cls, offer, code=offer.code or None)


class DeviceAnswerOut(msgspec.Struct, frozen=True):
    """What followed for one device; each part is there when it was asked for.

    `geofences` are those it is inside of.
    """

    events: tuple[EventOut, ...] | UnsetType = UNSET
    geofences: tuple[InsideGeofenceOut, ...] | UnsetType = UNSET
    offers: tuple[InAppOfferOut, ...] | UnsetType = UNSET
    hint: HintOut | UnsetType | None = UNSET

    @classmethod
    def of(cls, answer: DeviceAnswer, include: frozenset[str]) -> DeviceAnswerOut:
        """The parts named by `include`."""
        return cls(
            events=tuple(map(EventOut.of, answer.events)) if "events" in include else UNSET,
            geofences=tuple(map(InsideGeofenceOut.of, answer.inside))
            if "events" in include
            else UNSET,
            offers=tuple(map(InAppOfferOut.of, answer.offers)) if "offers" in include else UNSET,
            hint=(HintOut.of(answer.hint) if answer.hint else None) if "hint" in include else UNSET,
        )


class PingAnswerOut(msgspec.Struct, frozen=True):
    """The phone's call: what happened, where it is inside, what to show, and when to speak next."""

    events: tuple[EventOut, ...]
    geofences: tuple[InsideGeofenceOut, ...]
    offers: tuple[InAppOfferOut, ...]
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
        geofences=tuple(map(InsideGeofenceOut.of, answer.inside)),
        offers=tuple(map(InAppOfferOut.of, answer.offers)),
        hint=HintOut.of(answer.hint) if answer.hint else None,
    )
