"""What is counted, for Prometheus at /metrics. No label holds an id, a position or a secret."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from api.version import our_version
from geofence.clock import Clock
from geofence.errors import RecordError
from geofence.model.backlog import Backlog
from geofence.model.receipt import Receipt
from geofence.street.worker import Delivered
from geofence.street.writer import UnitReport

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

# without it, each counter has a second series with the time of its making
disable_created_metrics()  # type: ignore[no-untyped-call] # theirs has no annotations


class Metrics:
    """The counters of one service. Each application has its own registry."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.pings = Counter(
            "geofence_pings",
            "Pings by outcome: accepted, duplicate, rejected",
            ["outcome"],
            registry=registry,
        )
        self.rejected = Counter(
            "geofence_rejected", "Refused pings by code", ["code"], registry=registry
        )
        self.events = Counter(
            "geofence_events", "Committed events by kind", ["kind"], registry=registry
        )
        self.decisions = Counter(
            "geofence_decisions",
            "Decisions by outcome and reason",
            ["outcome", "reason"],
            registry=registry,
        )
        self._add_units(registry)
        self._add_http(registry)
        _describe_process(registry)
        self._accepted = self.pings.labels("accepted")
        self._duplicate = self.pings.labels("duplicate")
        self._refused = self.pings.labels("rejected")

    def _add_units(self, registry: CollectorRegistry) -> None:
        """Units of work, their commits, and attempts to send."""
        self.messages = Counter(
            "geofence_messages",
            "Attempts to send by channel and verdict",
            ["channel", "verdict"],
            registry=registry,
        )
        self.units = Counter("geofence_units", "Committed units of work", registry=registry)
        self.group = Histogram(
            "geofence_group_requests",
            "Requests committed together",
            buckets=_SIZES,
            registry=registry,
        )
        self.commit_s = Histogram(
            "geofence_commit_seconds", "Time of one commit", buckets=_SECONDS, registry=registry
        )

    def _add_http(self, registry: CollectorRegistry) -> None:
        """The queue, the streams and the requests."""
        self.depth = Gauge(
            "geofence_queue_pings", "Pings waiting for the writer", registry=registry
        )
        self.streams = Gauge("geofence_event_streams", "Open event streams", registry=registry)
        self.requests = Counter(
            "geofence_http_requests",
            "Requests by route and status",
            ["method", "route", "status"],
            registry=registry,
        )
        self.request_s = Histogram(
            "geofence_http_request_seconds",
            "Time to the answer",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )

    def watch_depth(self, depth: Callable[[], int]) -> None:
        """Ask this for the queue's depth at every scrape."""
        self.depth.set_function(depth)

    def watch_outbox(self, backlogs: Callable[[], Iterable[Backlog]], clock: Clock) -> None:
        """Read what waits for delivery at every scrape."""
        self.registry.register(_Outbox(backlogs, clock))

    def count_unit(self, report: UnitReport) -> None:
        """Count what a committed unit of work did."""
        self.units.inc()
        self.commit_s.observe(report.commit_s)
        if report.requests:
            self.group.observe(report.requests)
        for event in report.events:
            self.events.labels(event.kind).inc()
        for decision in report.decisions:  # the token alone: values would make a series each
            self.decisions.labels(decision.outcome, decision.reason.partition("=")[0]).inc()

    def delivered(self, delivered: Delivered) -> None:
        """Count what came of one try at a message."""
        self.messages.labels(delivered.channel, delivered.verdict).inc()

    def took(self, receipt: Receipt) -> None:
        """Count what became of a batch."""
        self._accepted.inc(receipt.accepted)
        self._duplicate.inc(receipt.duplicates)
        if receipt.rejected:
            self._refused.inc(len(receipt.rejected))
            for rejection in receipt.rejected:
                self.rejected.labels(rejection.code).inc()

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


def _describe_process(registry: CollectorRegistry) -> None:
    """Add the `process_*` metrics and the version."""
    ProcessCollector(registry=registry)
    build = Gauge(
        "geofence_build_info",
        "The version that runs, always 1",
        ["version", "python"],
        registry=registry,
    )
    build.labels(our_version(), platform.python_version()).set(1)


class _Outbox(Collector):
    """Reads the outbox when it is asked; says nothing while the database does not answer."""

    def __init__(self, backlogs: Callable[[], Iterable[Backlog]], clock: Clock) -> None:
        self._backlogs, self._clock = backlogs, clock

    def describe(self) -> Iterator[Metric]:
        """The families without values: nothing is read when this is registered."""
        yield from self._families(())

    def collect(self) -> Iterator[Metric]:
        """The families as of now."""
        try:
            yield from self._families(tuple(self._backlogs()))
        except RecordError:
            return

    def _families(self, backlogs: Iterable[Backlog]) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "geofence_outbox_messages", "Messages that wait, by channel", labels=["channel"]
        )
        oldest = GaugeMetricFamily(
            "geofence_outbox_oldest_due_seconds",
            "How long the oldest due message has waited",
            labels=["channel"],
        )
        paused = GaugeMetricFamily(
            "geofence_channel_paused_seconds",
            "How long a channel has been paused, by reason",
            labels=["channel", "reason"],
        )
        now_ms = self._clock.now_ms()
        for one in backlogs:
            waiting.add_metric([one.channel], one.waiting)
            due_ms = now_ms if one.oldest_due_ms is None else one.oldest_due_ms
            oldest.add_metric([one.channel], max(0, now_ms - due_ms) / 1000)
            if one.paused_reason and one.paused_ms is not None:
                since_s = max(0, now_ms - one.paused_ms) / 1000
                paused.add_metric([one.channel, one.paused_reason], since_s)
        yield from (waiting, oldest, paused)
