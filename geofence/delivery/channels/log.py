"""A channel for development: one structured log line per message, without the address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from geofence.delivery.channels import EXPIRED, expired
from geofence.model.message import ChannelName, Message, Outcome

NAME: ChannelName = "log"


class Log:
    """Writes what would have been sent to the log."""

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = ()

    def __init__(self) -> None:
        self._log = structlog.get_logger(__name__)

    def send(self, messages: Sequence[Message], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        return ((message.id, self._write(message, now_ms)) for message in messages)

    def close(self) -> None:
        """Nothing to end."""

    def _write(self, message: Message, now_ms: int) -> Outcome:
        if expired(message, now_ms):
            return EXPIRED
        title = (
            message.content.get("title")
            or message.content.get("subject")
            or message.content.get("type")
        )
        self._log.info(
            "message",
            message_id=message.id,
            project_id=message.project_id,
            title=title,
            attempt=message.attempt,
        )
        return Outcome("sent", "logged")
