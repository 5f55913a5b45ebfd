"""Compare detected visits with true ones.

A *true visit* is from the first true second inside a geofence to the first outside. A *detected
visit* runs from its arrival to its departure, or to the end of the trace while it is open.

* A true visit is **found** when detected visits of the same device and geofence cover at least half
  of it. Recall is the share found of those that last `least_s` seconds or more.
* A detected visit is **false** when it overlaps no true visit, however short, of its device and
  geofence (with one second of grace for the resolution of the truth). Precision is the share that
  is not false.
* An enter is false when the phone was truly outside throughout the minute before and after it; an
  exit is false when the phone was truly inside throughout that time. Exits inferred from silence
  are counted apart: they say that the phone went quiet.
* The **delay** of an enter is from the true arrival to the arrival of the ping that proved it, and
  of an exit likewise, without inferred ones. Only found visits of `least_s` or more count, and only
  where the detected visit begins (ends) within it or two minutes from its end.
* A found visit is **merged** when the detected one continues into the next true visit: a phone that
  comes back before the exit is proven has not left. Its exit belongs to the last of these visits
  and says nothing about the delay of the others.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.detection_runs import Heard
from geofence.model.event import Event
from geofence.model.presence import Visit
from geofence.simulate.truth import TrueVisit

AROUND_MS = 60_000
GRACE_MS = 1_000
SLACK_MS = 120_000
DAY_MS = 86_400_000

COUNTS = (
    "pings",
    "devices",
    "devices_leaving",
    "true_visits",
    "detected",
    "split",
    "merged",
    "false_visits",
    "false_enters",
    "false_exits",
    "silent_exits",
)

Span = tuple[int, int]
Name = tuple[str, str]


@dataclass(slots=True)
class Score:
    """Counts over any number of devices; delays in seconds."""

    pings: int = 0
    devices: int = 0
    # with a false exit: a room whose error points outside makes one phone leave repeatedly
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
        counts = {name: getattr(self, name) for name in COUNTS}
        return {
            **counts,
            "device_days": round(self.device_days, 3),
            "recall": _share(self.found, self.true_visits),
            "precision": _share(self.detected - self.false_visits, self.detected),
            "false_enters_per_day": self.false_enters / days,
            "false_exits_per_day": self.false_exits / days,
            "enter_median_s": _quantile(self.enter_s, 50),
            "enter_p90_s": _quantile(self.enter_s, 90),
            "exit_median_s": _quantile(self.exit_s, 50),
            "exit_p90_s": _quantile(self.exit_s, 90),
        }


def score(heard: Iterable[Heard], least_s: float = 300.0) -> Score:
    """The score of these devices."""
    total = Score()
    for one in heard:
        _add(total, one, least_s)
    return total


def _add(total: Score, heard: Heard, least_s: float) -> None:
    trace, span = heard.trace, _whole(heard)
    total.pings += len(trace.fixes.at_ms)
    total.device_days += (span[1] - span[0]) / DAY_MS
    true, seen = _spans(trace.visits, span[1]), _spans(heard.visits, span[1])
    for fence_id, spans in true.items():
        for one in spans:
            if one[1] - one[0] >= 1000 * least_s:
                _judge_true(total, one, spans, heard, fence_id)
    total.detected += sum(map(len, seen.values()))
    total.false_visits += sum(
        not _overlaps_any(one, true.get(fence_id, []))
        for fence_id in seen
        for one in seen[fence_id]
    )
    _judge_events(total, heard, true)


def _judge_events(total: Score, heard: Heard, true: dict[str, list[Span]]) -> None:
    before = total.false_exits
    for event in heard.events:
        _judge_event(total, event, true.get(event.geofence_id, []), _whole(heard))
    total.devices += 1
    total.devices_leaving += total.false_exits > before


def _whole(heard: Heard) -> Span:
    """The beginning and the end of a trace."""
    start_ms = heard.trace.start_ms
    return start_ms, start_ms + round(1000 * heard.trace.path.seconds)


def _judge_true(total: Score, span: Span, spans: list[Span], heard: Heard, fence_id: str) -> None:
    """Judge one true visit among all true visits of its geofence, `spans`."""
    whole = _whole(heard)
    total.true_visits += 1
    over, covered_ms = _over(heard, fence_id, span, whole[1])
    if covered_ms < (span[1] - span[0]) / 2:
        return
    total.found += 1
    total.split += len(over) > 1
    first, last = over[0], over[-1]
    is_merged = any(span[1] <= other[0] < (last.departure_ms or whole[1]) for other in spans)
    total.merged += is_merged
    events = {(event.visit_id, event.kind): event for event in heard.events}
    _add_enter_delay(total, span, whole, events.get((first.visit_id, "geofence.entered")))
    if not is_merged:
        _add_exit_delay(total, span, whole, events.get((last.visit_id, "geofence.exited")))


def _over(heard: Heard, fence_id: str, span: Span, end_ms: int) -> tuple[list[Visit], int]:
    """The detected visits of a geofence that overlap a span, and the time that they cover."""
    over: list[Visit] = []
    total_ms = 0
    for visit in heard.visits:
        covered_ms = _covered((visit.arrival_ms, visit.departure_ms or end_ms), span)
        if visit.geofence_id == fence_id and covered_ms > 0:
            over.append(visit)
            total_ms += covered_ms
    return over, total_ms


def _add_enter_delay(total: Score, span: Span, trace: Span, event: Event | None) -> None:
    if event is not None and span[0] > trace[0] and event.ts_ms >= span[0] - SLACK_MS:
        total.enter_s.append((event.recorded_ms - span[0]) / 1000)


def _add_exit_delay(total: Score, span: Span, trace: Span, event: Event | None) -> None:
    if event is None or event.inferred:
        return
    if span[1] < trace[1] and event.ts_ms >= span[1] - SLACK_MS:
        total.exit_s.append((event.recorded_ms - span[1]) / 1000)


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


def _spans(visits: Iterable[Visit | TrueVisit], end_ms: int) -> dict[str, list[Span]]:
    """Geofence -> (arrival, departure) of its visits; open visits end at `end_ms`."""
    found: dict[str, list[Span]] = defaultdict(list)
    for one in visits:
        departure_ms = end_ms if one.departure_ms is None else one.departure_ms
        found[one.geofence_id].append((one.arrival_ms, departure_ms))
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
