"""In-app.

The offer is in the answer to the ping and in the device's inbox, so there is nothing to hand over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from geofence.delivery.channels import EXPIRED, expired
from geofence.model.message import ChannelName, Message, Outcome

NAME: ChannelName = "inapp"


class InApp:
    """Says that what the app fetches by itself has been sent."""

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = ()

    def send(self, messages: Sequence[Message], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        return (
            (message.id, EXPIRED if expired(message, now_ms) else Outcome("sent", "in_answer"))
            for message in messages
        )

    def close(self) -> None:
        """Nothing to end."""
