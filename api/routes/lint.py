"""What a retailer should know about the map before phones meet it."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.answers import LintPage
from api.doors import AtHouse, Limit, Reader, reply
from api.fields import Name
from api.openapi import describe
from api.problems import Refusal
from geofence.importing.looking import regions_of, roadside
from geofence.importing.report import Found, Kind
from geofence.places import is_ring
from geofence.ports import Reading
from regions.lint import lint

MOST = 200_000

router = APIRouter(prefix="/v1/lint", tags=["geofences"])
# looks take turns: one at two hundred thousand geofences takes a core and a gigabyte, and the doors' own threads stay free
_HANDS = ThreadPoolExecutor(2, thread_name_prefix="lint")


@router.get("", **describe(LintPage, 200))
async def get_lint(
    house: AtHouse,
    caller: Reader,
    kind: Annotated[Kind | None, Query(description="stores: findings about rings of stores; geofences: about others")] = None,
    code: Annotated[Name | None, Query(description="findings of this code only")] = None,
    limit: Limit = 50,
) -> Response:
    """Questionable geofences: too small for phones, in the sea, duplicates, overlaps, more than a phone can watch, at a road."""
    loop, now_ms = asyncio.get_running_loop(), house.clock.now_ms()
    return reply(await loop.run_in_executor(_HANDS, _page, house.record.reading, caller.project_id, now_ms, kind, code, limit))


def _page(reading: Reading, project_id: str, now_ms: int, kind: Kind | None, code: str | None, limit: int) -> LintPage:
    regions = regions_of(reading, project_id, MOST)
    if regions is None:
        raise Refusal(422, "too_many", f"The project has more than {MOST:,} geofences; that is the limit of one look.")
    here = (one for one in roadside(reading, project_id, now_ms) if one.names[0] in regions)
    found = [Found.of(one) for one in (*lint(list(regions.items())), *here)]
    if kind is not None:
        found = [one for one in found if any(is_ring(name) == (kind == "stores") for name in one.geofences)]
    counts = dict(sorted(Counter(one.code for one in found).items()))
    wanted = [one for one in found if code in (None, one.code)]
    return LintPage(tuple(wanted[:limit]), len(wanted), counts)
