"""What the doors talk to.

One writer thread that takes requests in arrival order and answers after their commit.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from geofence.clock import Clock
from geofence.errors import Busy, RecordError
from geofence.hints.safe_radius import Wake
from geofence.model.decision import Decision
from geofence.model.edit import EditResult
from geofence.model.event import Event
from geofence.model.message import OutboxMessage
from geofence.model.ping import PingIn, Rejection
from geofence.model.presence import DeviceKey
from geofence.model.receipt import Near, Receipt
from geofence.places.index_cache import IndexCache
from geofence.ports.database import Database
from geofence.ports.unit import Unit
from geofence.street.pipeline import IOS_WATCHES, BatchResult, Edit, Pipeline, Post
from geofence.street.track import Tally

TICK_S = 1.0
GROUP_LIMIT = 20_000
QUEUE_LIMIT = 200_000
MOST_DUE = 1000
AILING_S = 60.0
REFUSED_S = 10.0
PORTION = 200

log = structlog.get_logger(__name__)

T = TypeVar("T", Post, Edit)
Listener = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One committed unit of work.

    How many requests it joined, seconds to commit, what came of it.
    """

    requests: int
    commit_s: float
    tallies: Sequence[Tally]
    events: Sequence[Event]
    decisions: Sequence[Decision] = ()
    messages: Sequence[OutboxMessage] = ()


