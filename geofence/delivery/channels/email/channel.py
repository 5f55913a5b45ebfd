"""E-mail through a relay by SMTP: a few connections side by side, kept over batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.utils import parseaddr
from queue import Empty, SimpleQueue

from geofence.delivery.channel import EXPIRED, expired
from geofence.delivery.channels.email import NAME, RETRY_S
from geofence.delivery.channels.email.connection import Job, Patience, SmtpConnection, read_url
from geofence.delivery.channels.email.mime import Unwritable, plain_address
from geofence.errors import InputError
from geofence.model.message import ChannelName, OutboxMessage, Outcome

PATIENCE = Patience()
_LOOK_S = 0.5  # how often a caller that waits looks after connections that hang


class Email:
    """The e-mail channel of one relay and one sender.

    `url` is `smtp://`, `smtps://` or `smtp+starttls://` with `user:password@host:port`; `sender` an
    address, or a name with one in angle brackets. `connections` at most. Raises `InputError`
    for a URL or sender that cannot be read.
    """

    name: ChannelName = NAME
    retry_s: tuple[int, ...] = RETRY_S

    def __init__(
        self, url: str, *, sender: str, connections: int = 4, patience: Patience = PATIENCE
    ) -> None:
        self._relay = read_url(url)
        self._sender = _sender(sender)
        self._most = connections
        self._patience = patience
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._connections: list[SmtpConnection] = []
        self._lock = threading.Lock()
        # messages taken and not yet finished: a further connection is opened only when all others
        # are busy
        self._open = 0
        self._closed = False

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        """See `Channel.send`."""
        done: SimpleQueue[tuple[str, Outcome]] = SimpleQueue()
        until = time.monotonic() + self._patience.wait_s
        for message in messages:
            if expired(message, now_ms):
                done.put((message.id, EXPIRED))
            elif not self._submit(Job(message, done, until)):
                done.put((message.id, Outcome("retry", "closed", "not handed over")))
        return self._outcomes(done, len(messages))

    def close(self) -> None:
        """See `Channel.close`."""
        with self._lock:
            self._closed = True
            connections, self._connections = self._connections, []
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is not None:
                job.done.put((job.message.id, Outcome("retry", "closed", "not handed over")))
        for _ in connections:
            self._jobs.put(None)
        for connection in connections:
            connection.cut()
            connection.thread.join()

    def _submit(self, job: Job) -> bool:
        with self._lock:
            if self._closed:
                return False
            self._open += 1
            if len(self._connections) < min(self._open, self._most):
                self._connections.append(
                    SmtpConnection(
                        self._relay, self._sender, self._patience, self._jobs, self._finished
                    )
                )
            self._jobs.put(job)
        return True

    def _finished(self) -> None:
        with self._lock:
            self._open -= 1

    def _outcomes(
        self, done: SimpleQueue[tuple[str, Outcome]], count: int
    ) -> Iterator[tuple[str, Outcome]]:
        while count:
            try:
                pair = done.get(timeout=_LOOK_S)
            except Empty:
                for connection in list(self._connections):
                    connection.look(time.monotonic())
            else:
                count -= 1
                yield pair


def _sender(text: str) -> Address:
    name, addr_spec = parseaddr(text) if text.isprintable() else ("", "")
    try:
        return plain_address(addr_spec, name)
    except Unwritable:
        raise InputError("the sender is not an e-mail address", code="email_sender") from None
