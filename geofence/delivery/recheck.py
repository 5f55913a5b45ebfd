"""The look before a message is sent: much can have changed since it was composed.

The first reason that holds, in this order:

| reason              | holds when                                                                |
|---------------------|---------------------------------------------------------------------------|
| `consent_withdrawn` | the customer is gone, or no longer agrees to location and to this channel |
| `suppressed`        | the address is closed for this channel                                    |
| `left`              | channels for phones nearby: no device of the customer is inside any more; |
|                     | not asked where the trigger was an exit                                   |
| `no_address`        | push: no device of the customer has this token any more                   |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geofence.delivery.channels import CAMPAIGN_CHANNELS
from geofence.model.customer import LOCATION, Customer
from geofence.model.message import OutboxMessage
from geofence.model.recipient import Recipient


def reasons(
    messages: Iterable[OutboxMessage], recipients: Mapping[str, Recipient]
) -> dict[str, str]:
    """Message id -> why it must not go out; messages that may are left out.

    `recipients` is by message id, as `Outbox.recipients` gives it.
    """
    found = ((message.id, reason(message, recipients[message.id])) for message in messages)
    return {message_id: why for message_id, why in found if why is not None}


def reason(message: OutboxMessage, recipient: Recipient) -> str | None:
    """Why the message must not go out, None when it may."""
    kind = CAMPAIGN_CHANNELS.get(message.channel)
    purposes = () if kind is None else (LOCATION, kind.purpose)
    if (message.customer_id or purposes) and not _agrees(recipient.customer, purposes):
        return "consent_withdrawn"
    if recipient.suppressed:
        return "suppressed"
    near = kind is not None and kind.only_near and message.content.get("near") is not False
    if near and not recipient.inside:
        return "left"
    if message.channel == "push" and not recipient.registered:
        return "no_address"
    return None


def _agrees(customer: Customer | None, purposes: Iterable[str]) -> bool:
    return customer is not None and all(customer.agreed(purpose) for purpose in purposes)
