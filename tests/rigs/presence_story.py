"""One device at one geofence: times in seconds, distances in metres, negative inside."""

from __future__ import annotations

from typing import Any

from geofence.detection.deadlines import advance
from geofence.detection.presence import update
from geofence.detection.transition import Sighting, Transition
from geofence.model.presence import Presence
from geofence.model.rules import Rules

RULES = {
    "exact": Rules("exact", 150, 300, 20, 0, 0, None, ()),
    "balanced": Rules("balanced", 150, 300, 20, 0, 120_000, 3_600_000, ()),
    "strict": Rules("strict", 150, 300, 20, 60_000, 120_000, 3_600_000, ()),
}


class Story:
    """One device at one geofence; collects what happened as (kind, second) pairs."""

    def __init__(self, profile: str, **changes: Any) -> None:
        self.rules = RULES[profile]._replace(**changes)
        self.presence: Presence | None = None
        self.before_ms: int | None = None
        self.happened: list[Transition] = []

    def see(
        self, at_s: float, edge_m: float, accuracy_m: float | None = 10.0, *, evidence: bool = True
    ) -> Story:
        ts_ms = int(at_s * 1000)
        seen = Sighting(ts_ms, edge_m, accuracy_m, evidence, self.before_ms)
        self.presence, more = update(self.presence, "gf_1", seen, self.rules)
        self.before_ms = ts_ms
        self.happened += more
        return self

    def wait_until(self, at_s: float) -> Story:
        if self.presence is not None:
            self.presence, more = advance(self.presence, int(at_s * 1000), self.rules)
            self.happened += more
        return self

    @property
    def events(self) -> list[tuple[str, float]]:
        """(kind, second) of what happened at the geofence; stops have their own tests."""
        return [
            (one.kind.removeprefix("geofence."), one.ts_ms / 1000)
            for one in self.happened
            if one.kind != "device.stopped"
        ]
