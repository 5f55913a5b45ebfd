"""Visits: from entered to exited."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import AtHouse, Cursor, Limit, Reader, read_page, reply
from api.http.describe import describe
from api.routes.events import Order, Since, Until, Who, time_ms
from api.schemas.visits import VisitOut, VisitPage
from geofence.ports.listing import VisitFilter

router = APIRouter(prefix="/v1/visits", tags=["events"])


@router.get("", **describe(VisitPage, 200, refuses=[400, 422]))
async def list_visits(
    services: AtHouse,
    caller: Reader,
    device: Who = None,
    customer: Who = None,
    store: Who = None,
    geofence: Who = None,
    visit: Who = None,
    since: Since = None,
    until: Until = None,
    order: Order = "asc",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Visits by arrival.

    `since` and `until` are about the arrival, `visit` is the `visit_id` that an event names.
    """
    filters = VisitFilter(
        device=device,
        customer=customer,
        store=store,
        geofence=geofence,
        id=visit,
        since_ms=time_ms(since),
        until_ms=time_ms(until),
        descending=order == "desc",
    )
    visits = services.database.queries.visits
    rows, more = await read_page(visits, caller.project_id, filters, cursor, limit)
    return reply(VisitPage(tuple(map(VisitOut.of, rows)), more))
