"""The writer's queue: requests in arrival order, bounded by the number of pings that wait."""

from __future__ import annotations

import threading
from collections import deque
from typing import TypeVar

from geofence.errors import Busy
from geofence.street.jobs import Edit, Post, Retime

Job = Post | Edit | Retime
T = TypeVar("T", Post, Edit, Retime)


class JobQueue:
    """Any thread puts, one thread takes.

    A group holds up to about `group_limit` pings, the queue at most `queue_limit`.
    """

    def __init__(self, group_limit: int, queue_limit: int) -> None:
        self._group_limit, self._queue_limit = group_limit, queue_limit
        self._jobs: deque[Job] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._closed = False
        self._abandoned = False

    @property
    def waiting(self) -> int:
        """Pings that wait; each edit counts as one."""
        return self._waiting

    def put(self, job: T, *, limited: bool = True) -> T:
        """Append a job; raises `Busy` where the queue is closed, or full and the job `limited`."""
        with self._changed:
            full = limited and self._waiting and self._waiting + job.weight > self._queue_limit
            if self._closed or self._abandoned or full:
                raise Busy
            self._jobs.append(job)
            self._waiting += job.weight
            self._changed.notify()
        return job

    def take(self, patience_s: float) -> list[Post] | Edit | Retime | None:
        """The next group: posts up to the next edit, or that edit alone.

        Empty when none came within `patience_s`; None when the queue is closed and empty.
        """
        with self._changed:
            if not self._jobs and not self._closed:
                self._changed.wait(patience_s)
            if not self._jobs:
                return None if self._closed else []
            first = self._jobs.popleft()
            self._waiting -= first.weight
            return self._group_of(first) if isinstance(first, Post) else first

    def close(self) -> None:
        """Refuse new jobs; those that wait can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def abandon(self) -> None:
        """Refuse new jobs and those that wait: no thread takes them any more."""
        with self._changed:
            self._abandoned = True
            left, self._jobs = list(self._jobs), deque()
        for job in left:
            if not isinstance(job, Retime):
                job.future.set_exception(Busy())

    def _group_of(self, first: Post) -> list[Post]:
        """The post and those right behind it, up to the limit of a group."""
        group, pings = [first], first.weight
        while self._jobs and pings < self._group_limit:
            post = self._jobs[0]
            if not isinstance(post, Post):
                break
            self._jobs.popleft()
            group.append(post)
            pings += post.weight
        self._waiting -= pings - first.weight
        return group
