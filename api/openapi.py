"""The OpenAPI 3.1 document: FastAPI's, with the schemas of what is really taken and given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from api.http.describe import MERGE_PATCH, REF, public_name
from api.http.fields import Body
from api.http.problems import Problem
from api.http.route_modules import Found
from api.schemas import (
    campaigns,
    coupons,
    customers,
    decisions,
    devices,
    events,
    geofences,
    keys,
    messages,
    profiles,
    stores,
    visits,
)
from api.version import our_version
from api.wire import native
from api.wire.native_fields import PING_EXAMPLE, PING_FIELDS
from geofence.importing.report import Report
from geofence.model.ping import PingIn

# why a whole file cannot be read; docs/reference/imports.md says more
FILE_CODES = (
    "unknown_format", "empty", "no_header", "broken", "bomb", "path_traversal", "external_entity",
    "network_link", "nested_archive", "encrypted", "unsafe", "crs_unknown", "crs_unsupported",
    "too_many_items", "no_column", "format_not_installed", "column_in_use",
)  # fmt: skip
_NOUNS = (
    campaigns,
    coupons,
    customers,
    decisions,
    devices,
    events,
    geofences,
    keys,
    messages,
    profiles,
    stores,
    visits,
    native,
)
_OTHERS: tuple[type, ...] = (Problem, PingIn, Report)
_OF_FILES: dict[str, dict[str, str]] = {
    "/v1/imports": {
        "400": "The file ended early or took too long to arrive.",
        "413": "`too_large`: the file or its unpacked content is too large; nothing was stored.",
        "415": (
            "The file is compressed in transit (Content-Encoding) or wrapped in a form:"
            " send the file itself."
        ),
        "422": (
            "A parameter breaks a rule (`errors` names it), or the file cannot be read; `code`"
            f" says why: {', '.join(FILE_CODES)}."
        ),
    },
    "/v1/exports/{kind}": {
        "422": (
            "The request breaks a rule (`errors` names it), or the format cannot hold the places;"
            " `code` says why."
        )
    },
}
_SENTENCE = re.compile(r"(?<=\S)[.:;](?=\s|$)")
_ABOUT = """Location triggers for retail: pings come in, events and offers go out.

