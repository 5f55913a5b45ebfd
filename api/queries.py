"""Query parameters that an address does not know are refused: a misspelt filter would answer with everybody's data."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from api.problems import Refusal

MOST_NAMED = 50


def refuse_unknown(request: Request, known: Collection[str] | None = None) -> None:
    """Raise a 422 `Refusal` for parameters that are not `known`; without `known`, those that the route declares."""
    if not request.url.query:
        return
    names = _declared(request) if known is None else known
    strange = [name for name in request.query_params if name not in names]
    if strange:
        takes = f"this address takes {', '.join(names)}" if names else "this address takes none"
        errors = [(f"/query/{_escaped(name)}", f"There is no such parameter: {takes}.") for name in strange[:MOST_NAMED]]
        raise Refusal(422, "invalid", "The request breaks a rule; see errors.", errors=errors)


def _declared(request: Request) -> list[str]:
    route = request.scope.get("route")
    return list(_taken(route.dependant)) if isinstance(route, APIRoute) else []


def _taken(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _taken(inner)


def _escaped(name: str) -> str:
    return name[:128].replace("~", "~0").replace("/", "~1")
