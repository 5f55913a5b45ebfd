"""Messages: what was said, or is about to be, and what came of each try."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import AtHouse, Cursor, Limit, Reader, read_one, read_page, reply
from api.http.describe import describe
from api.http.fields import Name
from api.routes.events import Order, Since, Until, Who, time_ms
from api.schemas.messages import AttemptOut, ChannelName, MessageDetail, MessageOut, MessagePage
from geofence.model.message import MessageStatus
from geofence.ports.listing import AttemptFilter, MessageFilter

router = APIRouter(prefix="/v1/messages", tags=["messages"])
MessageId = Annotated[Name, Path(description="As listed.")]
MOST_TRIES = 1000


@router.get("", **describe(MessagePage, 200, refuses=[400, 422]))
async def list_messages(
    services: AtHouse,
    caller: Reader,
    customer: Who = None,
    campaign: Who = None,
    decision: Who = None,
    channel: Annotated[ChannelName | None, Query()] = None,
    status: Annotated[MessageStatus | None, Query()] = None,
    since: Since = None,
    until: Until = None,
    order: Order = "asc",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Messages by time. Addresses are masked."""
    filters = MessageFilter(
        customer=customer,
        campaign=campaign,
        decision=decision,
        channel=channel,
        status=status,
        since_ms=time_ms(since),
        until_ms=time_ms(until),
        descending=order == "desc",
    )
    messages = services.database.queries.messages
    rows, more = await read_page(messages, caller.project_id, filters, cursor, limit)
    return reply(MessagePage(tuple(map(MessageOut.of, rows)), more))


@router.get("/{message_id}", **describe(MessageDetail, 200, refuses=[404, 422]))
async def get_message(message_id: MessageId, services: AtHouse, caller: Reader) -> Response:
    """One message with its tries."""
    queries, project_id = services.database.queries, caller.project_id
    message = await read_one(queries.messages, project_id, MessageFilter(id=message_id))
    of_message = AttemptFilter(message=message_id)
    tries = await run_in_threadpool(queries.attempts.page, project_id, of_message, None, MOST_TRIES)
    return reply(MessageDetail(MessageOut.of(message), tuple(map(AttemptOut.of, tries))))
