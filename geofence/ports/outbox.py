"""The outbox: messages on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from geofence.model.message import Attempt, OutboxMessage
from geofence.model.recipient import Recipient


class Outbox(Protocol):
    """Messages on their way out, within a unit."""

    def take(
        self, channel: str, now_ms: int, lease_ms: int, limit: int, *, wall_ms: int | None = None
    ) -> list[OutboxMessage]:
        """Lease messages of a channel that are due, oldest first; each counts one attempt more.

        Other units skip leased messages. Leases run on the wall clock (`wall_ms`, `now_ms` without
        it), also where pings move the clock: a provider takes real time.
        """

    def recipients(self, messages: Sequence[OutboxMessage]) -> dict[str, Recipient]:
        """Message id -> what the record knows of its recipient now."""

    def finish(self, outcomes: Sequence[tuple[OutboxMessage, Attempt | None]]) -> int:
        """Write each message as it is now, with its attempt; how many were written.

        A message whose attempt number is no longer the newest is left as it is.
        """

    def drop_addresses(self, channel: str, dead: Sequence[tuple[str, str]]) -> None:
        """Forget dead push tokens, (project, token), wherever they are registered.

        Call it first in its unit: it locks those devices.
        """

    def suppress(
        self, project_id: str, channel: str, address: str, reason: str, now_ms: int
    ) -> None:
        """Never again write to this address; it is kept as a digest."""

    def pause(self, channel: str, reason: str, now_ms: int) -> None:
        """Hold a channel's queue, with the reason; an empty reason opens it again."""

    def paused(self) -> dict[str, str]:
        """Paused channels with their reasons."""
