"""The journal: the events and visits of the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from geofence.model.event import Event
from geofence.model.presence import DeviceKey, Visit


class JournalStore(Protocol):
    """Events and visits within a unit; the devices' locks are those of `HotState.read`."""

    def visits_since(self, key: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        """Visits of this device there that a ping of `ts_ms` could belong to, and later ones.

        Oldest first, at most 1,000.
        """

    def events_at(self, project_id: str, times_ms: Mapping[str, Sequence[int]]) -> list[Event]:
        """Events caused by pings of exactly these times, by device; sorted by time."""

    def visit_numbers(self, visit_ids: Sequence[str]) -> dict[str, int]:
        """Visit id -> ordinal of the visit for this device and geofence.

        Visits that are not written yet are left out.
        """

    def save(self, events: Sequence[Event], visits: Mapping[str, tuple[str, Visit]]) -> None:
        """Write visits, then events.

        Args:
            events: New events, in their order.
            visits: Visit id -> (project id, visit), new or changed.
        """
