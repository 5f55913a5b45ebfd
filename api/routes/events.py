"""What happened: pages of events, and the stream of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.dependencies import AtHouse, Cursor, Limit, Reader, read_page, reply
from api.http.auth import Caller
from api.http.describe import describe
from api.http.fields import Moment, Name, moment_ms
from api.schemas.events import EventOut, EventPage
from api.services import Services
from geofence.model.event import Event, EventKind
from geofence.ports.listing import EventFilter

router = APIRouter(prefix="/v1/events", tags=["events"])
AT_ONCE = 500
ELSEWHERE_S = 1.0  # how often to look for what other processes committed
Since = Annotated[Moment | None, Query(description="At or after this time.")]
Until = Annotated[Moment | None, Query(description="Before this time.")]
Who = Annotated[Name | None, Query()]
Order = Literal["asc", "desc"]
Seq = Annotated[
    int | None,
    Query(ge=0, lt=2**63, description="Events after this `id` of the stream; 0 is the beginning."),
]
_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get("", **describe(EventPage, 200, refuses=[400, 422]))
async def list_events(
    services: AtHouse,
    caller: Reader,
    device: Who = None,
    customer: Who = None,
    store: Who = None,
    geofence: Who = None,
    visit: Who = None,
    kind: Annotated[EventKind | None, Query()] = None,
    since: Since = None,
    until: Until = None,
    order: Order = "asc",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Events in the order in which they became visible: who follows the cursor misses none."""
    filters = EventFilter(
        device=device,
        customer=customer,
        store=store,
        geofence=geofence,
        visit=visit,
        kind=kind,
        since_ms=time_ms(since),
        until_ms=time_ms(until),
        descending=order == "desc",
    )
    events = services.database.queries.events
    rows, more = await read_page(events, caller.project_id, filters, cursor, limit)
    return reply(EventPage(tuple(map(EventOut.of, rows)), more))


@router.get("/stream", **describe(_STREAM, 200, refuses=[422]))
async def stream_events(
    services: AtHouse,
    caller: Reader,
    kind: Annotated[EventKind | None, Query()] = None,
    store: Who = None,
    since_seq: Seq = None,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """Events as Server-Sent Events, from now on, or after `Last-Event-ID` or `since_seq`.

    `id` is the place in the stream.
    """
    after = last_event_id if last_event_id is not None else since_seq
    if after is None:
        after = await run_in_threadpool(services.database.queries.newest_seq, caller.project_id)
    lines = _lines(services, caller, EventFilter(kind=kind, store=store), after)
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def time_ms(moment: str | None) -> int | None:
    """Epoch ms of an end of a time range, None where it is open."""
    return moment_ms(moment) if moment else None


async def _lines(
    services: Services, caller: Caller, filters: EventFilter, after: int
) -> AsyncIterator[bytes]:
    """The stream's text.

    It ends when the service stops or the key is revoked, and waits for whoever reads slowly.
    """
    keepalive_s = services.settings.sse_keepalive_s
    pause_s = keepalive_s if services.embedded else min(ELSEWHERE_S, keepalive_s)
    loop = asyncio.get_running_loop()
    look_at_s = spoke_at_s = loop.time()
    with services.feed.waiter(caller.project_id) as waiter:
        yield b"retry: 1000\n\n"
        while not services.feed.closed:
            due = (
                loop.time() - look_at_s >= keepalive_s
            )  # also where there is always something to tell
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
