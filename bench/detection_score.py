"""Compares what was detected with what truly happened.

A *true visit* is from the first true second inside a geofence to the first outside. A *detected
visit* runs from its arrival to its departure, or to the end of the trace while it is open.

* A true visit is **found** when detected visits of the same device and geofence cover at least half of it. Recall is the share found
  of those that last `least_s` seconds or more.
* A detected visit is **false** when it overlaps no true visit, however short, of its device and geofence (one second of grace for the
  resolution of the truth). Precision is the share that is not false.
* An enter is false when the phone was truly outside throughout the minute before and after it; an exit is false when the phone was
  truly inside throughout that time. Exits inferred from silence are counted apart: they say that the phone went quiet.
* The **delay** of an enter is from the true arrival to the arrival of the ping that proved it; of an exit likewise, without inferred ones.
  Only found visits of `least_s` or more count, and only where the detected visit begins (ends) within it or two minutes from its end.
* A found visit is **merged** when the detected one goes on into the next true visit: who comes back before the exit is proven has not left,
  and the exit that is told in the end is that of the last of them, so it says nothing of the delay of the others.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.detection_runs import Heard
from geofence.model.event import Event
from geofence.model.presence import Visit

AROUND_MS = 60_000
GRACE_MS = 1_000
SLACK_MS = 120_000
DAY_MS = 86_400_000

Span = tuple[int, int]
Name = tuple[str, str]


@dataclass(slots=True)
class Score:
    """Counts over any number of devices; delays in seconds."""

    pings: int = 0
    devices: int = 0
    # those with a false exit: a room whose error points outside makes one phone leave again and
    # again
    devices_leaving: int = 0
    device_days: float = 0.0
    true_visits: int = 0
    found: int = 0
    split: int = 0
    merged: int = 0
    detected: int = 0
    false_visits: int = 0
    false_enters: int = 0
    false_exits: int = 0
    silent_exits: int = 0
    enter_s: list[float] = field(default_factory=list)
    exit_s: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float | None]:
        """The figures: shares, counts per device-day, medians and 90th percentiles (s)."""
        days = max(self.device_days, 1e-9)
        return {
            "pings": self.pings, "devices": self.devices, "devices_leaving": self.devices_leaving,
            "device_days": round(self.device_days, 3),
            "true_visits": self.true_visits, "detected": self.detected,
            "recall": _share(self.found, self.true_visits), "precision": _share(self.detected - self.false_visits, self.detected),
            "split": self.split, "merged": self.merged, "false_visits": self.false_visits, "false_enters": self.false_enters,
            "false_exits": self.false_exits, "silent_exits": self.silent_exits,
            "false_enters_per_day": self.false_enters / days, "false_exits_per_day": self.false_exits / days,
            "enter_median_s": _quantile(self.enter_s, 50), "enter_p90_s": _quantile(self.enter_s, 90),
            "exit_median_s": _quantile(self.exit_s, 50), "exit_p90_s": _quantile(self.exit_s, 90),
        }  # fmt: skip


def score(heard: Iterable[Heard], least_s: float = 300.0) -> Score:
    """The score of these devices."""
    total = Score()
    for one in heard:
        _add(total, one, least_s)
    return total


def _add(total: Score, heard: Heard, least_s: float) -> None:
    trace = heard.trace
    at_ms = trace.fixes.at_ms
    start_ms = trace.start_ms
    end_ms = start_ms + round(1000 * trace.path.seconds)
    total.pings += len(at_ms)
    total.device_days += (end_ms - start_ms) / DAY_MS
    true = _spans(((v.geofence_id, v.arrival_ms, v.departure_ms) for v in trace.visits), end_ms)
    seen = _spans(((v.geofence_id, v.arrival_ms, v.departure_ms) for v in heard.visits), end_ms)
    told = _told(heard.events)
    for fence_id, spans in true.items():
        visits = [visit for visit in heard.visits if visit.geofence_id == fence_id]
        for span in spans:
            if span[1] - span[0] >= 1000 * least_s:
                _judge_true(total, span, spans, visits, told, (start_ms, end_ms))
    for fence_id, spans in seen.items():
        total.detected += len(spans)
        total.false_visits += sum(not _overlaps_any(span, true.get(fence_id, [])) for span in spans)
    before = total.false_exits
    for event in heard.events:
        _judge_event(total, event, true.get(event.geofence_id, []), (start_ms, end_ms))
    total.devices += 1
    total.devices_leaving += total.false_exits > before


def _judge_true(
    total: Score,
    span: Span,
    spans: list[Span],
    visits: list[Visit],
    told: dict[tuple[str, str], Event],
    trace: Span,
) -> None:
    total.true_visits += 1
    over = [
        visit
        for visit in visits
        if _covered((visit.arrival_ms, visit.departure_ms or trace[1]), span) > 0
    ]
    if (
        sum(_covered((visit.arrival_ms, visit.departure_ms or trace[1]), span) for visit in over)
        < (span[1] - span[0]) / 2
    ):
        return
    total.found += 1
    total.split += len(over) > 1
    first, last = over[0], over[-1]
    merged = any(span[1] <= other[0] < (last.departure_ms or trace[1]) for other in spans)
    total.merged += merged
    entered, exited = (
        told.get((first.visit_id, "geofence.entered")),
        told.get((last.visit_id, "geofence.exited")),
    )
    if entered is not None and span[0] > trace[0] and entered.ts_ms >= span[0] - SLACK_MS:
        total.enter_s.append((entered.recorded_ms - span[0]) / 1000)
    if (
        exited is not None
        and not merged
        and not exited.inferred
        and span[1] < trace[1]
        and exited.ts_ms >= span[1] - SLACK_MS
    ):
        total.exit_s.append((exited.recorded_ms - span[1]) / 1000)


def _judge_event(total: Score, event: Event, true: list[Span], trace: Span) -> None:
    before_ms, after_ms = (
        max(event.ts_ms - AROUND_MS, trace[0]),
        min(event.ts_ms + AROUND_MS, trace[1]),
    )
    if event.kind == "geofence.entered":
        total.false_enters += not any(span[0] <= after_ms and before_ms <= span[1] for span in true)
    elif event.kind == "geofence.exited":
        false = any(span[0] <= before_ms and after_ms <= span[1] for span in true)
        total.false_exits += false and not event.inferred
        total.silent_exits += false and event.inferred


def _told(events: Iterable[Event]) -> dict[tuple[str, str], Event]:
    return {(event.visit_id, event.kind): event for event in events}


def _spans(visits: Iterable[tuple[str, int, int | None]], end_ms: int) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for fence_id, arrival_ms, departure_ms in visits:
        found[fence_id].append((arrival_ms, end_ms if departure_ms is None else departure_ms))
    return found


def _overlaps_any(span: Span, others: Iterable[Span]) -> bool:
    return any(
        span[0] <= other[1] + GRACE_MS and other[0] - GRACE_MS <= span[1] for other in others
    )


def _covered(span: Span, by: Span) -> int:
    return max(0, min(span[1], by[1]) - max(span[0], by[0]))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _quantile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)
