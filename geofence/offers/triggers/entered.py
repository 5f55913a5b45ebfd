"""A device entered a geofence."""

from __future__ import annotations

from geofence.model.campaign import Trigger
from geofence.model.event import Event

NAME = "entered"
KIND = "geofence.entered"


def matches(event: Event, trigger: Trigger) -> bool:
    """Whether the trigger means this event, which is of its kind."""
    return trigger.ring is None or trigger.ring == event.ring
