"""The OpenAPI 3.1 document: FastAPI's, with the schemas of what is really taken and given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api import answers, answers_offers, schemas, schemas_offers
from api.plans import PlanIn
from api.problems import MEDIA_TYPE, Problem
from api.version import our_version
from api.wire import native
from geofence.importing.report import Report
from geofence.model.ping import PingIn

_REF = "#/components/schemas/"
_BODIES = (
    schemas.StoreIn,
    schemas.GeofenceIn,
    schemas.DeviceIn,
    schemas.KeyIn,
    schemas.ProjectIn,
    schemas_offers.CustomerIn,
    schemas_offers.RedeemIn,
)
_ANSWERS: tuple[Any, ...] = (
    Problem,
    PingIn,
    PlanIn,
    Report,
    native.ReceiptOut,
    native.PingAnswerOut,
    native.EventOut,
    *(
        kind
        for told in (answers, answers_offers)
        for kind in vars(told).values()
        if isinstance(kind, type) and kind.__module__ == told.__name__
    ),
)
_REFUSALS = {
    400: "The body, a cursor or a header cannot be read.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "There is nothing of that name in this project, or no such address.",
    409: "It contradicts what is there.",
    413: "The body is too large; nothing was stored.",
    415: "The body is compressed, or not JSON.",
    422: "The request breaks a rule; `errors` names the fields.",
    429: "Too many unknown codes; see Retry-After.",
    503: "Too busy, or the record does not answer. Nothing was stored: send the same again.",
}
_ABOUT = """Location triggers for retail: pings come in, events and offers go out.

Send the API key as `Authorization: Bearer sk_...`. Errors are RFC 9457 problem+json with a stable `code`."""


def describe(
    answer: type | Mapping[str, Any] | None, *statuses: int, refuses: Iterable[int] = (), body: type | None = None
) -> dict[str, Any]:
    """How a route is documented: its answer's struct (or a whole `content`) under each status, its refusals, its body.

    401, 403, 422 (a query parameter that is not there) and 503 go without saying.
    """
    content = answer if isinstance(answer, Mapping) else {"application/json": {"schema": ref(answer)}} if answer else None
    told: dict[int, dict[str, Any]] = {status: {"description": "Done."} | ({"content": content} if content else {}) for status in statuses}
    told |= {status: refusal(status) for status in sorted({*refuses, 401, 403, 422, 503} | ({400, 413, 415} if body else set()))}
    described: dict[str, Any] = {"response_model": None, "status_code": statuses[0], "responses": told}
    if body is not None:
        taken = {"required": True, "content": {"application/json": {"schema": ref(body)}}}
        described["openapi_extra"] = {"requestBody": taken}
    return described


def ref(kind: type) -> dict[str, str]:
    """A reference to the schema of a struct or a body."""
    return {"$ref": _REF + kind.__name__}


def refusal(status: int) -> dict[str, Any]:
    """How a refusal is documented."""
    return {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": ref(Problem)}}}


def document(routes: Iterable[BaseRoute], more_paths: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document. `more_paths` are operations that FastAPI does not know."""
    found = get_openapi(title="Geofence", version=our_version(), description=_ABOUT, routes=list(routes))
    found["paths"] = dict(sorted({**found["paths"], **more_paths}.items()))
    found["components"] = {
        "schemas": _schemas(),
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
            "basic": {"type": "http", "scheme": "basic", "description": "An API key as the password, for trackers."},
            "query": {"type": "apiKey", "in": "query", "name": "key", "description": "An API key, on ingest only."},
        },
    }
    found["security"] = [{"bearer": []}, {"basic": []}]
    return found


def _schemas() -> dict[str, Any]:
    _, given = msgspec.json.schema_components(_ANSWERS, ref_template=_REF + "{name}")
    _, taken = models_json_schema([(body, "validation") for body in _BODIES], ref_template=_REF + "{model}")
    ping = given["PingIn"]["properties"]
    ping["lat"] |= {"minimum": -90, "maximum": 90}
    ping["lon"] |= {"minimum": -180, "maximum": 180}
    ping["device_id"] |= {"minLength": 1, "maxLength": 128}
    return dict(sorted({**taken["$defs"], **given}.items()))
