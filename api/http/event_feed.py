"""Wakes the open event streams when events were committed, and ends them at shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Gauge


class EventFeed:
    """Bells by project. Commits ring from the writer's thread; streams listen on the event loop."""

    def __init__(
        self, subscribe: Callable[[Callable[[str], None]], Callable[[], None]], open_streams: Gauge
    ) -> None:
        self._subscribe = subscribe
        self._open_streams = open_streams
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.closed = False

    def open(self) -> None:
        """Begin to listen for commits, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._subscribe(self._committed)

    def close(self) -> None:
        """End every stream; call it on the loop."""
        self.closed = True
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        for project_id in list(self._bells):
            self._ring(project_id)

    @contextmanager
    def waiter(self, project_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something of the project was committed, and at shutdown."""
        waiter = asyncio.Event()
        self._bells.setdefault(project_id, set()).add(waiter)
        self._open_streams.inc()
        try:
            yield waiter
        finally:
            self._open_streams.dec()
            bells = self._bells[project_id]
            bells.discard(waiter)
            if not bells:
                del self._bells[project_id]

    def _committed(self, project_id: str) -> None:
        if self._loop is not None and project_id in self._bells:
            try:
                self._loop.call_soon_threadsafe(self._ring, project_id)
            except RuntimeError:
                return  # the loop has ended, and with it every stream

    def _ring(self, project_id: str) -> None:
        for waiter in self._bells.get(project_id, ()):
            waiter.set()
