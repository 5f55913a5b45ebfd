"""Pings: positions of devices, one by one or in batches.

Plain Starlette routes, which decode the raw body and skip FastAPI's validation.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from api.dependencies import services_of
from api.http.auth import Caller, identify, permit
from api.http.body import read_body
from api.http.describe import ref, refusal
from api.http.problems import Refusal, invalid
from api.http.query_params import refuse_unknown
from api.services import Services
from api.wire import native
from api.wire.format import Intake, Posted
from api.wire.native import WATCHED, PingAnswerOut, ReceiptOut
from geofence.hints.safe_radius import Wake
from geofence.model.ping import PingIn
from geofence.model.receipt import Receipt
from geofence.ports.listing import DeviceFilter

INCLUDES = frozenset({"events", "offers", "hint"})
# the parameters of both addresses, and whether each may be given more than once
_PARAMETERS = {"include": True, "platform": False, "wake": False, "key": False}
_WAKES: dict[str, Wake] = {"clock": "clock", "circle": "circle"}
_REFUSES = (400, 401, 403, 404, 413, 415, 422, 503)


class _Wish(NamedTuple):
    """What to include in the answer, how many geofences a hint names, what wakes the phone."""

    include: frozenset[str] = frozenset()
    watch: int = WATCHED["ios"]
    wake: Wake = "clock"


_NO_WISH = _Wish()


async def post_pings(request: Request) -> Response:
    """Post pings: one object, an array, `{"pings": [...]}`, or NDJSON."""
    services, caller = services_of(request), await _poster(request)
    wish = _wish(request)
    settings = services.settings
    body = await read_body(request, settings.max_body_bytes)
    posted = Posted(body, request.headers.get("content-type", ""))
    intake = native.read(posted, settings.max_items)
    receipt = await _carry(services, caller, intake, wish)
    return native.write(receipt, intake, wish.include)


async def post_device_ping(request: Request) -> Response:
    """The phone's call.

    One ping in; out come the events, the geofences it is inside of, the offers and the next hint.
    """
    services, caller = services_of(request), await _poster(request)
    wish = _wish(request)._replace(include=INCLUDES)
    device_id = request.path_params["device_id"]
    body = await read_body(request, services.settings.max_body_bytes)
    intake = _for_device(native.read(Posted(body), 1), device_id)
    if "platform" not in request.query_params:
        watch = await run_in_threadpool(_watched_by, services, caller.project_id, device_id)
        wish = wish._replace(watch=watch)
    receipt = await _carry(services, caller, intake, wish)
    return native.write_one(receipt, intake, device_id)


async def _poster(request: Request) -> Caller:
    caller = permit(await identify(request, in_query=True), "ingest")
    refuse_unknown(request, _PARAMETERS)
    return caller


async def _carry(services: Services, caller: Caller, intake: Intake, wish: _Wish) -> Receipt:
    if intake.items:
        posted = services.street.submit_pings(
            caller.project_id, intake.items, intake.rejected, wish.include, wish.watch, wish.wake
        )
        receipt = await asyncio.wrap_future(posted)
    else:
        receipt = Receipt(0, 0, tuple(intake.rejected))
    services.metrics.took(receipt)
    return receipt


def _for_device(intake: Intake, device_id: str) -> Intake:
    if not intake.single:
        raise Refusal(422, "one_ping", "This address takes one ping, as one object.")
    items: list[tuple[int, PingIn]] = []
    for index, ping in intake.items:
        if ping.device_id not in ("", device_id):
            raise Refusal(
                422,
                "invalid_device",
                "The device_id in the body is not the one in the address.",
                errors=[("/device_id", "differs")],
            )
        items.append((index, replace(ping, device_id=device_id)))
    return intake._replace(items=items)


def _wish(request: Request) -> _Wish:
    """The wish in a request's query; raises a 422 `Refusal` for words that it does not know."""
    if not request.url.query:
        return _NO_WISH
    asked = request.query_params
    words = ",".join(asked.getlist("include")).split(",")
    include = frozenset(word for word in words if word)
    platform = asked.get("platform", "ios")
    wake = _WAKES.get(asked.get("wake", "clock"))
    errors = []
    if not include <= INCLUDES:
        errors.append(("/query/include", "Must be a list of: events, offers, hint."))
    if platform not in WATCHED:
        errors.append(("/query/platform", "Must be ios or android."))
    if wake is None:
        errors.append(("/query/wake", "Must be clock or circle."))
    if errors or wake is None:
        raise invalid(*errors)
    return _Wish(include, WATCHED[platform], wake)


