"""Decisions: why somebody was told, or not."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.dependencies import AtHouse, Cursor, Limit, Reader, read_one, read_page, reply
from api.http.describe import describe
from api.http.fields import Name
from api.routes.events import Order, Since, Until, Who, span
from api.schemas.decisions import DecisionOut, DecisionPage
from geofence.model.decision import Outcome

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
    filters = {
        "customer": customer,
        "campaign": campaign,
        "store": store,
        "device": device,
        "event": event,
    }
    filters |= {"outcome": outcome, "reason": reason}
    rows, more = await read_page(
        services,
        "decisions",
        caller.project_id,
        {**filters, **span(since, until), "descending": order == "desc"},
        cursor,
        limit,
    )
    return reply(DecisionPage(tuple(map(DecisionOut.of, rows)), more))


@router.get("/{decision_id}", **describe(DecisionOut, 200, refuses=[404, 422]))
async def get_decision(decision_id: DecisionId, services: AtHouse, caller: Reader) -> Response:
    """One decision."""
    return reply(
        DecisionOut.of(await read_one(services, "decisions", caller.project_id, decision_id))
    )
