"""What a retailer should know about the map before phones meet it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.dependencies import AtHouse, Cursor, Limit, Reader, reply
from api.http import cursors
from api.http.describe import describe
from api.http.problems import Refusal
from api.schemas.geofences import LintPage
from geofence.importing.lint_report import regions_of, roadside
from geofence.importing.report import Found, Kind
from geofence.places.editing import is_ring
from geofence.ports.queries import Queries
from regions.lint.lint import CODES, Finding, bounded, lint

MOST = 200_000

Code = Literal[(*CODES, "roadside")]  # type: ignore[valid-type]  # the linter's own tuple is the one list of them

router = APIRouter(prefix="/v1/lint", tags=["geofences"])
# looks take turns: one at two hundred thousand geofences takes a core and a gigabyte, and the
# doors' own threads stay free
_HANDS = ThreadPoolExecutor(2, thread_name_prefix="lint")


class Place(NamedTuple):
    """How many findings came before."""

    place: int


@router.get("", **describe(LintPage, 200, refuses=[400, 422]))
async def get_lint(
    services: AtHouse,
    caller: Reader,
    kind: Annotated[
        Kind | None,
        Query(description="stores: findings about rings of stores; geofences: about others"),
    ] = None,
    code: Annotated[Code | None, Query(description="findings of this code only")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Questionable geofences.

    Too small for phones, in the sea, duplicates, overlaps, more than a phone can watch, at a road.

    Every page looks at the whole map anew, so pages fit together as long as nobody edits it.
    """
    loop, now_ms, place = asyncio.get_running_loop(), services.clock.now_ms(), _place(cursor)
    found = await loop.run_in_executor(
        _HANDS, _look, services.database.queries, caller.project_id, now_ms, kind
    )
    wanted = [one for one in found if code in (None, one.code)]
    told = tuple(Found.of(one) for one in wanted[place : place + limit])
    end = place + limit
    more = cursors.seal("lint", end) if end < len(wanted) else None
    return reply(
        LintPage(told, _counted(wanted).total(), dict(sorted(_counted(found).items())), more)
    )


def _place(cursor: str | None) -> int:
    place = cursors.unseal("lint", cursor, lambda key: type(key) is int and key >= 0)
    return place if isinstance(place, int) else 0


def _look(queries: Queries, project_id: str, now_ms: int, kind: Kind | None) -> list[Finding]:
    """All findings in an order that is the same each time, at most so many of each code one by one."""
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
