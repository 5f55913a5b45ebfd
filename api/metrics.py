"""What is counted, for Prometheus at /metrics. No label holds an id, a position or a secret."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from geofence.model.receipt import Receipt
from geofence.street.worker import Delivered
from geofence.street.writer import UnitReport

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

disable_created_metrics()  # type: ignore[no-untyped-call] # theirs has no annotations; without it, a second series per counter that nobody asks for


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
        self.messages = Counter(
            "geofence_messages",
            "Tries at messages by channel and verdict",
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
        self._accepted = self.pings.labels("accepted")
        self._duplicate = self.pings.labels("duplicate")
        self._refused = self.pings.labels("rejected")

    def watch_depth(self, depth: Callable[[], int]) -> None:
        """Ask this for the queue's depth at every scrape."""
        self.depth.set_function(depth)

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
