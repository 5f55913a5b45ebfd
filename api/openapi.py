"""The OpenAPI 3.1 document: FastAPI's, with the schemas of what is really taken and given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.http.problems import MEDIA_TYPE, Problem
from api.schemas import customers, offers_out, places, places_out
from api.schemas.campaigns import PlanIn
from api.version import our_version
from api.wire import native
from geofence.importing.report import Report
from geofence.model.ping import PingIn

_REF = "#/components/schemas/"
# why a whole file cannot be read; docs/imports.md says more
FILE_CODES = (
    "unknown_format", "empty", "no_header", "broken", "bomb", "path_traversal", "external_entity", "network_link", "nested_archive",
    "encrypted", "unsafe", "crs_unknown", "crs_unsupported", "too_many_items", "no_column",
    "column_in_use",
)  # fmt: skip
_BODIES = (
    places.StoreIn,
    places.GeofenceIn,
    places.DeviceIn,
    places.KeyIn,
    places.ProjectIn,
    customers.CustomerIn,
    customers.RedeemIn,
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
        for told in (places_out, offers_out)
        for kind in vars(told).values()
        if isinstance(kind, type) and kind.__module__ == told.__name__
    ),
)
_REFUSALS = {
    400: "The body, a cursor or a header cannot be read.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "There is nothing of that name in this project, or no such address.",
    406: "Accept names no format that is written here.",
    409: "It contradicts what is there.",
    413: "The body is too large; nothing was stored.",
    415: "The body is compressed, or not JSON.",
    422: "The request breaks a rule; `errors` names the fields.",
    429: "Too many unknown codes; see Retry-After.",
    503: "Too busy, or the record does not answer. Nothing was stored: send the same again.",
}
_OF_FILES: dict[str, dict[str, str]] = {
    "/v1/imports": {
        "400": "The file ended early or took too long to come.",
        "413": "`too_large`: the file, or what is packed in it, is too large; nothing was stored.",
        "415": "The file is compressed on the way (Content-Encoding), or wrapped in a form: send the file itself.",
        "422": "A parameter breaks a rule (`errors` names it), or nobody can read the file, and its `code` says why: "
        + ", ".join(FILE_CODES)
        + ".",
    },
    "/v1/exports/{kind}": {
        "422": "The request breaks a rule (`errors` names it), or the format cannot hold the places; `code` says why."
    },
}
_SENTENCE = re.compile(r"(?<=\S)[.:;](?=\s|$)")
_ABOUT = """Location triggers for retail: pings come in, events and offers go out.

Send the API key as `Authorization: Bearer sk_...`. Errors are RFC 9457 problem+json with a stable `code`."""


def describe(
    answer: type | Mapping[str, Any] | None,
    *statuses: int,
    refuses: Iterable[int] = (),
    body: type | None = None,
) -> dict[str, Any]:
    """How a route is documented.

    Its answer's struct (or a whole `content`) under each status, its refusals, its body.

    401, 403, 422 (a query parameter that is not there) and 503 go without saying.
    """
    content = (
        answer
        if isinstance(answer, Mapping)
        else {"application/json": {"schema": ref(answer)}}
        if answer
        else None
    )
    told: dict[int, dict[str, Any]] = {
        status: {"description": "Done."} | ({"content": content} if content else {})
        for status in statuses
    }
    told |= {
        status: refusal(status)
        for status in sorted({*refuses, 401, 403, 422, 503} | ({400, 413, 415} if body else set()))
    }
    described: dict[str, Any] = {
        "response_model": None,
        "status_code": statuses[0],
        "responses": told,
    }
    if body is not None:
        taken = {"required": True, "content": {"application/json": {"schema": ref(body)}}}
        described["openapi_extra"] = {"requestBody": taken}
    return described


def operation_id(route: APIRoute) -> str:
    """The name that a generated client gives to an operation: the function's."""
    return route.name


def ref(kind: type) -> dict[str, str]:
    """A reference to the schema of a struct or a body."""
    return {"$ref": _REF + kind.__name__}


def refusal(status: int) -> dict[str, Any]:
    """How a refusal is documented."""
    return {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": ref(Problem)}}}


def document(routes: Iterable[BaseRoute], more_paths: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document. `more_paths` are operations that FastAPI does not know."""
    found = get_openapi(
        title="Geofence", version=our_version(), description=_ABOUT, routes=list(routes)
    )
    for path, operations in found["paths"].items():
        for operation in operations.values():
            _complete(operation, _OF_FILES.get(path, {}))
    found["paths"] = dict(sorted({**found["paths"], **more_paths}.items()))
    found["components"] = {
        "schemas": _schemas(),
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "An API key as the password, for trackers.",
            },
            "query": {
                "type": "apiKey",
                "in": "query",
                "name": "key",
                "description": "An API key, on ingest only.",
            },
        },
    }
    found["security"] = [{"bearer": []}, {"basic": []}]
    return found


def _complete(operation: dict[str, Any], refusals: Mapping[str, str]) -> None:
    """Take the summary from the description instead of from the function's name, and tell of no JSON where none comes."""
    if "description" in operation:
        operation["summary"] = _SENTENCE.split(operation["description"], maxsplit=1)[0]
    for status, response in operation["responses"].items():
        response["description"] = refusals.get(status, response["description"])
        if "content" in response:
            response["content"] = {
                media: told
                for media, told in response["content"].items()
                if told.get("schema") != {}
            }


def _schemas() -> dict[str, Any]:
    _, given = msgspec.json.schema_components(_ANSWERS, ref_template=_REF + "{name}")
    _, taken = models_json_schema(
        [(body, "validation") for body in _BODIES], ref_template=_REF + "{model}"
    )
    ping = given["PingIn"]["properties"]
    ping["lat"] |= {"minimum": -90, "maximum": 90}
    ping["lon"] |= {"minimum": -180, "maximum": 180}
    ping["device_id"] |= {"minLength": 1, "maxLength": 128}
    return dict(sorted({**taken["$defs"], **given}.items()))
