"""What tracking one device through one batch brings: the steps that the journal writes down.

`track` makes these without ids, ports or look-ups of past visits; `journal.py` reads them in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from geofence.detection.transition import Transition
from geofence.model.ping import Fix
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, DeviceState, Presence


class Changed(NamedTuple):
    """The transitions of one ping or one moment, and every presence of the device after it.

    `fix` is the ping, None where a timer or an edit made the transitions.
    """

    customer_id: str | None
    transitions: list[Transition]
    presences: tuple[Presence, ...]
    fix: Fix | None = None


class Crossed(NamedTuple):
    """A line between two fixes that cut a geofence, `end` being the second fix.

    `edge_m` is the closest approach (signed m, negative inside).
    """

    customer_id: str | None
    fence: Geofence
    end: Fix
    edge_m: float
    probability: float


class Orphaned(NamedTuple):
    """A presence whose geofence is in no catalogue any more.

    It ends at `ts_ms`; `by_ms` is the time of the ping that shows it, 0 where no ping does.
    """

    presence: Presence
    ts_ms: int
    by_ms: int = 0


class LateSighting(NamedTuple):
    """A late ping inside a geofence, and the presence there before it.

    `edge_m` is the signed distance to the edge (m), `probability` P(inside). Where the ping is not
    older than the arrival, the tracked presence is amended already; else the past visits decide.
    """

    customer_id: str | None
    uid: str
    presence: Presence | None
    fix: Fix
    edge_m: float
    probability: float


Step = Changed | Crossed | Orphaned | LateSighting


@dataclass(slots=True)
class Tracked:
    """One device after its pings of one batch, or after one moment.

    `written` says that the record must hold the new state; `moved` that only its watermark moved.
    Presences of visits that began here have no visit id yet; `fresh` says that the state's
    presences are a dict of its own, into which the journal may put them.
    """

    key: DeviceKey
    state: DeviceState
    steps: list[Step] = field(default_factory=list)
    written: bool = False
    moved: bool = False
    fresh: bool = False
