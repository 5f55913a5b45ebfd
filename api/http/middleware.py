"""What happens to every request.

It gets an id, is counted, is logged where that is switched on, and is never left without an answer.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http import request_id
from api.http.problems import answer, methods_at, refuse
from api.http.proxy import Proxies
from api.metrics import Metrics
from geofence.errors import GeofenceError, NotFound

KEY_ID = "key_id"  # in the scope, once the API key is known
_log = structlog.get_logger()
_ALWAYS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]
_DATA = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_ENDLESS = "/v1/events/stream"


class Middleware:
    """ASGI middleware. HEAD is GET without the body; OPTIONS names the methods of an address.

    Args:
        app: The application behind it.
        metrics: Counts requests by route and status.
        proxies: The root path, and the proxies whose headers count.
        log_requests: Whether each request is a log line. It holds no query, position or secret.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, proxies: Proxies, *, log_requests: bool = False
    ) -> None:
        self._app, self._metrics = app, metrics
        self._proxies, self._log_requests = proxies, log_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        given_id = request_id.request_id_of(scope["headers"])
        request_id.CURRENT.set(given_id)
        method = scope["method"]
        if not self._proxies.idle:
            scope = self._proxies.apply(scope)
        if method == "HEAD" and not scope["path"].endswith(_ENDLESS):
            scope = {**scope, "method": "GET"}  # the server itself leaves the body out
        dressed = _Dressed(send, given_id)
        await self._answer(method, scope, receive, dressed)
        route = getattr(scope.get("route"), "path", "unmatched").replace(":path", "")
        self._count(method, route, dressed.status, perf_counter() - began, scope)

    async def _answer(self, method: str, scope: Scope, receive: Receive, dressed: _Dressed) -> None:
        try:
            await (_options(scope) if method == "OPTIONS" else self._app)(scope, receive, dressed)
        except Exception as error:  # noqa: BLE001 - whatever broke, the client gets an answer
            _log.error("request failed", method=method, error=type(error).__name__, exc_info=error)
            if not dressed.status:
                await answer(refuse(GeofenceError()))(scope, receive, dressed)

    def _count(self, method: str, route: str, status: int, took_s: float, scope: Scope) -> None:
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_s.labels(route).observe(took_s)
        if self._log_requests:
            facts: dict[str, Any] = {"method": method, "route": route, "status": status}
            facts["ms"] = round(took_s * 1000, 1)
            if KEY_ID in scope:
                facts["key_id"] = scope[KEY_ID]
            _log.info("request", **facts)


class _Dressed:
    """Sends an answer with its safe headers and its request id, and keeps its status."""

    __slots__ = ("_id", "_send", "status")

    def __init__(self, send: Send, given_id: str) -> None:
        self._send, self._id, self.status = send, given_id.encode("ascii"), 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = _dress(message.get("headers", []))
            headers.append((request_id.HEADER, self._id))
            message["headers"] = headers
        await self._send(message)


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