Send the API key as `Authorization: Bearer sk_...`. Each operation names the scope that the key
needs. Errors are RFC 9457 problem+json with a stable `code`. Times are RFC 3339 with an offset;
names carry their unit (`radius_m` metres, `dwell_s` seconds); positions are degrees WGS84."""
_SCHEMES = {
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
}


# `/openapi.json` names the root path instead, where there is one
_SERVERS: list[dict[str, Any]] = [{"url": "/", "description": "This service."}]


def _scopes(found: Found) -> dict[tuple[str, str], tuple[str, ...]]:
    """(path, method) -> the scopes that a key needs there."""
    return {
        (route.path_format, method.lower()): _scopes_of(route.dependant)
        for router in found.routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def document(routes: Iterable[BaseRoute], found: Found) -> dict[str, Any]:
    """The whole document. `found` holds the scopes, operations and tags that FastAPI omits."""
    made = get_openapi(
        title="Geofence",
        version=our_version(),
        description=_ABOUT,
        routes=list(routes),
        servers=_SERVERS,
        tags=[dict(tag) for tag in found.tags],
    )
    scopes = _scopes(found)
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(operation, _OF_FILES.get(path, {}), scopes.get((path, method), ()))
    made["paths"] = dict(sorted({**made["paths"], **found.paths}.items()))
    made["components"] = {"schemas": _schemas(), "securitySchemes": _SCHEMES}
    made["security"] = [{"bearer": []}, {"basic": []}]
    finished: dict[str, Any] = plain_arrays(made)
    return finished


def plain_arrays(node: Any) -> Any:
    """The document without tuples: `prefixItems` of one schema become an array of that length.

    Generators of clients read `"items": false` wrongly or not at all.
    """
    if isinstance(node, list):
        return [plain_arrays(part) for part in node]
    if not isinstance(node, dict):
        return node
    parts = node.get("prefixItems")
    if isinstance(parts, list) and all(part == parts[0] for part in parts):
        size = {"minItems": len(parts), "maxItems": len(parts)}
        rest = {name: part for name, part in node.items() if name != "prefixItems"}
        return {**rest, "items": plain_arrays(parts[0]), **size}
    return {name: plain_arrays(part) for name, part in node.items()}


def _complete(
    operation: dict[str, Any], refusals: Mapping[str, str], scopes: tuple[str, ...]
) -> None:
    """Finish an operation that FastAPI described.

    The summary comes from the description instead of the function's name, the scopes from the
    route's dependency; JSON is not documented where none is sent.
    """
    if "description" in operation:
        operation["summary"] = _SENTENCE.split(operation["description"], maxsplit=1)[0]
    if scopes:
        words = " or ".join(f"`{scope}`" for scope in scopes)
        text = operation.get("description", "")
        operation["description"] = f"{text}\n\nThe API key needs the scope {words}.".strip()
        operation["security"] = [
            {scheme: [scope]} for scheme in ("bearer", "basic") for scope in scopes
        ]
    for status, response in operation["responses"].items():
        response["description"] = refusals.get(status, response["description"])
        if "content" in response:
            response["content"] = {
                media: content
                for media, content in response["content"].items()
                if content.get("schema") != {}
            }


def _scopes_of(dependant: Dependant) -> tuple[str, ...]:
    """The scopes of which a route's key needs one; empty where no key is needed."""
    own: tuple[str, ...] = getattr(dependant.call, "scopes", ())
    return own or next(filter(None, map(_scopes_of, dependant.dependencies)), ())


def _schemas() -> dict[str, Any]:
    structs = [*_OTHERS, *(kind for noun in _NOUNS for kind in _kinds(noun, msgspec.Struct))]
    bodies = [kind for noun in _NOUNS for kind in _kinds(noun, Body)]
    _, given = msgspec.json.schema_components(structs, ref_template=REF + "{name}")
    _, taken = models_json_schema(
        [(body, "validation") for body in bodies], ref_template=REF + "{model}"
    )
    _explain_ping(given["PingIn"])
    given["CampaignIn"]["examples"] = [campaigns.EXAMPLE]
    named = publicly_named([*taken["$defs"].items(), *given.items()])
    return dict(sorted({**named, "MergePatch": MERGE_PATCH}.items()))


def publicly_named(schemas: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Schemas and their references under their public names; raises `ValueError` where two meet."""
    public: dict[str, Any] = {}
    for name, schema in schemas:
        if public_name(name) in public:
            raise ValueError(f"two schemas are called {public_name(name)}")
        public[public_name(name)] = _renamed({**schema, "title": public_name(name)})
    return dict(sorted(public.items()))


def _kinds(noun: ModuleType, parent: type) -> Iterator[Any]:
    """The public subclasses of a class that a module defines."""
    for name, kind in vars(noun).items():
        own = isinstance(kind, type) and kind.__module__ == noun.__name__
        if own and issubclass(kind, parent) and not name.startswith("_"):
            yield kind


def _explain_ping(schema: dict[str, Any]) -> None:
    """Give every field of a ping its unit, its limits and an example."""
    for name, facts in PING_FIELDS.items():
        schema["properties"][name] |= facts
    schema["examples"] = [PING_EXAMPLE]


def _renamed(node: Any) -> Any:
    """The schema with its references under their public names."""
    if isinstance(node, list):
        return [_renamed(part) for part in node]
    if not isinstance(node, dict):
        return REF + public_name(node.removeprefix(REF)) if _is_reference(node) else node
    return {name: _renamed(part) for name, part in node.items()}


def _is_reference(node: Any) -> bool:
    return isinstance(node, str) and node.startswith(REF)
