"""Whether the service lives, whether it is ready, and what it has counted."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import AtHouse, reply
from api.metrics import MEDIA_TYPE
from api.services import Services
from geofence.errors import RecordError

router = APIRouter(tags=["health"])
_JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_OPEN: dict[str, Any] = {"security": []}


class Readiness(msgspec.Struct, frozen=True):
    """`missing` names what is not there.

    Record, writer, queue (full); `notes` what an operator should know besides.
    """

    status: Literal["ready", "not_ready"]
    missing: tuple[str, ...]
    queue: int
    notes: tuple[str, ...]


@router.get("/livez", response_model=None, responses={200: _JSON}, openapi_extra=_OPEN)
async def livez() -> Response:
    """The process answers."""
    return reply({"status": "alive"})


@router.get(
    "/readyz",
    response_model=None,
    responses={200: _JSON, 503: _JSON | {"description": "Not ready."}},
    openapi_extra=_OPEN,
)
async def readyz(services: AtHouse) -> Response:
    """Pings can be taken; otherwise what is missing."""
    missing = await run_in_threadpool(_missing, services)
    readiness = Readiness(
        "not_ready" if missing else "ready", missing, services.street.depth(), services.notes
    )
    return reply(readiness, 503 if missing else 200)


@router.get(
    "/metrics",
    response_model=None,
    response_class=Response,
    responses={200: _TEXT},
    openapi_extra=_OPEN,
)
async def metrics(services: AtHouse) -> Response:
    """Counters for Prometheus."""
    return Response(await run_in_threadpool(services.metrics.exposition), media_type=MEDIA_TYPE)


def _missing(services: Services) -> tuple[str, ...]:
    missing = []
    try:
        services.database.queries.health()
    except RecordError:
        missing.append("record")
    if services.street.refused() and "record" not in missing:
        missing.append("record")
    if not services.street.alive():
        missing.append("writer")
    if services.street.depth() >= services.settings.queue_limit:
        missing.append("queue")
    return tuple(missing)
