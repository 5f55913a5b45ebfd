"""Our own format: pings in, and a receipt with what followed for each device.

Ids are the retailer's, times RFC 3339 in UTC with milliseconds, distances in metres.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from api.http.problems import FieldWarning, Refusal, RejectedItem, answer
from api.schemas.events import EventOut
from api.schemas.geofences import InsideGeofenceOut, NearbyGeofenceOut
from api.schemas.shown import Moment, shown
from api.wire.format import Intake, Posted, encoded
from api.wire.native_in import read_pings
from geofence.model.receipt import DeviceAnswer, Hint, InAppOffer, Receipt

NAME = "native"
Include = Literal["events", "offers", "hint"]
WATCHED = {"ios": 19, "android": 99}


class HintOut(msgspec.Struct, frozen=True):
    """How far and how long the phone may stay silent.

    Within `safe_radius_m` of its position nothing can happen; null means that no geofence is near.
    The next ping is due after `next_ping_s`. `version` names the list of `geofences` to watch:
    sent with the next ping as `hint_version`, it keeps an unchanged list out of the answer
    (`geofences` is null).
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
    """What followed for one device; `include` chooses the parts.

    `geofences` are those that the device is inside of.
    """

    events: tuple[EventOut, ...] | UnsetType = UNSET
    geofences: tuple[InsideGeofenceOut, ...] | UnsetType = UNSET
    offers: tuple[InAppOfferOut, ...] | UnsetType = UNSET
    hint: HintOut | UnsetType | None = UNSET

    @classmethod
    def of(cls, answer: DeviceAnswer, include: frozenset[str]) -> DeviceAnswerOut:
        """The parts that `include` names."""
        return cls(
            events=tuple(map(EventOut.of, answer.events)) if "events" in include else UNSET,
            geofences=tuple(map(InsideGeofenceOut.of, answer.inside))
            if "events" in include
            else UNSET,
            offers=tuple(map(InAppOfferOut.of, answer.offers)) if "offers" in include else UNSET,
            hint=(HintOut.of(answer.hint) if answer.hint else None) if "hint" in include else UNSET,
        )


class PingAnswerOut(msgspec.Struct, frozen=True):
    """The answer to the phone's call.

    What happened, the geofences the device is inside of, the offers to show, and the next hint.
    `warnings` is there where the ping has misspelt fields.
    """

    events: tuple[EventOut, ...]
    geofences: tuple[InsideGeofenceOut, ...]
    offers: tuple[InAppOfferOut, ...]
    hint: HintOut | None
    warnings: tuple[FieldWarning, ...] | UnsetType = UNSET


class ReceiptOut(msgspec.Struct, frozen=True):
    """The outcome of a batch.

    Everything that follows from the accepted items is on stable storage. `warnings` is there where
    pings have misspelt fields.
    """

    result: Literal["ok"]
    accepted: int
    duplicates: int
    rejected: tuple[RejectedItem, ...]
    devices: dict[str, DeviceAnswerOut] | UnsetType = UNSET
    warnings: tuple[FieldWarning, ...] | UnsetType = UNSET


def read(posted: Posted, max_items: int) -> Intake:
    """The pings of a body: one object, an array, `{"pings": [...]}`, or NDJSON."""
    return read_pings(posted.body, max_items, posted.media_type)


def write(receipt: Receipt, intake: Intake, include: frozenset[str]) -> Response:
    """The receipt; a refusal (422) where every item was refused."""
    if receipt.rejected and not receipt.accepted and not receipt.duplicates:
        refusal = Refusal(422, "rejected", "Every item was refused; see rejected.")
        return answer(refusal, rejected_items(receipt), intake.warnings)
    devices = {name: DeviceAnswerOut.of(one, include) for name, one in receipt.devices.items()}
    written = ReceiptOut(
        "ok",
        receipt.accepted,
        receipt.duplicates,
        rejected_items(receipt),
        devices if include else UNSET,
        intake.warnings or UNSET,
    )
    return encoded(written, 202)


def write_one(receipt: Receipt, intake: Intake, device_id: str) -> Response:
    """The answer to the phone's call, a batch of one ping."""
    if receipt.rejected:
        refusal = Refusal(422, receipt.rejected[0].code, receipt.rejected[0].detail)
        return answer(refusal, rejected_items(receipt), intake.warnings)
    found = receipt.devices.get(device_id, DeviceAnswer())
    written = PingAnswerOut(
        events=tuple(map(EventOut.of, found.events)),
        geofences=tuple(map(InsideGeofenceOut.of, found.inside)),
        offers=tuple(map(InAppOfferOut.of, found.offers)),
        hint=HintOut.of(found.hint) if found.hint else None,
        warnings=intake.warnings or UNSET,
    )
    return encoded(written, 202)


def rejected_items(receipt: Receipt) -> tuple[RejectedItem, ...]:
    """The refused items in request order."""
    return tuple(RejectedItem(*one) for one in sorted(receipt.rejected))
