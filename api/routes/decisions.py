"""Decisions: why an offer was made, or not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.dependencies import OpenServices, Reader, read_one, read_page, reply
from api.http.describe import describe
from api.http.fields import Name
from api.schemas.decisions import DecisionFilters, DecisionOut, DecisionPage
from geofence.ports.listing import DecisionFilter

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
DecisionId = Annotated[Name, Path(description="As listed.")]


@router.get("", **describe(DecisionPage, 200, refuses=[400, 422]))
async def list_decisions(
    services: OpenServices, caller: Reader, filters: Annotated[DecisionFilters, Query()]
) -> Response:
    """Decisions by time, each with what the gates found."""
    wanted = filters.wanted(DecisionFilter)
    rows, more = await read_page(
        services.database.queries.decisions, caller.project_id, wanted, filters
    )
    return reply(DecisionPage(tuple(map(DecisionOut.of, rows)), more))


@router.get("/{decision_id}", **describe(DecisionOut, 200, refuses=[404, 422]))
async def get_decision(decision_id: DecisionId, services: OpenServices, caller: Reader) -> Response:
    """One decision."""
    decisions = services.database.queries.decisions
    found = await read_one(decisions, caller.project_id, DecisionFilter(id=decision_id))
    return reply(DecisionOut.of(found))
