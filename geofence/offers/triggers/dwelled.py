"""A device stayed inside for the time the campaign names."""

from __future__ import annotations

from geofence.model.campaign import Trigger
from geofence.model.event import Event

NAME = "dwelled"
KIND = "geofence.dwelled"


def matches(event: Event, trigger: Trigger) -> bool:
    """Whether this event, already of the right kind, is meant.

    The ring, and the very dwell time.
    """
    return (trigger.ring is None or trigger.ring == event.ring) and trigger.dwell_s == event.dwell_s
