"""Pings.

The hot doors: plain Starlette routes that decode the raw body and go around the validation stack.
"""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from api.dependencies import reply, services_of
from api.http.auth import Caller, identify, permit
from api.http.body import read_body
from api.http.describe import ref, refusal
from api.http.problems import Refusal, RejectedItem, answer
from api.http.query_params import refuse_unknown
from api.services import Services
from api.wire.native import WATCHED, PingAnswerOut, ReceiptOut, ping_answer_out, receipt_out
from api.wire.native_in import Intake, read_pings
from geofence.hints.safe_radius import Wake
from geofence.model.ping import PingIn
from geofence.model.receipt import DeviceAnswer, Receipt
from geofence.ports.listing import DeviceFilter

INCLUDES = frozenset({"events", "offers", "hint"})
_PARAMETERS = ("include", "platform", "wake", "key")
_WAKES: dict[str, Wake] = {"clock": "clock", "circle": "circle"}
_NOTHING: frozenset[str] = frozenset()
_REFUSES = (400, 401, 403, 404, 413, 415, 422, 503)


async def post_pings(request: Request) -> Response:
    """Post pings: one object, an array, `{"pings": [...]}`, or NDJSON."""
    services, caller = services_of(request), await _poster(request)
    include, watch, wake = _wishes(request)
    settings = services.settings
    body = await read_body(request, settings.max_body_bytes)
    intake = read_pings(body, settings.max_items, request.headers.get("content-type", ""))
    receipt = await _carry(services, caller, intake, include, watch, wake)
    if receipt.rejected and not receipt.accepted and not receipt.duplicates:
        return _all_refused(receipt, "rejected", "Every item was refused; see rejected.")
    return reply(receipt_out(receipt, include), 202)


async def post_device_ping(request: Request) -> Response:
    """The phone's call.

    One ping in; what happened, where it is inside, what to show and when to speak next out.
    """
    services, caller = services_of(request), await _poster(request)
    _, watch, wake = _wishes(request)
    device_id = request.path_params["device_id"]
    body = await read_body(request, services.settings.max_body_bytes)
    intake = _for_device(read_pings(body, 1), device_id)
    if "platform" not in request.query_params:
        watch = await run_in_threadpool(_watched_by, services, caller.project_id, device_id)
    receipt = await _carry(services, caller, intake, INCLUDES, watch, wake)
    if receipt.rejected:
        return _all_refused(receipt, receipt.rejected[0].code, receipt.rejected[0].detail)
    return reply(ping_answer_out(receipt.devices.get(device_id, DeviceAnswer())), 202)


async def _poster(request: Request) -> Caller:
    caller = permit(await identify(request, in_query=True), "ingest")
    refuse_unknown(request, _PARAMETERS)
    return caller


async def _carry(
    services: Services,
    caller: Caller,
    intake: Intake,
    include: frozenset[str],
    watch: int,
    wake: Wake,
) -> Receipt:
    if intake.items:
        posted = services.street.submit_pings(
            caller.project_id, intake.items, intake.rejected, include, watch, wake
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
    return Intake(items, intake.rejected, single=True)


def _wishes(request: Request) -> tuple[frozenset[str], int, Wake]:
    """What to include in the answer, how many geofences a hint names, and what wakes the phone."""
    if not request.url.query:
        return _NOTHING, WATCHED["ios"], "clock"
    asked = request.query_params
    include = frozenset(word for word in asked.get("include", "").split(",") if word)
    platform = asked.get("platform", "ios")
    wake = _WAKES.get(asked.get("wake", "clock"))
    errors = []
    if not include <= INCLUDES:
        errors.append(("/query/include", "must be a list of: events, offers, hint"))
    if platform not in WATCHED:
        errors.append(("/query/platform", "must be ios or android"))
    if wake is None:
        errors.append(("/query/wake", "must be clock or circle"))
    if errors or wake is None:
        raise Refusal(422, "invalid", "The request breaks a rule; see errors.", errors=errors)
    return include, WATCHED[platform], wake


def _watched_by(services: Services, project_id: str, device_id: str) -> int:
    known = (
        services.database.queries.devices.page(project_id, DeviceFilter(id=device_id), None, 1)
        if device_id.isprintable()
        else []
    )
    return WATCHED.get(known[0].platform or "", WATCHED["ios"]) if known else WATCHED["ios"]


def _all_refused(receipt: Receipt, code: str, detail: str) -> Response:
    return answer(Refusal(422, code, detail), [RejectedItem(*one) for one in receipt.rejected])


class RawRoute(Route):
    """A Starlette route that says which one it is, for the counters."""

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
    "description": "What wakes the app, see docs/hint.md. `clock`: only a timer, so the hint's next_ping_s is the time in which nobody"
    " gets out of the safe circle. `circle`: its system also wakes it when it leaves that circle, so it may sleep much longer.",
}
_INCLUDE = {
    "name": "include",
    "in": "query",
    "schema": {"type": "array", "items": {"enum": sorted(INCLUDES)}},
    "style": "form",
    "explode": False,
    "description": "What to tell of each device in the batch.",
}
_DEVICE = {
    "name": "device_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


def _operation(
    summary: str, name: str, parameters: list[dict[str, Any]], body: dict[str, Any], out: type
) -> dict[str, Any]:
    told = {
        "202": {
            "description": "On stable storage, with all that follows.",
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
            "responses": told | {str(status): refusal(status) for status in _REFUSES},
            "security": [{"bearer": []}, {"basic": []}, {"query": []}],
        }
    }


_MANY = {"type": "array", "items": ref(PingIn), "maxItems": 10_000}
_ENVELOPE = {"type": "object", "required": ["pings"], "properties": {"pings": _MANY}}

PATHS = {
    "/v1/pings": _operation(
        "Post pings",
        "post_pings",
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
        [_DEVICE, _PLATFORM, _WAKE],
        {"application/json": {"schema": ref(PingIn)}},
        PingAnswerOut,
    ),
}
