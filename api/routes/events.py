"""Events: what happened, in pages and as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.dependencies import OpenServices, Reader, read_page, reply
from api.http.auth import Caller
from api.http.describe import describe
from api.schemas.events import EventFilters, EventOut, EventPage, StreamFilters
from api.services import Services
from geofence.model.event import Event
from geofence.ports.listing import EventFilter

router = APIRouter(prefix="/v1/events", tags=["events"])
AT_ONCE = 500
ELSEWHERE_S = 1.0  # how often to look for what other processes committed
LastEventId = Annotated[
    int | None,
    Header(ge=0, lt=2**63, description="Events after this `id`, as browsers send it."),
]
_STREAM = {
    "text/event-stream": {
        "schema": {
            "type": "string",
            "description": "Lines `id:` and `data:` (an Event as JSON) for each event.",
            "examples": ['id: 7\ndata: {"id": "evt_...", "kind": "geofence.entered"}\n\n'],
        }
    }
}


@router.get("", **describe(EventPage, 200, refuses=[400, 422]))
async def list_events(
    services: OpenServices, caller: Reader, filters: Annotated[EventFilters, Query()]
) -> Response:
    """Events in the order in which they became visible.

    A client that follows the cursor misses none.
    """
    wanted = filters.wanted(EventFilter)
    rows, more = await read_page(
        services.database.queries.events, caller.project_id, wanted, filters
    )
    return reply(EventPage(tuple(map(EventOut.of, rows)), more))


@router.get("/stream", **describe(_STREAM, 200, refuses=[422]))
async def stream_events(
    services: OpenServices,
    caller: Reader,
    filters: Annotated[StreamFilters, Query()],
    last_event_id: LastEventId = None,
) -> Response:
    """Events as Server-Sent Events, from now on, or after `Last-Event-ID` or `since_seq`.

    `id` is the place in the stream, `data` an Event as JSON. The stream stays open; a comment
    comes where nothing happens. A client that reconnects with the last `id` misses no event.
    """
    after = last_event_id if last_event_id is not None else filters.since_seq
    if after is None:
        after = await run_in_threadpool(services.database.queries.newest_seq, caller.project_id)
    wanted = EventFilter(kind=filters.kind, store=filters.store)
    lines = _lines(services, caller, wanted, after)
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _lines(
    services: Services, caller: Caller, filters: EventFilter, after: int
) -> AsyncIterator[bytes]:
    """The stream's text.

    It ends when the service stops or the key is revoked, and waits for slow readers.
    """
    keepalive_s = services.settings.sse_keepalive_s
    pause_s = keepalive_s if services.embedded else min(ELSEWHERE_S, keepalive_s)
    loop = asyncio.get_running_loop()
    look_at_s = spoke_at_s = loop.time()
    with services.feed.waiter(caller.project_id) as waiter:
        yield b"retry: 1000\n\n"
        while not services.feed.closed:
            # also where events never stop
            due = loop.time() - look_at_s >= keepalive_s
            look_at_s = loop.time() if due else look_at_s
            if due and await run_in_threadpool(services.keys.look_up, caller.key.digest) is None:
                return
            waiter.clear()
            rows, after = await run_in_threadpool(
                _news, services, caller.project_id, filters, after
            )
            if rows:
                spoke_at_s = loop.time()
                yield b"".join(map(_line, rows))
            elif not await _rang(waiter, pause_s) and loop.time() - spoke_at_s >= keepalive_s:
                spoke_at_s = loop.time()
                yield b": still here\n\n"


def _news(
    services: Services, project_id: str, filters: EventFilter, after: int
) -> tuple[list[Event], int]:
    """What came after a place in the stream, and the place up to which everything was looked at."""
    queries = services.database.queries
    newest = queries.newest_seq(project_id)
    if newest <= after:
        return [], after
    rows = queries.events.page(project_id, filters, after, AT_ONCE)
    return rows, rows[-1].stream_seq if rows else newest


async def _rang(waiter: asyncio.Event, pause_s: float) -> bool:
    try:
        async with asyncio.timeout(pause_s):
            await waiter.wait()
    except TimeoutError:
        return False
    return True


def _line(event: Event) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.stream_seq, msgspec.json.encode(EventOut.of(event)))
