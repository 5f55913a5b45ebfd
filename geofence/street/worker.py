"""The night shift.

Takes what is due, looks again, hands it to its channel, and writes down what came of it.

One thread for each channel, so that a slow provider delays no other; the record is only touched
through the street's writer.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

import structlog

from geofence.clock import Clock
from geofence.delivery.channels import Channel
from geofence.errors import Busy, RecordError
from geofence.model.edit import EditResult
from geofence.model.message import OutboxMessage, Outcome
from geofence.ports.unit import Unit
from geofence.street import deliver
from geofence.street.writer import Writer

BATCH = {"email": 24}  # what its lanes can start within a fraction of the lease; others:
LARGE_BATCH = 200
WRITE_PAUSES_S = (0.05, 0.2, 1.0, 3.0, 5.0, 10.0)
JOIN_S = 5.0
HANDS = 3  # a receiver that hangs holds one of them, until its time-out
FLUSH = 100
FLUSH_S = 0.01
# between looks where nobody in this process writes messages: `geofence worker` looks more often
IDLE_S = 1.0
SWEEP_S = 5.0
PAUSE_MS = 300_000  # then a paused channel is tried again

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Delivered(NamedTuple):
    """One finished attempt, for the metrics."""

    channel: str
    verdict: str
    reason: str


class Worker:
    """Delivers for every channel it is given.

    Those it is not given keep their messages until they expire.
    """

    def __init__(
        self,
        street: Writer,
        channels: Mapping[str, Channel],
        clock: Clock,
        *,
        idle_s: float = IDLE_S,
        sweep_s: float = SWEEP_S,
    ) -> None:
        self._street, self._channels, self._clock, self._idle_s = street, channels, clock, idle_s
        self._sweep_s = sweep_s
        self._stopping = threading.Event()
        self._wake = {name: threading.Event() for name in channels}
        self._threads: list[threading.Thread] = []
        self._paused_ms: dict[str, int] = {}
        self._reporters: list[Callable[[Delivered], None]] = []
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin; whatever waits in the outbox is taken at once."""
        self._unsubscribe = self._street.on_unit(
            lambda report: self._wake_for({one.channel for one in report.messages})
        )
        for name in self._channels:
            self._open(name)  # whoever starts us has mended it
            for hand in range(HANDS):
                self._threads.append(
                    threading.Thread(
                        target=self._work, args=(name,), name=f"deliver-{name}-{hand}", daemon=True
                    )
                )
        self._threads.append(
            threading.Thread(target=self._sweep, name="deliver-expiry", daemon=True)
        )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in hand, then end; call it before the street stops."""
        self._stopping.set()
        self.wake()
        self._unsubscribe()
        until_s = time.monotonic() + JOIN_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        for channel in self._channels.values():
            channel.close()  # whoever hangs is let go of; its messages end as unknown, and go again
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
            except Exception as error:  # noqa: BLE001  (whatever a channel or the record did, the night shift goes on)
                log.error("delivery_failed", channel=name, error=type(error).__name__)
                self._stopping.wait(self._idle_s)
                more = False
            if not more:
                self._wake[name].wait(self._idle_s)
                self._wake[name].clear()

    def _sweep(self) -> None:
        """End what expired on channels that nobody serves, so that it counts for no cap any more."""
        unserved = sorted({"push", "email"} - self._channels.keys())
        while unserved and not self._stopping.wait(self._sweep_s):
            for name in unserved:
                with contextlib.suppress(RecordError, Busy):  # again in a moment
                    self._on_the_writer(
                        lambda unit, name=name: unit.outbox.take(name, self._clock.now_ms(), 0, 0)
                    )  # type: ignore[misc]  # the default binds the name

    def _round(self, name: str) -> bool:
        """Take, look again, send, write down; whether there may be more."""
        self._reopen(name)
        messages = self._on_the_writer(lambda unit: self._take(unit, name))
        if not messages:
            return False
        channel, started_ms = self._channels[name], self._clock.now_ms()
        missing = {message.id for message in messages}
        try:
            outcomes = channel.send([deliver.outgoing(message) for message in messages], started_ms)
            for some in _portions(outcomes, FLUSH):
                missing -= {message_id for message_id, _ in some}
                self._finish(messages, some, started_ms, channel.retry_s)
        finally:
            if missing:  # a channel that broke: what it had in hand may have gone out
                lost = Outcome("unknown", "channel_broke")
                self._finish(
                    messages,
                    [(message_id, lost) for message_id in missing],
                    started_ms,
                    channel.retry_s,
                )
        return True

    def _reopen(self, name: str) -> None:
        """Try a paused channel again after a while: somebody may have mended it."""
        since_ms = self._paused_ms.get(name)
        if since_ms is not None and self._clock.wall_ms() - since_ms >= PAUSE_MS:
            self._open(name)

    def _open(self, name: str) -> None:
        self._on_the_writer(lambda unit: unit.outbox.pause(name, "", self._clock.now_ms()))
        self._paused_ms.pop(name, None)

    def _take(self, unit: Unit, name: str) -> list[OutboxMessage]:
        """Messages to send now; those that may not go out any more are ended in the same unit."""
        now_ms = self._clock.now_ms()
        taken = unit.outbox.take(
            name,
            now_ms,
            deliver.LEASE_MS,
            BATCH.get(name, LARGE_BATCH),
            wall_ms=self._clock.wall_ms(),
        )
        reasons = unit.outbox.look_again(taken)
        stopped = [
            deliver.dropped(message, reasons[message.id], now_ms)
            for message in taken
            if message.id in reasons
        ]
        unit.outbox.finish([(message, None) for message in stopped])
        return [message for message in taken if message.id not in reasons]

    def _finish(
        self,
        messages: Sequence[OutboxMessage],
        outcomes: Sequence[tuple[str, Outcome]],
        started_ms: int,
        retry_s: Sequence[int],
    ) -> None:
        now_ms, by_id = self._clock.now_ms(), {message.id: message for message in messages}
        settled = [
            (
                by_id[one],
                outcome,
                deliver.settle(by_id[one], outcome, started_ms, now_ms, retry_s, _jitter()),
            )
            for one, outcome in outcomes
        ]

        def write(unit: Unit) -> int:
            dead = [
                (message.project_id, message.address)
                for message, outcome, _ in settled
                if outcome.verdict == "drop_address"
            ]
            unit.outbox.drop_addresses(settled[0][0].channel, dead)
            for message, outcome, _ in settled:
                _forget(unit, message, outcome, now_ms)
            return unit.outbox.finish([after for _, _, after in settled])

        self._until_written(write)
        for message, outcome, _ in settled:
            if outcome.verdict == "pause":
                self._paused_ms[message.channel] = self._clock.wall_ms()
            for reporter in self._reporters:
                reporter(Delivered(message.channel, outcome.verdict, outcome.reason))

    def _on_the_writer(self, work: Callable[[Unit], T]) -> T:
        result: T = self._street.submit_internal(lambda unit: EditResult(work(unit))).result()
        return result

    def _until_written(self, work: Callable[[Unit], T]) -> None:
        """What was sent must be written down, or it goes out again.

        Try for as long as the lease could last.
        """
        for pause_s in WRITE_PAUSES_S:
            try:
                self._on_the_writer(work)
            except (RecordError, Busy) as error:
                log.warning("outcome_waits", error=error.code)
                self._stopping.wait(pause_s)
            else:
                return
        self._on_the_writer(work)


def _jitter() -> float:
    return random.random()  # noqa: S311  (it spreads retries, it guards nothing)


def _forget(unit: Unit, message: OutboxMessage, outcome: Outcome, now_ms: int) -> None:
    """What an outcome says about the address or the channel, beyond the message."""
    if outcome.verdict == "suppress":
        unit.outbox.suppress(
            message.project_id, message.channel, message.address, outcome.reason, now_ms
        )
    elif outcome.verdict == "pause":
        unit.outbox.pause(message.channel, outcome.reason, now_ms)
        log.error("channel_paused", channel=message.channel, reason=outcome.reason)


def _portions(
    outcomes: Iterator[tuple[str, Outcome]], size: int
) -> Iterator[list[tuple[str, Outcome]]]:
    """Outcomes a few at a time, and whatever there is before a slow one is waited for."""
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
    """Add what comes within a moment, up to `size`; whether that was the last."""
    while len(portion) < size:
        try:
            outcome = arrived.get(timeout=FLUSH_S)
        except Empty:
            return False
        if outcome is None:
            return True
        portion.append(outcome)
    return False
