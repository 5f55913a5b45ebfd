"""Visits: from entered to exited."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.dependencies import OpenServices, Reader, read_page, reply
from api.http.describe import describe
from api.schemas.visits import VisitFilters, VisitOut, VisitPage
from geofence.ports.listing import VisitFilter

router = APIRouter(prefix="/v1/visits", tags=["events"])


@router.get("", **describe(VisitPage, 200, refuses=[400, 422]))
async def list_visits(
    services: OpenServices, caller: Reader, filters: Annotated[VisitFilters, Query()]
) -> Response:
    """Visits by arrival."""
    wanted = filters.wanted(VisitFilter)
    rows, more = await read_page(
        services.database.queries.visits, caller.project_id, wanted, filters
    )
    return reply(VisitPage(tuple(map(VisitOut.of, rows)), more))