def _watched_by(services: Services, project_id: str, device_id: str) -> int:
    known = (
        services.database.queries.devices.page(project_id, DeviceFilter(id=device_id), None, 1)
        if device_id.isprintable()
        else []
    )
    return WATCHED.get(known[0].platform or "", WATCHED["ios"]) if known else WATCHED["ios"]


class RawRoute(Route):
    """A Starlette route that names itself in the scope, for the counters."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette matches, and `route` in the scope."""
        match, found = super().matches(scope)
        return match, {**found, "route": self}


ROUTES = (
    RawRoute("/v1/pings", post_pings, methods=["POST"]),
    RawRoute("/v1/devices/{device_id:path}/ping", post_device_ping, methods=["POST"]),
)

_PLATFORM = {
    "name": "platform",
    "in": "query",
    "schema": {"enum": sorted(WATCHED)},
    "description": "How many geofences the hint names.",
}
_WAKE = {
    "name": "wake",
    "in": "query",
    "schema": {"enum": sorted(_WAKES), "default": "clock"},
    "description": (
        "What wakes the app, see docs/explanation/hint.md. `clock`: only a timer, so the hint's"
        " next_ping_s is the time in which no device can leave the safe circle. `circle`: the"
        " operating system also wakes the app when it leaves that circle, so it may sleep much"
        " longer."
    ),
}
_INCLUDE = {
    "name": "include",
    "in": "query",
    "schema": {"type": "array", "items": {"enum": sorted(INCLUDES)}},
    "style": "form",
    "explode": True,
    "description": "What to answer for each device in the batch; repeated or comma-separated.",
}
_DEVICE = {
    "name": "device_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


def _operation(
    summary: str,
    name: str,
    description: str,
    parameters: list[dict[str, Any]],
    body: dict[str, Any],
    out: type,
) -> dict[str, Any]:
    responses = {
        "202": {
            "description": "Stored, with all that follows.",
            "content": {"application/json": {"schema": ref(out)}},
        }
    }
    return {
        "post": {
            "tags": ["pings"],
            "summary": summary,
            "operationId": name,
            "parameters": parameters,
            "requestBody": {"required": True, "content": body},
            "responses": responses | {str(status): refusal(status) for status in _REFUSES},
            "description": f"{description}\n\nThe API key needs the scope `ingest`.",
            "security": [{scheme: ["ingest"]} for scheme in ("bearer", "basic", "query")],
        }
    }


_MANY = {"type": "array", "items": ref(PingIn), "maxItems": 10_000}
_ENVELOPE = {"type": "object", "required": ["pings"], "properties": {"pings": _MANY}}

PATHS = {
    "/v1/pings": _operation(
        "Post pings",
        "post_pings",
        'One ping, an array, `{"pings": [...]}`, or NDJSON. A bad item is refused alone, with its'
        " place, a code and a reason; 422 comes where every item is bad. `warnings` names fields"
        " that look misspelt.",
        [_INCLUDE, _PLATFORM, _WAKE],
        {
            "application/json": {"schema": {"anyOf": [ref(PingIn), _MANY, _ENVELOPE]}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
        ReceiptOut,
    ),
    "/v1/devices/{device_id}/ping": _operation(
        "The phone's call",
        "post_device_ping",
        "One ping of one device. The answer holds its events, the geofences it is inside of, the"
        " offers to show in the app, and how far and how long the phone may stay silent.",
        [_DEVICE, _PLATFORM, _WAKE],
        {"application/json": {"schema": ref(PingIn)}},
        PingAnswerOut,
    ),
}
