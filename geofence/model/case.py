"""What a gate gets to see: one event, one campaign, one customer, at one moment.

Everything looked up beforehand.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from geofence.model.account import Device
from geofence.model.campaign import Campaign
from geofence.model.customer import Customer
from geofence.model.decision import Decision
from geofence.model.event import Event
from geofence.model.place import Store


class Case(msgspec.Struct, frozen=True):
    """One event x campaign x customer.

    `now_ms` epoch ms UTC; `local` the same moment on the wall of the store (naive); `store_open`
    None where the hours are unknown; `devices` the customer's, with a push token, last seen first;
    `sent` the customer's send and holdout decisions, oldest first; `rings` the radius (m) of each
    ring of the store by name; `approach` those of `sent` made on this approach.
    """

    event: Event
    campaign: Campaign
    now_ms: int
    local: datetime
    store: Store | None = None
    store_open: bool | None = None
    customer: Customer | None = None
    devices: tuple[Device, ...] = ()
    sent: tuple[Decision, ...] = ()
    approach: tuple[Decision, ...] = ()
    rings: dict[str, float] = {}
