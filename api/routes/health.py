"""Whether the service lives, whether it is ready, and what it has counted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import OpenServices, reply
from api.metrics import MEDIA_TYPE
from api.readiness import readiness

router = APIRouter(tags=["health"])
_JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_OPEN: dict[str, Any] = {"security": []}


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
async def readyz(services: OpenServices) -> Response:
    """Pings can be taken; otherwise what is missing, what is late, and what waits."""
    seen = await run_in_threadpool(readiness, services)
    return reply(seen, 503 if seen.missing else 200)


@router.get(
    "/metrics",
    response_model=None,
    response_class=Response,
    responses={200: _TEXT},
    openapi_extra=_OPEN,
)
async def metrics(services: OpenServices) -> Response:
    """Counters for Prometheus."""
    return Response(await run_in_threadpool(services.metrics.exposition), media_type=MEDIA_TYPE)
