"""How a route is described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.routing import APIRoute

from api.http.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/"
# classes of other layers whose names say too little outside of them
_PUBLIC_NAMES = {"Found": "LintFinding", "Note": "ImportNote", "Report": "ImportReport"}
_REFUSALS = {
    400: "The body, a cursor or a header cannot be read.",
    401: "The API key is missing, unknown or revoked.",
    403: "The API key lacks the scope.",
    404: "The project has nothing of that name, or the address does not exist.",
    406: "Accept names no format that the service writes.",
    409: "The request contradicts what is stored.",
    413: "The body is too large; nothing was stored.",
    415: "The body is compressed, or not JSON.",
    422: "The request breaks a rule; `errors` names the fields.",
    429: "Too many unknown codes; see Retry-After.",
    503: "The service is too busy, or the database does not answer. Nothing was stored: retry.",
}


# one component: generated clients name a schema that stands in several bodies once for each
MERGE_PATCH = {
    "type": "object",
    "title": "MergePatch",
    "description": (
        "A JSON Merge Patch (RFC 7396): fields that are absent stay, null removes a field, objects"
        " merge, arrays are replaced as a whole. The result must be a body that PUT accepts."
    ),
}


def describe(
    answer: type | Mapping[str, Any] | None,
    *statuses: int,
    refuses: Iterable[int] = (),
    body: type | None = None,
    patch: type | None = None,
    body_required: bool = True,
) -> dict[str, Any]:
    """The arguments of a route that document it.

    401, 403, 422 (an unknown query parameter) and 503 are always among the refusals.

    Args:
        answer: The answer's struct, or a whole `content`; None for an empty answer.
        statuses: The statuses under which it comes.
        refuses: Further statuses of refusals.
        body: The struct or model of a JSON body.
        patch: The model of what a JSON Merge Patch results in.
        body_required: Whether the request must have that body.
    """
    responses = {status: _done(answer) for status in statuses}
    of_body = {400, 413, 415} if body or patch else set()
    responses |= {
        status: refusal(status) for status in sorted({*refuses, 401, 403, 422, 503} | of_body)
    }
    described: dict[str, Any] = {
        "response_model": None,
        "status_code": statuses[0],
        "responses": responses,
    }
    if body is not None:
        asked = {"required": body_required, "content": _json(ref(body))}
        described["openapi_extra"] = {"requestBody": asked}
    return described if patch is None else described | _patch_body(patch)


def _done(answer: type | Mapping[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        return {"description": "Done."}
    content = answer if isinstance(answer, Mapping) else _json(ref(answer))
    return {"description": "Done.", "content": content}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _patch_body(patch: type) -> dict[str, Any]:
    described = f"A merge patch on {public_name(patch.__name__)}."
    media = ("application/merge-patch+json", "application/json")
    content = {name: {"schema": {"$ref": f"{REF}MergePatch"}} for name in media}
    body = {"required": True, "description": described, "content": content}
    return {"openapi_extra": {"requestBody": body}}


def operation_id(route: APIRoute) -> str:
    """The name that a generated client gives to an operation: the function's."""
    return route.name


def public_name(name: str) -> str:
    """The name of a schema in the document, which generated clients use for their classes.

    An answer has the plain name of its noun (`StoreOut` is `Store`), a body ends in `Input`
    (`StoreIn` is `StoreInput`).
    """
    if name in _PUBLIC_NAMES:
        return _PUBLIC_NAMES[name]
    return f"{name[:-2]}Input" if name.endswith("In") else name.removesuffix("Out")


def ref(kind: type) -> dict[str, str]:
    """A reference to the schema of a struct or a body."""
    return {"$ref": REF + public_name(kind.__name__)}


def refusal(status: int) -> dict[str, Any]:
    """How a refusal is documented."""
    return {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": ref(Problem)}}}
