"""Takes due messages, checks them again, hands them to their channel and stores the outcome.

Each channel has threads of its own, so that a slow provider delays no other channel. The record is
only touched through the writer.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import structlog

from geofence.clock import Clock
from geofence.delivery.channel import Channel
from geofence.delivery.channels import CHANNELS
from geofence.errors import Busy, RecordError
from geofence.model.edit import EditArguments
from geofence.model.message import OutboxMessage, Outcome
from geofence.street import deliver
from geofence.street.edits import (
    ExpireMessages,
    FinishMessages,
    OpenChannel,
    Settled,
    TakeMessages,
)
from geofence.street.writer import Writer

WRITE_PAUSES_S = (0.05, 0.2, 1.0, 3.0, 5.0, 10.0)
JOIN_S = 5.0
THREADS_PER_CHANNEL = 3  # a receiver that hangs holds one of them until its time-out
FLUSH = 100
FLUSH_S = 0.01
# between looks at the outbox while this process writes no messages
IDLE_S = 1.0
EXPIRE_UNSERVED_S = 5.0
PAUSE_MS = 300_000  # then a paused channel is tried again

log = structlog.get_logger(__name__)


class Delivered(NamedTuple):
    """One finished attempt, for the metrics."""

    channel: str
    verdict: str
    reason: str


class Worker:
    """Delivers for every channel it is given; the messages of other channels expire."""

    def __init__(
        self,
        street: Writer,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        idle_s: float = IDLE_S,
        expire_unserved_s: float = EXPIRE_UNSERVED_S,
    ) -> None:
        self._street, self._channels, self._clock, self._idle_s = street, channels, clock, idle_s
        self._expire_unserved_s = expire_unserved_s
        self._stopping = threading.Event()
        self._wake = {name: threading.Event() for name in channels}
        self._threads: list[threading.Thread] = []
        self._paused_ms: dict[str, int] = {}
        self._reporters: list[Callable[[Delivered], None]] = []
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start the threads; due messages are taken at once."""
        self._unsubscribe = self._street.on_unit(
            lambda report: self._wake_for({one.channel for one in report.messages})
        )
        for name in self._channels:
            self._open(name)  # the operator may have corrected the settings before this start
            for number in range(THREADS_PER_CHANNEL):
                self._threads.append(
                    threading.Thread(
                        target=self._work,
                        args=(name,),
                        name=f"deliver-{name}-{number}",
                        daemon=True,
                    )
                )
        self._threads.append(
            threading.Thread(target=self._expire_unserved, name="deliver-expiry", daemon=True)
        )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the messages that were taken, then end; call it before the writer stops."""
        self._stopping.set()
        self.wake()
        self._unsubscribe()
        until_s = time.monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        for channel in self._channels.values():
            channel.close()  # messages to a receiver that hangs end as unknown, and are sent again
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._wake_for(self._wake.keys())

    def _wake_for(self, channels: Iterable[str]) -> None:
        for name in channels:
            if name in self._wake:
                self._wake[name].set()

    def on_delivered(self, reporter: Callable[[Delivered], None]) -> None:
        """Call `reporter` after each attempt."""
        self._reporters.append(reporter)

    def _work(self, name: str) -> None:
        while not self._stopping.is_set():
            try:
                more = self._round(name)
            except Exception as error:  # noqa: BLE001 - no fault of a channel or the record may end the thread
                log.error("delivery_failed", channel=name, error=type(error).__name__)
                self._stopping.wait(self._idle_s)
                more = False
            if not more:
                self._wake[name].wait(self._idle_s)
                self._wake[name].clear()

    def _expire_unserved(self) -> None:
        """End what expired on channels that no worker serves, so that it counts for no cap."""
        opened = {name for name, kind in CHANNELS.items() if kind.from_settings is not None}
        unserved = sorted(opened - self._channels.keys())
        while unserved and not self._stopping.wait(self._expire_unserved_s):
            for name in unserved:
                with contextlib.suppress(RecordError, Busy):  # the next turn tries again
                    self._on_the_writer(ExpireMessages(channel=name))

    def _round(self, name: str) -> bool:
        """Take, check again, send and store one batch; whether there may be more."""
        self._reopen(name)
        limit, wall_ms = CHANNELS[name].batch, self._clock.wall_ms()
        messages: list[OutboxMessage] = self._on_the_writer(
            TakeMessages(channel=name, limit=limit, wall_ms=wall_ms)
        )
        if not messages:
            return False
        channel, started_ms = self._channels[name], self._clock.now_ms()
        missing = {message.id for message in messages}
        try:
            outcomes = channel.send(messages, started_ms)
            for some in _portions(outcomes, FLUSH):
                missing -= {message_id for message_id, _ in some}
                self._finish(messages, some, started_ms, channel.retry_s)
        finally:
            if missing:  # the channel raised: these may have been handed over
                lost = Outcome("unknown", "channel_broke")
                self._finish(
                    messages,
                    [(message_id, lost) for message_id in missing],
                    started_ms,
                    channel.retry_s,
                )
        return True

    def _reopen(self, name: str) -> None:
        """Try a paused channel again after a while; its cause may be gone."""
        since_ms = self._paused_ms.get(name)
        if since_ms is not None and self._clock.wall_ms() - since_ms >= PAUSE_MS:
            self._open(name)

    def _open(self, name: str) -> None:
        self._on_the_writer(OpenChannel(channel=name))
        self._paused_ms.pop(name, None)

    def _finish(
        self,
        messages: Sequence[OutboxMessage],
        outcomes: Sequence[tuple[str, Outcome]],
        started_ms: int,
        retry_s: Sequence[int],
    ) -> None:
        now_ms, by_id = self._clock.now_ms(), {message.id: message for message in messages}
        settled = []
        for message_id, outcome in outcomes:
            sent = by_id[message_id]
            after = deliver.settle(sent, outcome, started_ms, now_ms, retry_s, _jitter())
            settled.append(Settled(sent, outcome, *after))
        self._until_written(FinishMessages(settled=settled))
        for sent, outcome, *_ in settled:
            if outcome.verdict == "pause":
                self._paused_ms[sent.channel] = self._clock.wall_ms()
            for reporter in self._reporters:
                reporter(Delivered(sent.channel, outcome.verdict, outcome.reason))

    def _on_the_writer(self, edit: EditArguments) -> Any:
        return self._street.submit_internal(edit).result()

    def _until_written(self, edit: FinishMessages) -> None:
        """Submit the edit until it is committed, for as long as the lease can last.

        An outcome that is not stored leads to a second sending.
        """
        for pause_s in WRITE_PAUSES_S:
            try:
                self._on_the_writer(edit)
            except (RecordError, Busy) as error:
                log.warning("outcome_write_retry", error=error.code)
                self._stopping.wait(pause_s)
            else:
                return
        self._on_the_writer(edit)


def _jitter() -> float:
    return random.random()  # noqa: S311 - it spreads retries and guards nothing


def _portions(
    outcomes: Iterator[tuple[str, Outcome]], size: int
) -> Iterator[list[tuple[str, Outcome]]]:
    """Outcomes in portions, so that a slow one does not keep others from being stored."""
    arrived: SimpleQueue[tuple[str, Outcome] | None] = SimpleQueue()

    def feed() -> None:
        try:
            for outcome in outcomes:
                arrived.put(outcome)
        finally:
            arrived.put(None)

    feeder = threading.Thread(target=feed, name="outcomes", daemon=True)
    feeder.start()
    ended = False
    while not ended:
        portion = []
        first = arrived.get()
        ended = first is None
        if first is not None:
            portion.append(first)
            ended = _fill(portion, arrived, size)
        if portion:
            yield portion
    feeder.join()


def _fill(
    portion: list[tuple[str, Outcome]], arrived: SimpleQueue[tuple[str, Outcome] | None], size: int
) -> bool:
    """Add outcomes that arrive within `FLUSH_S`, up to `size`; whether the last one arrived."""
    while len(portion) < size:
        try:
            outcome = arrived.get(timeout=FLUSH_S)
        except Empty:
            return False
        if outcome is None:
            return True
        portion.append(outcome)
    return False
