"""What waits in the writer's queue, and what a unit of work makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from geofence.detection.duplicates import UnitPrints
from geofence.hints.safe_radius import Wake
from geofence.model.decision import Decision
from geofence.model.edit import EditArguments
from geofence.model.event import Event
from geofence.model.message import OutboxMessage
from geofence.model.ping import Fix, PingIn, Rejection
from geofence.model.presence import DeviceKey, DeviceState
from geofence.model.receipt import Receipt
from geofence.ports.decisions import NewDecisions

IOS_WATCHES, ANDROID_WATCHES = 19, 99


@dataclass(slots=True, eq=False)
class Post:
    """A request's pings, and the promise of an answer."""

    project_id: str
    items: Sequence[tuple[int, PingIn]]
    rejected: Sequence[Rejection] = ()
    include: frozenset[str] = frozenset()
    watch: int = IOS_WATCHES
    wake: Wake = "clock"
    again: bool = False
    future: Future[Receipt] = field(default_factory=Future)

    @property
    def weight(self) -> int:
        """How many pings the request carries."""
        return len(self.items)


@dataclass(slots=True, eq=False)
class Edit:
    """A change to be made in a unit of its own: plain data, run by the handler of its kind.

    `project_id` is empty for the service's own edits, which belong to no project.
    """

    project_id: str
    arguments: EditArguments
    again: bool = False
    future: Future[Any] = field(default_factory=Future)

    @property
    def weight(self) -> int:
        """How many pings it counts for in the queue."""
        return 1


@dataclass(slots=True, eq=False)
class Retime:
    """Timers to be set again, as the newest rules have them, at geofences whose dwell changed.

    `keys` are the devices left to do, None before the first of them are looked up.
    """

    project_id: str
    uids: Sequence[str]
    keys: Sequence[DeviceKey] | None = None
    again: bool = False

    @property
    def weight(self) -> int:
        """How many pings it counts for in the queue."""
        return 1


@dataclass(slots=True)
class Tally:
    """What became of one request's pings.

    `events` and `repeated` (times, epoch ms) by device id.
    """

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    suspect: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    events: dict[str, list[Event]] = field(default_factory=dict)
    repeated: dict[str, list[int]] = field(default_factory=dict)


class DeviceInBatch(NamedTuple):
    """A device of a request: its newest ping, and its state before and after the request.

    `item` is the newest ping's place in the request.
    """

    key: DeviceKey
    newest: Fix
    item: int
    before: DeviceState
    after: DeviceState


@dataclass(slots=True)
class Batch:
    """A request within a unit: what became of its pings, its devices that ask, and the answer."""

    post: Post
    tally: Tally
    devices: list[DeviceInBatch] = field(default_factory=list)
    receipt: Receipt = field(default_factory=lambda: Receipt(0, 0, ()))


@dataclass(slots=True)
class BatchResult:
    """A unit's outcome: a receipt for each request, the events, and what was decided about them."""

    receipts: list[Receipt] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)
    seen: UnitPrints = field(default_factory=UnitPrints)
    newest_ms: int = 0

    def add(self, offers: NewDecisions) -> None:
        """Add what was decided in one project."""
        self.decisions += offers.decisions
        self.messages += offers.messages
