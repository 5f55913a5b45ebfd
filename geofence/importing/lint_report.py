"""What the linter finds about a project's geofences, and about those that an import touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from geofence.importing.report import Found, Report
from geofence.importing.sink import Place
from geofence.model.place import Geofence, Store
from geofence.places.editing import ring_id
from geofence.ports.listing import TrafficFilter, every
from geofence.ports.queries import Queries
from regions.geojson import read_region
from regions.lint.lint import Finding, lint
from regions.region import Circle, Region

AFTER_IMPORT = 50_000  # geofences linted after an import; GET /v1/lint takes more
MAX_FINDINGS = 100  # in a report
MAX_NAMES = 20  # of the geofences that one finding is about
# Codes whose sentences differ only in numbers that follow from the latitude: one cause, one finding
ONE_CAUSE = frozenset({"low_precision"})
ROADSIDE_DAYS = 30
ROADSIDE_SHARE = 0.5
DRIVE_S = 90  # at one ping a minute a drive through a store's circle holds one ping, or two
FEWEST_VISITS = 20


@dataclass(slots=True)
class Touched:
    """The regions that an import touches by name, until there are too many to lint."""

    regions: dict[str, Region] = field(default_factory=dict)

    def add(self, place: Place) -> None:
        """Remember a store's rings, or a geofence."""
        if len(self.regions) <= AFTER_IMPORT:
            self.regions.update(_regions(place))

    def lint_into(self, report: Report, queries: Queries, project_id: str) -> None:
        """Add to the report what the linter finds about these regions among the whole project."""
        known: dict[str, Region] | None = None
        if len(self.regions) <= AFTER_IMPORT:
            known = regions_of(queries, project_id, AFTER_IMPORT)
        together = (known or {}) | self.regions
        if known is None or len(together) > AFTER_IMPORT:
            detail = f"more than {AFTER_IMPORT:,} geofences: GET /v1/lint looks at them"
            report.warn(None, None, "not_looked_at", detail)
            return
        findings = (
            one
            for one in lint(list(together.items()), listed=AFTER_IMPORT)
            if not self.regions.keys().isdisjoint(one.names)
        )
        report.lint = [Found.of(one) for one in islice(grouped(findings), MAX_FINDINGS)]


def grouped(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings in their order, those with one cause as one finding that counts its geofences.

    Findings have one cause where code and sentence are the same; the numbers in the sentence may
    differ for a code of `ONE_CAUSE`.
    """
    same: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        cause = "" if one.code in ONE_CAUSE else one.detail
        same.setdefault((one.code, cause), []).append(one)
    for alike in same.values():
        yield alike[0] if len(alike) == 1 else _as_one(alike)


def _as_one(alike: list[Finding]) -> Finding:
    names = tuple(dict.fromkeys(name for one in alike for name in one.names))
    worst = max(alike, key=lambda one: one.value or 0.0)
    if len({one.detail for one in alike}) == 1:
        detail = f"{len(names):,} geofences: {worst.detail}"
        return replace(alike[0], names=names[:MAX_NAMES], detail=detail)
    first = worst.names[0]
    detail = f'{len(names):,} geofences, the worst of them "{first}": {worst.detail}'
    names = (first, *(name for name in names if name != first))
    return replace(worst, names=names[:MAX_NAMES], detail=detail)


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
    """Geofences with a road through them: most visits in the last 30 days were drives past."""
    asked = TrafficFilter(
        since_ms=now_ms - ROADSIDE_DAYS * 86_400_000,
        shorter_ms=DRIVE_S * 1_000,
        at_least=FEWEST_VISITS,
    )
    for one in every(queries.traffic, project_id, asked):
        share = one.short / one.visits
        if share >= ROADSIDE_SHARE:
            yield Finding(
                "roadside",
                "warning",
                (one.geofence_id,),
                f"{one.short} of {one.visits} visits in {ROADSIDE_DAYS} days were shorter than"
                f" {DRIVE_S} s: people drive past here; a smaller radius or a dwell time would"
                " spare them",
                round(share, 3),
                ROADSIDE_SHARE,
            )


def _regions(place: Store | Geofence) -> Iterator[tuple[str, Region]]:
    if isinstance(place, Geofence):
        yield place.external_id, read_region(place.region).region
        return
    for ring in place.rings:
        yield ring_id(place.external_id, ring.name), Circle(place.lat, place.lon, ring.radius_m)
