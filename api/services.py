"""What a running service holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from api.http.auth import KeyRing
from api.http.event_feed import EventFeed
from api.http.rate_limit import GuessLimit
from api.metrics import Metrics
from api.settings import Settings
from geofence.clock import Clock
from geofence.delivery.channel import Channel
from geofence.ports.database import Database
from geofence.street.worker import Worker
from geofence.street.writer import Writer


class FirstKeys(NamedTuple):
    """The keys of a project just made, with their secrets."""

    project_id: str
    publishable: str
    secret: str


@dataclass(slots=True)
class Services:
    """Everything a running service holds.

    `embedded`: one process on an SQLite file; `worker` where this process delivers.
    """

    settings: Settings
    clock: Clock
    database: Database
    street: Writer
    keys: KeyRing
    metrics: Metrics
    feed: EventFeed
    embedded: bool
    guesses: GuessLimit
    channels: Mapping[str, Channel]
    worker: Worker | None
    notes: tuple[str, ...]
    first_keys: FirstKeys | None = None

    def close(self) -> None:
        """Finish what is queued, then close the database."""
        if self.worker is not None:
            self.worker.stop()
        self.street.stop()
        self.database.close()
