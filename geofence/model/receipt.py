"""The answer to a request with pings."""

from __future__ import annotations

import msgspec

from geofence.model.event import Event
from geofence.model.ping import Rejection
from geofence.model.place import Geofence


class Near(msgspec.Struct, frozen=True):
    """A geofence worth watching, with the signed distance to its edge (m, negative inside)."""

    geofence: Geofence
    edge_m: float


class Hint(msgspec.Struct, frozen=True):
    """How far and how long the phone may sleep.

    `safe_radius_m` None means nothing is anywhere near.

    `geofences` are those to watch, None where the list that the phone has is still good; `version`
    names the list.
    """

    safe_radius_m: float | None
    next_ping_s: int
    geofences: tuple[Near, ...] | None = ()
    version: str = ""


class InAppOffer(msgspec.Struct, frozen=True):
    """An offer for the app to show.

    `expires_ms` epoch ms UTC; `code` empty where the offer has none.
    """

    message_id: str
    campaign_id: str
    store_id: str
    title: str
    body: str
    expires_ms: int
    link: str | None = None
    code: str = ""


class DeviceAnswer(msgspec.Struct, frozen=True):
    """What happened to one device in a batch, where it is inside now, and its hint (if any)."""

    events: tuple[Event, ...] = ()
    inside: tuple[Geofence, ...] = ()
    hint: Hint | None = None
    offers: tuple[InAppOffer, ...] = ()


class Receipt(msgspec.Struct, frozen=True):
    """The outcome of a batch. `devices` is filled only when the poster asked what happened."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...]
    devices: dict[str, DeviceAnswer] = {}
