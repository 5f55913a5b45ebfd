"""The single writer: takes requests in arrival order and answers after their commit.

One thread takes what waits, runs it through the pipeline as one unit of work, commits the unit and
only then answers. A group that fails runs again request by request, so one bad request fails alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from geofence.clock import Clock
from geofence.errors import Busy, RecordError
from geofence.hints.safe_radius import Wake
from geofence.model.decision import Decision
from geofence.model.edit import EditArguments, EditResult
from geofence.model.event import Event
from geofence.model.message import OutboxMessage
from geofence.model.ping import PingIn, Rejection
from geofence.model.presence import DeviceKey
from geofence.model.receipt import Near, Receipt
from geofence.places.catalogues import Catalogues
from geofence.places.index_cache import IndexCache
from geofence.ports.database import Database
from geofence.ports.unit import Unit
from geofence.street.handlers import edit_handlers
from geofence.street.jobs import IOS_WATCHES, BatchResult, Edit, Post, Retime, Tally
from geofence.street.pipeline import Pipeline
from geofence.street.queue import JobQueue
from geofence.street.timers import Timers

TICK_S = 1.0
GROUP_LIMIT = 20_000
QUEUE_LIMIT = 200_000
MOST_DUE = 1000
FAILED_S = 60.0  # how long timers of a device wait after they failed
REFUSED_S = 10.0
PORTION = 200

log = structlog.get_logger(__name__)

Listener = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class UnitReport:
    """One committed unit of work: how many requests it joined, seconds to commit, the outcome."""

    requests: int
    commit_s: float
    tallies: Sequence[Tally]
    events: Sequence[Event]
    decisions: Sequence[Decision] = ()
    messages: Sequence[OutboxMessage] = ()


class Writer:
    """The queue and its thread. `start` before the first use; `stop` finishes what is queued.

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
        self.catalogues = Catalogues(database.queries, IndexCache(index_stem))
        self.pipeline = Pipeline(self.catalogues, clock, public_url)
        self.timers = Timers(self.catalogues, clock, self.pipeline.offer)
        self._handlers = edit_handlers()
        self._queue = JobQueue(group_limit, queue_limit)
        self._thread: threading.Thread | None = None
        self._listeners: list[Listener] = []
        self._reporters: list[Callable[[UnitReport], None]] = []
        # monotonic seconds: the last tick, the database's last refusal, until when a project is not
        # reloaded, and when the timers of a device that failed are tried again
        self._ticked_s = 0.0
        self._refused_s: float | None = None
        self._reload_after_s: dict[str, float] = {}
        self._retry_s: dict[DeviceKey, float] = {}

    def start(self) -> None:
        """Load every project's index, then begin to take requests."""
        for project in self.database.queries.projects():
            self.catalogues.catalogue(project.id)
        self._thread = threading.Thread(target=self._work, name="street", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, then end; later requests are refused."""
        self._queue.close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self.catalogues.keep()

    def submit_pings(
        self,
        project_id: str,
        items: Sequence[tuple[int, PingIn]],
        rejected: Sequence[Rejection] = (),
        include: frozenset[str] = frozenset(),
        watch: int = IOS_WATCHES,
        wake: Wake = "clock",
    ) -> Future[Receipt]:
        """Queue a request's pings; the receipt comes after their commit.

        Args:
            project_id: The project of all the pings.
            items: (index in the request, ping) of each.
            rejected: Items that were refused before.
            include: Any of events, offers, hint.
            watch: How many geofences a hint names.
            wake: What wakes the phone, see `hint`.

        Raises:
            Busy: The queue is full, or the writer stops.
        """
        return self._queue.put(Post(project_id, items, rejected, include, watch, wake)).future

    def submit_edit(self, project_id: str, arguments: EditArguments) -> Future[Any]:
        """Queue an edit, to run in a unit of its own.

        Its value comes after the commit, with the index swapped already.

        Raises:
            Busy: The queue is full, or the writer stops.
            InputError: No handler runs edits of this kind (code `unknown_edit`).
        """
        self._handlers.check(arguments)
        return self._queue.put(Edit(project_id, arguments)).future

    def submit_internal(self, arguments: EditArguments) -> Future[Any]:
        """Queue an edit of the service's own, which touches no places.

        It is taken also when the queue is full of pings.

        Raises:
            Busy: The writer stops.
            InputError: No handler runs edits of this kind (code `unknown_edit`).
        """
        self._handlers.check(arguments)
        return self._queue.put(Edit("", arguments), limited=False).future

    def near(
        self, project_id: str, lat: float, lon: float, within_m: float | None, limit: int
    ) -> list[Near]:
        """The geofences nearest to a point (degrees), by signed distance to their edge."""
        catalogue = self.catalogues.catalogue(project_id)
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
        return self._queue.waiting

    def refused(self) -> bool:
        """Whether the database refused the last unit, within ten seconds: its disk is full, say."""
        return self._refused_s is not None and time.monotonic() - self._refused_s < REFUSED_S

    def alive(self) -> bool:
        """Whether the writer runs."""
        return self._thread is not None and self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._serve()
        finally:
            self._queue.abandon()

    def _serve(self) -> None:
        while True:
            jobs = self._queue.take(TICK_S)
            if jobs is None:
                return
            # cancelled requests are skipped; from here on none can be cancelled
            if isinstance(jobs, Retime):
                self._run_retime(jobs)
            elif isinstance(jobs, Edit):
                if jobs.future.set_running_or_notify_cancel():
                    self._run_edit(jobs)
            elif posts := [post for post in jobs if post.future.set_running_or_notify_cancel()]:
                self._run_posts(posts)
            self._tick()

    def _run_posts(self, posts: list[Post]) -> None:
        try:
            done = self._commit_posts(posts)
        except BaseException as error:  # noqa: BLE001  (it belongs to the requests, not to the writer)
            if len(posts) > 1:
                for post in posts:
                    self._run_posts([post])
                return
            post = posts[0]
            if isinstance(error, RecordError) and not post.again:
                post.again = True  # after a deadlock or a lost connection, once more often succeeds
                self._run_posts(posts)
                return
            self._failed("unit_failed", error)
            post.future.set_exception(_for_caller(error))
            return
        for post, receipt in zip(posts, done.receipts, strict=True):
            post.future.set_result(receipt)

    def _commit_posts(self, posts: list[Post]) -> BatchResult:
        with self.database.begin(remember=True) as unit:
            done = self.pipeline.run(unit, posts)
            took_s = _commit(unit)
        self.clock.saw(done.newest_ms)
        self.pipeline.duplicates.add(done.seen, self.clock.now_ms())
        self._committed(len(posts), took_s, done)
        return done

    def _run_edit(self, edit: Edit) -> None:
        committed, project_id = False, edit.project_id
        try:
            with self.database.begin(remember=True) as unit:
                edited, done, later = self._edited(unit, edit)
                version = unit.index_version(project_id)
                took_s = _commit(unit)
            committed = True
            self.catalogues.adopt(project_id, edited, version)
        except BaseException as error:  # noqa: BLE001  (it belongs to the request, not to the writer)
            # a lock waited for too long was surely rolled back; a lost connection may not be
            if isinstance(error, RecordError) and not (error.lasting or committed or edit.again):
                edit.again = True
                self._run_edit(edit)
                return
            edit.future.set_exception(_for_caller(error))
            return
        if project_id:  # the service's own edits are not reported
            self._committed(1, took_s, done)
        edit.future.set_result(edited.value)
        for start in range(0, len(later), PORTION):
            self._retime_later(Retime(project_id, later[start : start + PORTION]))

    def _edited(self, unit: Unit, edit: Edit) -> tuple[EditResult, BatchResult, Sequence[str]]:
        """Run an edit's handler, and let timers and open visits follow; nothing is committed."""
        project_id = edit.project_id
        self.catalogues.catalogue(project_id, unit.index_version(project_id))
        now_ms = self.clock.now_ms()
        edited = self._handlers.run(edit.arguments, unit, project_id, now_ms)
        return edited, *self.timers.follow_edit(unit, project_id, edited)

    def _retime_later(self, job: Retime) -> None:
        with suppress(Busy):  # the writer stops: the devices' next pings set their timers
            self._queue.put(job, limited=False)

    def _run_retime(self, job: Retime) -> None:
        """Set timers at geofences of which a campaign asks another dwell time.

        Some devices at a time, between other work; a portion that fails is left to their pings.
        """
        try:
            with self.database.begin(remember=True) as unit:
                keys = unit.hot.at_geofences(job.uids) if job.keys is None else job.keys
                done = self.timers.retime(unit, keys[:MOST_DUE])
                took_s = _commit(unit)
        except BaseException as error:  # noqa: BLE001  (no request waits for it)
            if isinstance(error, RecordError) and not (error.lasting or job.again):
                job.again = True
                self._run_retime(job)
                return
            self._failed("retime_failed", error)
            return
        self._committed(0, took_s, done)
        if len(keys) > MOST_DUE:
            self._retime_later(Retime(job.project_id, job.uids, keys[MOST_DUE:]))

    def _tick(self) -> None:
        """Fire due timers: every second, or after every group where pings move the clock."""
        now_s = time.monotonic()
        if not self.clock.follows_pings and now_s - self._ticked_s < TICK_S:
            return
        self._ticked_s = now_s
        try:
            self.database.sequence()
            self._follow_others(now_s)
            with self.database.begin(remember=True) as unit:
                found = unit.hot.due(self.clock.now_ms(), MOST_DUE + len(self._retry_s))
            due = [key for key in found if self._retry_s.get(key, 0.0) <= now_s][:MOST_DUE]
        except BaseException as error:  # noqa: BLE001  (timers are tried again in a second)
            self._failed("tick_failed", error)
            return
        if due:
            self._fire(due)

    def _follow_others(self, now_s: float) -> None:
        """Reload indexes changed by other processes, for requests that ask what is near.

        One project per tick, with back-off proportional to the load time.
        """
        for project in self.database.queries.projects():
            if (
                self.catalogues.version(project.id) == project.index_version
                or self._reload_after_s.get(project.id, 0.0) > now_s
            ):
                continue
            # where loading fails, the next ticks serve other projects first
            self._reload_after_s[project.id] = now_s + FAILED_S
            self.catalogues.catalogue(project.id, project.index_version)
            self._reload_after_s[project.id] = now_s + 20.0 * (time.monotonic() - now_s)
            return

    def _fire(self, due: Sequence[DeviceKey]) -> None:
        """Fire the timers of these devices together; where that fails, each device's alone."""
        try:
            with self.database.begin(remember=True) as unit:
                done = self.timers.tick(unit, self.clock.now_ms(), due)
                took_s = _commit(unit)
        except BaseException as error:  # noqa: BLE001  (it belongs to a device, not to the writer)
            self._failed("timers_failed", error, devices=len(due))
            if len(due) == 1:
                self._retry_s[due[0]] = time.monotonic() + FAILED_S
                return
            for key in due:
                self._fire([key])
            return
        for key in due:
            self._retry_s.pop(key, None)
        self._committed(0, took_s, done)

    def _failed(self, what: str, error: BaseException, **more: int) -> None:
        """Log a failure; a refusal of the database in its own words, which name no row."""
        if isinstance(error, RecordError):
            self._refused_s = time.monotonic() if error.lasting else self._refused_s
            log.warning(what, error=type(error).__name__, detail=error.detail, **more)
            return
        log.warning(what, error=type(error).__name__, **more)

    def _committed(self, requests: int, commit_s: float, done: BatchResult) -> None:
        """Call the listeners; whatever they do, a committed unit stays committed."""
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
        except BaseException as error:  # noqa: BLE001  (the sequencer runs again with the next tick)
            log.error("listener_failed", error=type(error).__name__)


def _commit(unit: Unit) -> float:
    """Commit; the seconds it took."""
    started_s = time.perf_counter()
    unit.commit()
    return time.perf_counter() - started_s


def _for_caller(error: BaseException) -> BaseException:
    """The error as the caller gets it: what would end a thread becomes a plain error."""
    return error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