class Writer:
    """The street with its writer. `start` before the first use; `stop` finishes what is queued.

    Files that begin with `index_stem` keep the indexes between two runs; None keeps none.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        public_url: str = "",
        index_stem: Path | None = None,
        group_limit: int = GROUP_LIMIT,
        queue_limit: int = QUEUE_LIMIT,
    ) -> None:
        self.database, self.clock = database, clock
        self._pipeline = Pipeline(database, clock, public_url, IndexCache(index_stem))
        self._group_limit, self._queue_limit = group_limit, queue_limit
        self._queue: deque[Post | Edit] = deque()
        self._waiting = 0
        self._room = threading.Condition()
        self._stopping = False
        self._dead = False
        self._thread: threading.Thread | None = None
        self._listeners: list[Listener] = []
        self._reporters: list[Callable[[UnitReport], None]] = []
        self._ticked_s = 0.0
        self._refused_s: float | None = None  # when (monotonic) the record last refused a unit
        self._followed: dict[
            str, float
        ] = {}  # until when (monotonic) a project is not read anew only to follow others
        self._ailing: dict[
            DeviceKey, float
        ] = {}  # devices whose timers failed, and when (monotonic) to try them again

    def start(self) -> None:
        """Load every project's index, then open the street."""
        for project in self.database.queries.projects():
            self._pipeline.catalogue(project.id)
        self._thread = threading.Thread(target=self._work, name="street", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then close; later posts are refused."""
        with self._room:
            self._stopping = True
            self._room.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._pipeline.keep()

    def post(
        self,
        project_id: str,
        items: Sequence[tuple[int, PingIn]],
        rejected: Sequence[Rejection] = (),
        include: frozenset[str] = frozenset(),
        watch: int = IOS_WATCHES,
        wake: Wake = "clock",
    ) -> Future[Receipt]:
        """Queue a request's pings.

        The answer comes after their commit; raises `Busy` when the queue is full.

        `items` are (index in the request, ping); `rejected` what the door refused already;
        `include` any of events, offers, hint; `watch` how many geofences the hint names; `wake`
        what wakes the phone, see `hint`.
        """
        return self._queued(Post(project_id, items, rejected, include, watch, wake)).future

    def edit(self, project_id: str, work: Callable[[Unit], EditResult]) -> Future[Any]:
        """Run `work` in a unit of its own.

        Its `Edited.value` comes after the commit, with the index swapped already.
        """
        return self._queued(Edit(project_id, work)).future

    def submit_internal(self, work: Callable[[Unit], EditResult]) -> Future[Any]:
        """An `edit` of the house's own that touches no places.

        It finds room also when the queue is full of pings.
        """
        return self._queued(Edit("", work), limited=False).future

    def near(
        self, project_id: str, lat: float, lon: float, within_m: float | None, limit: int
    ) -> list[Near]:
        """The geofences nearest to a point (degrees) by signed distance to their edge, nearest first."""
        catalogue = self._pipeline.catalogue(project_id)
        found = catalogue.index.nearest(lat, lon, limit)
        near = [
            Near(fence, edge_m)
            for slot, edge_m in found
            if (fence := catalogue.fences[slot]) is not None
        ]
        return [one for one in near if within_m is None or one.edge_m <= within_m]

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(project_id)` after events were committed; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def on_unit(self, reporter: Callable[[UnitReport], None]) -> Callable[[], None]:
        """Call `reporter` after each committed unit; returns what ends that."""
        self._reporters.append(reporter)
        return lambda: self._reporters.remove(reporter)

    def depth(self) -> int:
        """Pings waiting."""
        return self._waiting

    def refused(self) -> bool:
        """Whether the record has refused a unit in the last ten seconds (its disk is full, say) and taken none since."""
        return self._refused_s is not None and time.monotonic() - self._refused_s < REFUSED_S

    def alive(self) -> bool:
        """Whether the writer runs."""
        return self._thread is not None and self._thread.is_alive()

    def _queued(self, job: T, *, limited: bool = True) -> T:
        weight = _weight(job)
        with self._room:
            full = limited and self._waiting and self._waiting + weight > self._queue_limit
            if self._stopping or self._dead or full:
                raise Busy
            self._queue.append(job)
            self._waiting += weight
            self._room.notify()
        return job

    def _work(self) -> None:
        try:
            self._serve()
        finally:
            with self._room:
                self._dead = True
                left, self._queue = list(self._queue), deque()
            for job in left:
                job.future.set_exception(Busy())

    def _serve(self) -> None:
        while True:
            jobs = self._take()
            if jobs is None:
                return
            # whoever hung up before his turn is not served; from here on nobody can hang up
            if isinstance(jobs, Edit):
                if jobs.future.set_running_or_notify_cancel():
                    self._run_edit(jobs)
            elif posts := [post for post in jobs if post.future.set_running_or_notify_cancel()]:
                self._run_posts(posts)
            self._tick()

    def _take(self) -> list[Post] | Edit | None:
        """The next group.

        Posts up to the next edit, or that edit alone; empty when only time has passed.
        """
        with self._room:
            if not self._queue and not self._stopping:
                self._room.wait(TICK_S)
            if not self._queue:
                return None if self._stopping else []
            first = self._queue.popleft()
            self._waiting -= _weight(first)
            if isinstance(first, Edit):
                return first
            group, pings = [first], first.weight
            while self._queue and isinstance(self._queue[0], Post) and pings < self._group_limit:
                post = self._queue.popleft()
                assert isinstance(post, Post)  # noqa: S101  (looked at in the line above)
                group.append(post)
                pings += post.weight
            self._waiting -= pings - first.weight
            return group

    def _run_posts(self, posts: list[Post]) -> None:
        try:
            done = self._commit_posts(posts)
        except BaseException as error:  # noqa: BLE001  (whatever it was belongs to the requests, not to the writer)
            if len(posts) > 1:
                for post in posts:
                    self._run_posts([post])
                return
            if isinstance(error, RecordError) and not posts[0].again:
                posts[
                    0
                ].again = True  # a deadlock, or a connection that went: once more is often enough
                self._run_posts(posts)
                return
            self._failed("unit_failed", error)
            posts[0].future.set_exception(_told(error))
            return
        for post, receipt in zip(posts, done.receipts, strict=True):
            post.future.set_result(receipt)

    def _commit_posts(self, posts: list[Post]) -> BatchResult:
        with self._unit() as unit:
            done = self._pipeline.run(unit, posts)
            took_s = _commit(unit)
        self.clock.saw(done.newest_ms)
        self._pipeline.duplicates.add(done.seen_in_unit, self.clock.now_ms())
        self._committed(len(posts), took_s, done)
        return done

    def _run_edit(self, edit: Edit) -> None:
        committed = False
        try:
            with self._unit() as unit:
                self._pipeline.catalogue(edit.project_id, unit.index_version(edit.project_id))
                edited, done, later = self._pipeline.edit(unit, edit)
                version = unit.index_version(edit.project_id)
                took_s = _commit(unit)
            committed = True
            self._pipeline.adopt(edit.project_id, edited, version)
        except BaseException as error:  # noqa: BLE001  (it belongs to the request, not to the writer)
            # a wait for others that was too long: surely rolled back, as what a lost connection
            # leaves is not
            if isinstance(error, RecordError) and not (error.lasting or committed or edit.again):
                edit.again = True
                self._run_edit(edit)
                return
            edit.future.set_exception(_told(error))
            return
        if edit.project_id:  # the house's own errands are nobody's news
            self._committed(1, took_s, done)
        edit.future.set_result(edited.value)
        for start in range(0, len(later), PORTION):
            self._retime_later(edit.project_id, later[start : start + PORTION])

    def _retime_later(
        self, project_id: str, uids: Sequence[str], keys: Sequence[DeviceKey] | None = None
    ) -> None:
        """Set the timers anew at geofences of which a campaign asks another dwell time, some phones at a time, between other work."""

        def work(unit: Unit) -> EditResult:
            found = unit.hot.at_geofences(uids) if keys is None else keys
            self._pipeline.retime(unit, found[:MOST_DUE])
            if len(found) > MOST_DUE:
                self._retime_later(project_id, uids, found[MOST_DUE:])
            return EditResult(None)

        with suppress(Busy):  # the street closes: their next pings set them
            self._queued(Edit(project_id, work), limited=False)

    def _tick(self) -> None:
        """Fire due timers: every second, or after every group where pings move the clock."""
        now_s = time.monotonic()
        if not self.clock.follows_pings and now_s - self._ticked_s < TICK_S:
            return
        self._ticked_s = now_s
        try:
            self.database.sequence()
            self._follow_others(now_s)
            with self._unit() as unit:
                found = unit.hot.due(self.clock.now_ms(), MOST_DUE + len(self._ailing))
            due = [key for key in found if self._ailing.get(key, 0.0) <= now_s][:MOST_DUE]
        except BaseException as error:  # noqa: BLE001  (timers are tried again in a second)
            self._failed("tick_failed", error)
            return
        if due:
            self._fire(due)

    def _follow_others(self, now_s: float) -> None:
        """Read anew what other processes changed, for those who ask what is near.

        One project a time, the rarer the longer it takes.
        """
        for project in self.database.queries.projects():
            if (
                self._pipeline.version(project.id) == project.index_version
                or self._followed.get(project.id, 0.0) > now_s
            ):
                continue
            self._followed[project.id] = (
                now_s + AILING_S
            )  # where it fails, it holds up no others meanwhile
            self._pipeline.catalogue(project.id, project.index_version)
            self._followed[project.id] = now_s + 20.0 * (time.monotonic() - now_s)
            return

    def _fire(self, due: Sequence[DeviceKey]) -> None:
        """Fire the timers of these devices together.

        Where that fails, each by itself, so that one holds up no other.
        """
        try:
            with self._unit() as unit:
                done = self._pipeline.tick(unit, self.clock.now_ms(), due)
                took_s = _commit(unit)
        except BaseException as error:  # noqa: BLE001  (whatever it was belongs to a device, not to the writer)
            self._failed("timers_failed", error, devices=len(due))
            if len(due) == 1:
                self._ailing[due[0]] = time.monotonic() + AILING_S
                return
            for key in due:
                self._fire([key])
            return
        for key in due:
            self._ailing.pop(key, None)
        self._committed(0, took_s, done)

    @contextmanager
    def _unit(self) -> Iterator[Unit]:
        """A unit that is rolled back unless it was committed."""
        unit = self.database.begin()
        try:
            yield unit
        finally:
            unit.rollback()

    def _failed(self, what: str, error: BaseException, **more: int) -> None:
        """Say so, in words where the record refused.

        Those name no row (`backends/sql/errors.py`).
        """
        if isinstance(error, RecordError):
            self._refused_s = time.monotonic() if error.lasting else self._refused_s
            log.warning(what, error=type(error).__name__, detail=error.detail, **more)
            return
        log.warning(what, error=type(error).__name__, **more)

    def _committed(self, requests: int, commit_s: float, done: BatchResult) -> None:
        """Tell whoever listens; nothing of that can make a committed unit a failed one."""
        self._refused_s = None
        report = UnitReport(
            requests, commit_s, done.tallies, done.events, done.decisions, done.messages
        )
        try:
            if report.events:
                self.database.sequence()
            for project_id in {event.project_id for event in report.events}:
                for listener in list(self._listeners):
                    listener(project_id)
            for reporter in list(self._reporters):
                reporter(report)
        except BaseException as error:  # noqa: BLE001  (it is on disk; the sequencer runs again with the next tick)
            log.error("listener_failed", error=type(error).__name__)


def _commit(unit: Unit) -> float:
    """Commit; the seconds it took."""
    started_s = time.perf_counter()
    unit.commit()
    return time.perf_counter() - started_s


def _told(error: BaseException) -> BaseException:
    """What the caller is told.

    Our own errors as they are, and whatever would end a thread as a plain error.
    """
    return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)


def _weight(job: Post | Edit) -> int:
    return job.weight if isinstance(job, Post) else 1
