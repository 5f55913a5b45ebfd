"""What happens to every request.

Counted, given its safe headers, and never left without an answer.
"""

from __future__ import annotations

from time import perf_counter

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import answer, methods_at, refuse
from api.metrics import Metrics
from geofence.errors import GeofenceError, NotFound

_log = structlog.get_logger()
_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_DATA = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_ENDLESS = "/v1/events/stream"


class Middleware:
    """ASGI middleware. HEAD is GET without the body; OPTIONS says what an address takes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._meters = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        method = scope["method"]
        if method == "HEAD" and scope["path"] != _ENDLESS:
            scope = {**scope, "method": "GET"}  # the server itself leaves the body out
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _dress(message.get("headers", []))
            await send(message)

        try:
            await (_options(scope) if method == "OPTIONS" else self._app)(scope, receive, dressed)
        except Exception as error:  # noqa: BLE001 - the last line: whatever broke, the client gets an answer
            _log.error("request broke", method=method, error=type(error).__name__, exc_info=error)
            if not status:
                await answer(refuse(GeofenceError()))(scope, receive, dressed)
        route = getattr(scope.get("route"), "path", "unmatched").replace(":path", "")
        self._meters.requests.labels(method, route, str(status)).inc()
        self._meters.request_s.labels(route).observe(perf_counter() - began)


def _options(scope: Scope) -> ASGIApp:
    allowed = methods_at(Request(scope))
    if not allowed:
        return answer(refuse(NotFound("There is nothing at this address.")))
    return Response(status_code=204, headers={"Allow": ", ".join(sorted(allowed | {"OPTIONS"}))})


def _dress(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    if kind.startswith(b"text/html"):
        return [*headers, *_ALWAYS]
    present = {name for name, _ in headers}
    return [*headers, *_ALWAYS, *(pair for pair in _DATA if pair[0] not in present)]
