"""What the linter says of a project's geofences, and of those that an import touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from geofence.importing.report import Found, Report
from geofence.importing.sink import Place
from geofence.model.place import Geofence, Store
from geofence.places.editing import ring_id
from geofence.ports.listing import PAGE, TrafficFilter, every
from geofence.ports.queries import Queries
from regions.geojson import read_region
from regions.lint.lint import Finding, lint
from regions.region import Circle, Region

AFTER_IMPORT = 50_000  # geofences looked at after an import; GET /v1/lint looks at more
TOLD = 100
NAMED = 20  # of the geofences that one sentence is about
ROADSIDE_DAYS = 30
ROADSIDE_SHARE = 0.5
DRIVE_S = 90  # at one ping a minute a drive through a store's circle holds one ping, or two
FEWEST_VISITS = 20


@dataclass(slots=True)
class Touched:
    """The regions of an import by name, until there are too many to look at."""

    regions: dict[str, Region] = field(default_factory=dict)

    def saw(self, place: Place) -> None:
        """Remember a store's rings, or a geofence."""
        if len(self.regions) <= AFTER_IMPORT:
            self.regions.update(_regions(place))

    def look(self, queries: Queries, project_id: str, report: Report) -> None:
        """Add to the report what the linter finds about these regions among all of the project."""
        known = (
            {}
            if len(self.regions) > AFTER_IMPORT
            else regions_of(queries, project_id, AFTER_IMPORT)
        )
        together = (known or {}) | self.regions
        if known is None or len(together) > AFTER_IMPORT:
            report.warn(
                None,
                None,
                "not_looked_at",
                f"more than {AFTER_IMPORT:,} geofences: GET /v1/lint looks at them",
            )
            return
        findings = (
            one
            for one in lint(list(together.items()), listed=AFTER_IMPORT)
            if not self.regions.keys().isdisjoint(one.names)
        )
        report.lint = [Found.of(one) for one in islice(gathered(findings), TOLD)]


def gathered(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The same findings in their order, but those that say the same of different geofences as one that counts them."""
    same: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        same.setdefault((one.code, one.detail), []).append(one)
    for (_, detail), alike in same.items():
        if len(alike) == 1:
            yield alike[0]
            continue
        names = tuple(dict.fromkeys(name for one in alike for name in one.names))
        yield replace(alike[0], names=names[:NAMED], detail=f"{len(names):,} geofences: {detail}")


def regions_of(queries: Queries, project_id: str, most: int) -> dict[str, Region] | None:
    """The regions of a project's enabled geofences by external id.

    None when there are more than `most`.
    """
    regions: dict[str, Region] = {}
    for fence in every(queries.geofences, project_id):
        if len(regions) >= most:
            return None
        if fence.enabled:
            regions[fence.external_id] = read_region(fence.region).region
    return regions


def roadside(queries: Queries, project_id: str, now_ms: int) -> Iterator[Finding]:
    """Geofences most of whose visits in the last 30 days were drives past.

    A road runs through them.
    """
    asked = TrafficFilter(
        since_ms=now_ms - ROADSIDE_DAYS * 86_400_000,
        shorter_ms=DRIVE_S * 1_000,
        at_least=FEWEST_VISITS,
    )
    after = None
    while rows := queries.traffic(project_id, asked, after, PAGE):
        for one in rows:
            share = one.short / one.visits
            if share >= ROADSIDE_SHARE:
                told = f"{one.short} of {one.visits} visits in {ROADSIDE_DAYS} days were shorter than {DRIVE_S} s: people drive past here"
                detail = f"{told}; a smaller radius or a dwell time would spare them"
                yield Finding(
                    "roadside",
                    "warning",
                    (one.geofence_id,),
                    detail,
                    round(share, 3),
                    ROADSIDE_SHARE,
                )
        after = rows[-1].geofence_id


def _regions(place: Store | Geofence) -> Iterator[tuple[str, Region]]:
    if isinstance(place, Geofence):
        yield place.external_id, read_region(place.region).region
        return
    for ring in place.rings:
        yield ring_id(place.external_id, ring.name), Circle(place.lat, place.lon, ring.radius_m)
