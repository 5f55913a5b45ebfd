"""A device stayed inside for the time the campaign names."""

from __future__ import annotations

from geofence.model.campaign import Trigger
from geofence.model.event import Event

NAME = "dwelled"
KIND = "geofence.dwelled"


def matches(event: Event, trigger: Trigger) -> bool:
    """Whether the trigger means this event, which is of its kind: same ring, same dwell time."""
    return (trigger.ring is None or trigger.ring == event.ring) and trigger.dwell_s == event.dwell_s
