"""What happened: pages of events, and the stream of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.bootstrap import House
from api.dependencies import AtHouse, Cursor, Limit, Reader, read_page, reply
from api.http.auth import Caller
from api.http.fields import Moment, Name, moment_ms
from api.openapi import describe
from api.schemas.places_out import EventPage
from api.wire.native import EventOut
from geofence.model.event import Event, EventKind

router = APIRouter(prefix="/v1/events", tags=["events"])
AT_ONCE = 500
ELSEWHERE_S = 1.0  # how often to look for what other processes committed
Since = Annotated[Moment | None, Query(description="At or after this time.")]
Until = Annotated[Moment | None, Query(description="Before this time.")]
Who = Annotated[Name | None, Query()]
Order = Literal["asc", "desc"]
Seq = Annotated[int | None, Query(ge=0, lt=2**63, description="Events after this `id` of the stream; 0 is the beginning.")]
_STREAM = {"text/event-stream": {"schema": {"type": "string"}}}


@router.get("", **describe(EventPage, 200, refuses=[400, 422]))
async def list_events(
    house: AtHouse,
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
    who = {"device": device, "customer": customer, "store": store, "geofence": geofence}
    filters = who | {"visit": visit, "kind": kind, **span(since, until)}
    rows, more = await read_page(house, "events", caller.project_id, filters | {"descending": order == "desc"}, cursor, limit)
    return reply(EventPage(tuple(map(EventOut.of, rows)), more))


@router.get("/stream", **describe(_STREAM, 200, refuses=[422]))
async def stream_events(
    house: AtHouse,
    caller: Reader,
    kind: Annotated[EventKind | None, Query()] = None,
    store: Who = None,
    since_seq: Seq = None,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> Response:
    """Events as Server-Sent Events, from now on, or after `Last-Event-ID` or `since_seq`. `id` is the place in the stream."""
    after = last_event_id if last_event_id is not None else since_seq
    if after is None:
        after = await run_in_threadpool(house.record.reading.newest_seq, caller.project_id)
    lines = _lines(house, caller, {"kind": kind, "store": store}, after)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def span(since: str | None, until: str | None) -> dict[str, int | None]:
    """The filters of a time range."""
    return {"since": moment_ms(since) if since else None, "until": moment_ms(until) if until else None}


async def _lines(house: House, caller: Caller, filters: dict[str, Any], after: int) -> AsyncIterator[bytes]:
    """The stream's text. It ends when the service stops or the key is revoked, and waits for whoever reads slowly."""
    keepalive_s = house.settings.sse_keepalive_s
    pause_s = keepalive_s if house.embedded else min(ELSEWHERE_S, keepalive_s)
    loop = asyncio.get_running_loop()
    look_at_s = spoke_at_s = loop.time()
    with house.feed.bell(caller.project_id) as bell:
        yield b"retry: 1000\n\n"
        while not house.feed.closed:
            due = loop.time() - look_at_s >= keepalive_s  # also where there is always something to tell
            look_at_s = loop.time() if due else look_at_s
            if due and await run_in_threadpool(house.keys.look_up, caller.key.digest) is None:
                return
            bell.clear()
            rows, after = await run_in_threadpool(_news, house, caller.project_id, filters, after)
            if rows:
                spoke_at_s = loop.time()
                yield b"".join(map(_line, rows))
            elif not await _rang(bell, pause_s) and loop.time() - spoke_at_s >= keepalive_s:
                spoke_at_s = loop.time()
                yield b": still here\n\n"


def _news(house: House, project_id: str, filters: dict[str, Any], after: int) -> tuple[list[Event], int]:
    """What came after a place in the stream, and the place up to which everything was looked at."""
    reading = house.record.reading
    newest = reading.newest_seq(project_id)
    if newest <= after:
        return [], after
    rows = reading.page("events", project_id, filters, after, AT_ONCE)
    return rows, rows[-1].stream_seq if rows else newest


async def _rang(bell: asyncio.Event, pause_s: float) -> bool:
    try:
        async with asyncio.timeout(pause_s):
            await bell.wait()
    except TimeoutError:
        return False
    return True


def _line(event: Event) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.stream_seq, msgspec.json.encode(EventOut.of(event)))
