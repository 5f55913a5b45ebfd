"""Lint: questionable geofences, found before phones meet them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from api.dependencies import OpenServices, Reader, reply
from api.http import cursors
from api.http.describe import describe
from api.http.filters import Page
from api.http.problems import Refusal
from api.schemas.geofences import LintPage
from geofence.importing.lint_report import regions_of, roadside
from geofence.importing.report import Found, Kind
from geofence.places.editing import is_ring
from geofence.ports.queries import Queries
from regions.lint.lint import CODES, Finding, bounded, lint

MOST = 200_000

Code = Literal[(*CODES, "roadside")]  # type: ignore[valid-type]  # CODES is the one list

router = APIRouter(prefix="/v1/lint", tags=["geofences"])
# at most two at a time: linting 200,000 geofences takes a core and a gigabyte, and the threads of
# other requests stay free
_LINTERS = ThreadPoolExecutor(2, thread_name_prefix="lint")


class LintFilters(Page):
    """Which findings."""

    kind: Annotated[
        Kind | None,
        Field(description="stores: findings about rings of stores; geofences: about others."),
    ] = None
    code: Annotated[Code | None, Field(description="Findings of this code only.")] = None


@router.get("", **describe(LintPage, 200, refuses=[400, 422]))
async def get_lint(
    services: OpenServices, caller: Reader, filters: Annotated[LintFilters, Query()]
) -> Response:
    """Questionable geofences.

    Too small for phones, in the sea, duplicates, overlaps, more than a phone can watch, at a road.
    Every page lints the whole map again, so pages fit together as long as no edit happens.
    """
    loop, now_ms = asyncio.get_running_loop(), services.clock.now_ms()
    start = _place(filters.cursor)
    found = await loop.run_in_executor(
        _LINTERS, _look, services.database.queries, caller.project_id, now_ms, filters.kind
    )
    wanted = [one for one in found if filters.code in (None, one.code)]
    end = start + filters.limit
    return reply(
        LintPage(
            data=tuple(Found.of(one) for one in wanted[start:end]),
            total=_counted(wanted).total(),
            counts=dict(sorted(_counted(found).items())),
            next_cursor=cursors.seal("lint", end) if end < len(wanted) else None,
        )
    )


def _place(cursor: str | None) -> int:
    place = cursors.unseal("lint", cursor, lambda key: type(key) is int and key >= 0)
    return place if isinstance(place, int) else 0


def _look(queries: Queries, project_id: str, now_ms: int, kind: Kind | None) -> list[Finding]:
    """All findings in a stable order, at most so many of each code one by one."""
    regions = regions_of(queries, project_id, MOST)
    if regions is None:
        raise Refusal(
            422,
            "too_many",
            f"The project has more than {MOST:,} geofences; that is the limit of one look.",
        )
    about = None if kind is None else lambda name: is_ring(name) == (kind == "stores")
    here = (
        one
        for one in roadside(queries, project_id, now_ms)
        if one.names[0] in regions and (about is None or about(one.names[0]))
    )
    return [*lint(list(regions.items()), about=about), *bounded(here)]


def _counted(findings: Iterable[Finding]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in findings:
        counts[one.code] += one.stands_for
    return counts
