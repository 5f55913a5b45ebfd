"""HTTP for the channels: POSTs on one private thread over libcurl's multi interface.

Batches come from any thread, and each gets its answers in the order in which they finish. HTTP/2 is
used where an https server offers it, connections are kept, and one host never takes more than its
share, so that a dead receiver fills no queue but its own.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from queue import SimpleQueue
from typing import NamedTuple

import pycurl

from geofence.delivery.http.exchange import Answer, ConnectOptions, Exchange, Limits, Request

# requests handed to the thread at once: small enough that it starts while the caller still writes
# payloads
_CHUNK = 64
_LOOK_S = 0.25  # how often waiting requests are looked over


class _Batch:
    """Answers on their way back to one caller."""

    def __init__(self) -> None:
        self.ready: list[Answer] = []
        self.queue: SimpleQueue[list[Answer]] = SimpleQueue()


class _Waiting(NamedTuple):
    request: Request
    batch: _Batch
    until: float


class Transport:
    """POSTs in flight, within `limits`, by these `ways`."""

    def __init__(self, limits: Limits, ways: ConnectOptions) -> None:
        self.limits = limits
        self._ways = ways
        self._submitted: deque[list[_Waiting]] = deque()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    def post(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """Start these requests now and give their answers as they finish.

        Each request gets exactly one.
        """
        batch, count, source = _Batch(), 0, iter(requests)
        while chunk := list(islice(source, _CHUNK)):
            count += len(chunk)
            until = time.monotonic() + self.limits.wait_s
            self._submit([_Waiting(request, batch, until) for request in chunk])
        return _answers(batch, count)

    def close(self) -> None:
        """Give up what is in flight and end the thread."""
        with self._lock:
            closed, self._closed = self._closed, True
            if self._thread is not None and not closed:
                self._wake.send(b"x")  # after the flag is set: the thread looks at it when it wakes
        if self._thread is not None:
            self._thread.join()

    def _submit(self, chunk: list[_Waiting]) -> None:
        with self._lock:
            if not self._closed:
                self._start_thread()
                self._submitted.append(chunk)
                self._wake.send(b"x")
                return
        chunk[0].batch.queue.put(
            [Answer(waiting.request.key, failure="closed") for waiting in chunk]
        )

    def _start_thread(self) -> None:
        if self._thread is not None:
            return
        self._wake, ear = socket.socketpair()
        self._thread = threading.Thread(
            target=self._run, args=(ear,), name="geofence-transport", daemon=True
        )
        self._thread.start()

    def _run(self, ear: socket.socket) -> None:
        with closing(_Driver(self.limits, self._ways)) as driver, ear, self._wake:
            driver.selector.register(ear, selectors.EVENT_READ)
            try:
                while not self._closed:
                    driver.turn(ear, self._submitted)
            finally:  # also when a turn failed: no caller may wait for an answer that never comes
                with self._lock:
                    self._closed = True
                while self._submitted:
                    driver.take(self._submitted.popleft())


def _answers(batch: _Batch, count: int) -> Iterator[Answer]:
    while count > 0:
        answers = batch.queue.get()
        count -= len(answers)
        yield from answers


class _Driver:
    """The thread's own things.

    The multi handle, its sockets and timer, and who waits for a place.
    """

    def __init__(self, limits: Limits, ways: ConnectOptions) -> None:
        self.limits = limits
        self._ways = ways
        self.selector = selectors.DefaultSelector()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, limits.per_host)
        self._multi.setopt(pycurl.M_MAXCONNECTS, limits.in_flight)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._idle: list[Exchange] = []
        self._busy: dict[pycurl.Curl, tuple[Exchange, _Batch, str]] = {}
        self._at_host: dict[str, int] = {}
        self._lines: dict[str, deque[_Waiting]] = {}
        self._ready: set[_Batch] = set()
        self._watched: set[int] = set()
        self._timer: float | None = None
        self._look_at = 0.0

    def turn(self, ear: socket.socket, submitted: deque[list[_Waiting]]) -> None:
        """Wait for something to happen, and see it through to the answers that follow."""
        for key, events in self.selector.select(self._patience()):
            if key.fileobj is ear:
                ear.recv(4096)
            else:
                self._multi.socket_action(
                    key.fd, events
                )  # EVENT_READ and EVENT_WRITE have the values of CSELECT_IN and _OUT
        if self._timer is not None and self._timer <= time.monotonic():
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        while submitted:
            self.take(submitted.popleft())
        self._collect()
        self._start()
        self._give_back()

    def take(self, chunk: list[_Waiting]) -> None:
        """Line requests up by host."""
        for waiting in chunk:
            host = waiting.request.url.split("/", 3)[2]
            self._lines.setdefault(host, deque()).append(waiting)

    def close(self) -> None:
        """Answer whatever is left, and let go of everything."""
        for exchange, batch, _ in self._busy.values():
            self._multi.remove_handle(exchange.curl)
            self._idle.append(exchange)
            self._answer(batch, exchange.stop("closed"))
        for line in self._lines.values():
            for waiting in line:
                self._answer(waiting.batch, Answer(waiting.request.key, failure="closed"))
        self._give_back()
        for exchange in self._idle:
            exchange.curl.close()
        self._multi.close()
        self.selector.close()

    def _patience(self) -> float | None:
        at = [
            moment
            for moment in (self._timer, self._look_at if self._lines else None)
            if moment is not None
        ]
        return max(0.0, min(at) - time.monotonic()) if at else None

    def _start(self) -> None:
        for host in list(self._lines):
            line = self._lines[host]
            while (
                line
                and len(self._busy) < self.limits.in_flight
                and self._at_host.get(host, 0) < self.limits.per_host
            ):
                self._begin(host, line.popleft())
            if not line:
                del self._lines[host]
        now = time.monotonic()
        if self._lines and now >= self._look_at:
            self._look_at = now + _LOOK_S
            self._turn_away(now)

    def _begin(self, host: str, waiting: _Waiting) -> None:
        exchange = self._idle.pop() if self._idle else Exchange(self.limits, self._ways)
        exchange.begin(waiting.request)
        self._busy[exchange.curl] = (exchange, waiting.batch, host)
        self._at_host[host] = self._at_host.get(host, 0) + 1
        self._multi.add_handle(exchange.curl)

    def _turn_away(self, now: float) -> None:
        for line in self._lines.values():
            while line and line[0].until <= now:
                waiting = line.popleft()
                self._answer(waiting.batch, Answer(waiting.request.key, failure="waited"))

    def _collect(self) -> None:
        more = 1
        while more:
            more, done, failed = self._multi.info_read()
            for curl in done:
                self._end(curl, 0)
            for curl, errno, _ in failed:
                self._end(curl, errno)

    def _end(self, curl: pycurl.Curl, errno: int) -> None:
        self._multi.remove_handle(curl)
        exchange, batch, host = self._busy.pop(curl)
        self._at_host[host] -= 1
        if not self._at_host[host]:
            del self._at_host[host]
        self._idle.append(exchange)
        self._answer(batch, exchange.end(errno))

    def _answer(self, batch: _Batch, answer: Answer) -> None:
        batch.ready.append(answer)
        self._ready.add(batch)

    def _give_back(self) -> None:
        for batch in self._ready:
            ready, batch.ready = batch.ready, []
            batch.queue.put(ready)
        self._ready.clear()

    def _set_timer(self, delay_ms: int) -> None:
        self._timer = None if delay_ms < 0 else time.monotonic() + delay_ms / 1000

    def _watch(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        if what in (pycurl.POLL_REMOVE, pycurl.POLL_NONE):
            if fd in self._watched:
                self._watched.remove(fd)
                self.selector.unregister(fd)
        elif fd in self._watched:
            self.selector.modify(fd, what)
        else:
            self._watched.add(fd)
            self.selector.register(fd, what)
