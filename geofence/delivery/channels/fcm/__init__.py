"""Push through Firebase Cloud Messaging: Android, iOS and web."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from geofence.delivery.app_offer import app_content
from geofence.delivery.channel import Address, Channel, ChannelKind
from geofence.model.campaign import MessagePlan, Text
from geofence.model.case import Case

NAME = "push"
RETRY_S = (5, 15, 45, 120, 300)


class PushPlan(MessagePlan, frozen=True, kw_only=True, tag=NAME):
    """A push as templates; `ttl_s` from the decision to its expiry."""

    title: Text
    body: Text
    link: str | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 900
    when: Literal["always"] = "always"


def address(case: Case) -> Address | None:
    """The phone that caused the event where it has a push token, else the one last seen."""
    here = (device for device in case.devices if device.device_id == case.event.device_id)
    device = next(here, next(iter(case.devices), None))
    return None if device is None else Address(device.push_token or "", device.device_id)


def from_settings(settings: Mapping[str, Any]) -> Channel | None:
    """The channel of the service account that `fcm_credentials` names."""
    if not settings["fcm_credentials"]:
        return None
    from geofence.delivery.channels.fcm.channel import Fcm

    return Fcm(settings["fcm_credentials"], endpoint=settings["fcm_endpoint"])


KIND = ChannelKind(
    NAME,
    PushPlan,
    templates=("title", "body", "link"),
    purpose="push",
    stops="offers as notifications",
    address=address,
    content=app_content,
    only_near=True,
    in_answer=True,
    settings={"fcm_credentials": "fcm_credentials", "fcm_endpoint": "fcm_endpoint"},
    from_settings=from_settings,
)
