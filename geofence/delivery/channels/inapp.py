"""In-app: the app shows the offer from the answer to the ping that caused it.

The answer is the delivery, so the message is `sent` as soon as it is written, and no worker takes
it. It needs no consent but the one to location.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from geofence.delivery.app_offer import app_content
from geofence.delivery.channel import Address, ChannelKind
from geofence.model.campaign import MessagePlan, Text
from geofence.model.case import Case

NAME = "inapp"


class InAppPlan(MessagePlan, frozen=True, kw_only=True, tag=NAME):
    """An offer in the app as templates; `ttl_s` from the decision to its expiry."""

    title: Text
    body: Text
    link: str | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 900
    when: Literal["always"] = "always"


def address(case: Case) -> Address:
    """The phone that caused the event; it needs no token."""
    return Address(case.event.device_id, case.event.device_id)


KIND = ChannelKind(
    NAME,
    InAppPlan,
    templates=("title", "body", "link"),
    stops="offers by location",
    address=address,
    content=app_content,
    only_near=True,
    in_answer=True,
    by_answer=True,
)
