"""Whom a message goes to, as the record knows it right before sending."""

from __future__ import annotations

import msgspec

from geofence.model.customer import Customer


class Recipient(msgspec.Struct, frozen=True):
    """The facts about one message's recipient.

    `customer` is None when unknown or erased. `suppressed`: the address is closed for the message's
    channel. `inside`: the message's device, or another one of its customer, is inside its geofence.
    `registered`: a device of the customer, or of no customer, has the address as its push token.
    """

    customer: Customer | None = None
    suppressed: bool = False
    inside: bool = False
    registered: bool = False
