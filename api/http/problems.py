"""What a client reads when something goes wrong: RFC 9457 problem+json with a stable `code`.

An answer names the field (a JSON pointer) and the rule; it never repeats what was sent, a position
or a secret.
"""

from __future__ import annotations

import http
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from api.http.fields import BY_NAME, IN_FULL, shape_of
from api.http.request_id import CURRENT
from geofence.errors import (
    Busy,
    Conflict,
    GeofenceError,
    InputError,
    NotFound,
    RecordError,
    TooLarge,
)

MEDIA_TYPE = "application/problem+json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_log = structlog.get_logger()


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: where (JSON pointer, RFC 6901) and what."""

    pointer: str
    detail: str


class RejectedItem(msgspec.Struct, frozen=True):
    """One item of a batch that was refused.

    Its place in the request, a stable code, and the rule it broke.
    """

    index: int
    code: str
    detail: str


class FieldWarning(msgspec.Struct, frozen=True):
    """A field that no ping has and that was ignored, the field it resembles, and how often."""

    field: str
    did_you_mean: str
    count: int


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refusal after RFC 9457.

    `code` never changes its meaning. `rejected` is there when every item was bad, and `warnings`
    then names misspelt fields. `request_id` is that of the header `X-Request-Id`; log lines of
    the request hold it, too.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[Fault, ...] = ()
    rejected: tuple[RejectedItem, ...] = ()
    warnings: tuple[FieldWarning, ...] = ()
    request_id: str = ""


class Refusal(Exception):
    """Raised by a route to refuse a request; becomes a problem+json answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors = tuple(Fault(pointer, text) for pointer, text in errors)
        self.headers = dict(headers or {})


def answer(
    refusal: Refusal,
    rejected: Iterable[RejectedItem] = (),
    warnings: Iterable[FieldWarning] = (),
) -> Response:
    """The refusal as a response."""
    problem = Problem(
        type=f"urn:geofence:problem:{refusal.code}",
        title=http.HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        code=refusal.code,
        detail=refusal.detail,
        errors=refusal.errors,
        rejected=tuple(rejected),
        warnings=tuple(warnings),
        request_id=CURRENT.get(),
    )
    return Response(msgspec.json.encode(problem), refusal.status, refusal.headers, MEDIA_TYPE)


def invalid(*errors: tuple[str, str]) -> Refusal:
    """A 422 `Refusal` of a request that breaks a rule.

    Args:
        errors: JSON pointer and sentence of each fault; the first is also the refusal's detail.
    """
    pointer, text = errors[0]
    detail = f"{pointer}: {text}" if pointer else text
    return Refusal(422, "invalid", detail, errors=errors)


def refuse(error: GeofenceError) -> Refusal:
    """What a client reads of an error from the layers below."""
    match error:
        case NotFound():
            return Refusal(404, error.code, error.detail)
        case Conflict():
            return Refusal(409, error.code, error.detail, errors=error.errors)
        case TooLarge():
            return Refusal(413, error.code, error.detail)
        case InputError():
            return Refusal(422, error.code, error.detail, errors=error.errors)
        case Busy() | RecordError():
            # the database's own words may hold names and values: they belong in the log only
            return Refusal(503, error.code, type(error).__doc__ or "", headers={"Retry-After": "1"})
    return Refusal(500, "internal", "Something went wrong; nothing of the request was stored.")


def not_valid(error: ValidationError | RequestValidationError, root: str = "") -> Refusal:
    """What is wrong with a body or a query, field by field; malformed JSON is 400, the rest 422."""
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return Refusal(400, "malformed", "The body is not one JSON document in UTF-8.")
    errors = [(root + _pointer(fault["loc"]), _words(fault)) for fault in faults[:50]]
    return invalid(*errors)


def install(app: FastAPI) -> None:
    """Let every error of the application leave as problem+json."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(GeofenceError, _erred)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - for the type checker: Starlette chooses by class
    return answer(error)


async def _erred(request: Request, error: Exception) -> Response:
    assert isinstance(error, GeofenceError)  # noqa: S101 - for the type checker: Starlette chooses by class
    refusal = refuse(error)
    if refusal.status >= 500:
        _log.warning(
            "request failed",
            code=error.code,
            method=request.method,
            error=type(error).__name__,
            detail=error.detail,
        )
    return answer(refusal)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker: Starlette chooses by class
    return answer(not_valid(error))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker: Starlette chooses by class
    match error.status_code:
        case 404:
            return answer(Refusal(404, "not_found", "There is nothing at this address."))
        case 405:
            allowed = ", ".join(sorted(methods_at(request)))
            return answer(
                Refusal(
                    405,
                    "method_not_allowed",
                    f"This address takes {allowed}.",
                    headers={"Allow": allowed},
                )
            )
    code = http.HTTPStatus(error.status_code).name.lower()
    return answer(Refusal(error.status_code, code, http.HTTPStatus(error.status_code).phrase + "."))


def methods_at(request: Request) -> set[str]:
    """Every method that the address of this request takes."""
    routes = request.app.router.routes
    found = {
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    }
    return found | ({"HEAD"} if "GET" in found else set())


def _pointer(loc: tuple[int | str, ...]) -> str:
    return "".join(
        "/" + str(part).replace("~", "~0").replace("/", "~1")
        for part in loc
        if part not in (BY_NAME, IN_FULL)
    )


def _words(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "extra_forbidden":
        return "There is no such field."
    if fault["type"] == "model_type":
        return f"Must be an object of the fields: {shape_of(fault['ctx']['class_name'])}."
    if fault["type"] in ("literal_error", "enum"):
        return f"Must be {fault['ctx']['expected']}.".replace("'", "")
    text = str(fault["msg"]).removeprefix("Value error, ")
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
