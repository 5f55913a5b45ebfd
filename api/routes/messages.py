"""Messages: queued, sent or ended, with every attempt to deliver them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import OpenServices, Reader, read_one, read_page, reply
from api.http.describe import describe
from api.http.fields import Name
from api.schemas.messages import (
    AttemptOut,
    MessageDetail,
    MessageFilters,
    MessageOut,
    MessagePage,
)
from geofence.ports.listing import AttemptFilter, MessageFilter

router = APIRouter(prefix="/v1/messages", tags=["messages"])
MessageId = Annotated[Name, Path(description="As listed.")]
MOST_TRIES = 1000


@router.get("", **describe(MessagePage, 200, refuses=[400, 422]))
async def list_messages(
    services: OpenServices, caller: Reader, filters: Annotated[MessageFilters, Query()]
) -> Response:
    """Messages by time. Addresses are masked."""
    wanted = filters.wanted(MessageFilter)
    rows, more = await read_page(
        services.database.queries.messages, caller.project_id, wanted, filters
    )
    return reply(MessagePage(tuple(map(MessageOut.of, rows)), more))


@router.get("/{message_id}", **describe(MessageDetail, 200, refuses=[404, 422]))
async def get_message(message_id: MessageId, services: OpenServices, caller: Reader) -> Response:
    """One message with its attempts."""
    queries, project_id = services.database.queries, caller.project_id
    message = await read_one(queries.messages, project_id, MessageFilter(id=message_id))
    of_message = AttemptFilter(message=message_id)
    tries = await run_in_threadpool(queries.attempts.page, project_id, of_message, None, MOST_TRIES)
    return reply(MessageDetail(MessageOut.of(message), tuple(map(AttemptOut.of, tries))))
