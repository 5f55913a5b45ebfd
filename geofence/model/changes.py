"""What one unit of work adds to the record."""

from __future__ import annotations

from dataclasses import dataclass, field

from geofence.model.event import Event
from geofence.model.presence import DeviceKey, DeviceState, Visit


@dataclass(slots=True)
class Changes:
    """New states, events and visits of a unit.

    `states` are devices that are new, or whose presences or customer changed: hot state writes
    them. `watermarks` are devices of which only the watermark moved: hot state remembers them until
    the process ends, where it has a memory. `visits` is by visit id: (project id, visit).
    """

    states: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    watermarks: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    visits: dict[str, tuple[str, Visit]] = field(default_factory=dict)
