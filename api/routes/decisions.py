"""Decisions: why somebody was told, or not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.dependencies import AtHouse, Cursor, Limit, Reader, read_one, read_page, reply
from api.http.describe import describe
from api.http.fields import Name
from api.routes.events import Order, Since, Until, Who, time_ms
from api.schemas.decisions import DecisionOut, DecisionPage
from geofence.model.decision import Outcome
from geofence.ports.listing import DecisionFilter

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])
DecisionId = Annotated[Name, Path(description="As listed.")]


@router.get("", **describe(DecisionPage, 200, refuses=[400, 422]))
async def list_decisions(
    services: AtHouse,
    caller: Reader,
    customer: Who = None,
    campaign: Who = None,
    store: Who = None,
    device: Who = None,
    event: Who = None,
    outcome: Annotated[Outcome | None, Query()] = None,
    reason: Annotated[
        Name | None, Query(description="The whole reason, as `send` or `holdout`.")
    ] = None,
    since: Since = None,
    until: Until = None,
    order: Order = "asc",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Decisions by time, each with what the gates said."""
    filters = DecisionFilter(
        customer=customer,
        campaign=campaign,
        store=store,
        device=device,
        event=event,
        outcome=outcome,
        reason=reason,
        since_ms=time_ms(since),
        until_ms=time_ms(until),
        descending=order == "desc",
    )
    decisions = services.database.queries.decisions
    rows, more = await read_page(decisions, caller.project_id, filters, cursor, limit)
    return reply(DecisionPage(tuple(map(DecisionOut.of, rows)), more))


@router.get("/{decision_id}", **describe(DecisionOut, 200, refuses=[404, 422]))
async def get_decision(decision_id: DecisionId, services: AtHouse, caller: Reader) -> Response:
    """One decision."""
    decisions = services.database.queries.decisions
    found = await read_one(decisions, caller.project_id, DecisionFilter(id=decision_id))
    return reply(DecisionOut.of(found))
