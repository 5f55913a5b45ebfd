"""Whether the service lives, whether it is ready, and what it has counted."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.bootstrap import House
from api.dependencies import AtHouse, reply
from api.metrics import MEDIA_TYPE
from geofence.errors import RecordError

router = APIRouter(tags=["health"])
_JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_OPEN: dict[str, Any] = {"security": []}


class Readiness(msgspec.Struct, frozen=True):
    """`missing` names what is not there: record, writer, queue (full); `notes` what an operator should know besides."""

    status: Literal["ready", "not_ready"]
    missing: tuple[str, ...]
    queue: int
    notes: tuple[str, ...]


@router.get("/livez", response_model=None, responses={200: _JSON}, openapi_extra=_OPEN)
async def livez() -> Response:
    """The process answers."""
    return reply({"status": "alive"})


@router.get("/readyz", response_model=None, responses={200: _JSON, 503: _JSON | {"description": "Not ready."}}, openapi_extra=_OPEN)
async def readyz(house: AtHouse) -> Response:
    """Pings can be taken; otherwise what is missing."""
    missing = await run_in_threadpool(_missing, house)
    readiness = Readiness("not_ready" if missing else "ready", missing, house.street.depth(), house.notes)
    return reply(readiness, 503 if missing else 200)


@router.get("/metrics", response_model=None, response_class=Response, responses={200: _TEXT}, openapi_extra=_OPEN)
async def metrics(house: AtHouse) -> Response:
    """Counters for Prometheus."""
    return Response(await run_in_threadpool(house.meters.exposition), media_type=MEDIA_TYPE)


def _missing(house: House) -> tuple[str, ...]:
    missing = []
    try:
        house.record.reading.health()
    except RecordError:
        missing.append("record")
    if house.street.refused() and "record" not in missing:
        missing.append("record")
    if not house.street.alive():
        missing.append("writer")
    if house.street.depth() >= house.settings.queue_limit:
        missing.append("queue")
    return tuple(missing)
