"""Refuses query parameters that an address does not know, and single ones given twice.

A misspelt filter would answer with the data of all, and a repeated one another question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from api.http.problems import invalid

MOST_NAMED = 50


def refuse_unknown(request: Request, known: Mapping[str, bool] | None = None) -> None:
    """Raise a 422 `Refusal` for unknown parameters, and for single ones given twice.

    Args:
        request: The request with the query.
        known: Parameters, and whether each may be repeated; else those that the route declares.
    """
    if not request.url.query:
        return
    declared = _declared(request) if known is None else known
    strange = [name for name in request.query_params if name not in declared]
    doubled = [
        name
        for name, many in declared.items()
        if not many and len(request.query_params.getlist(name)) > 1
    ]
    if not strange and not doubled:
        return
    takes = f"this address takes {', '.join(declared)}" if declared else "this address takes none"
    errors = [
        (f"/query/{_escaped(name)}", f"There is no such parameter: {takes}.")
        for name in strange[:MOST_NAMED]
    ]
    errors += [(f"/query/{name}", "It is given more than once.") for name in doubled]
    raise invalid(*errors)


def _declared(request: Request) -> dict[str, bool]:
    """The parameters of the route, and whether each may be given more than once."""
    route = request.scope.get("route")
    return dict(_taken(route.dependant)) if isinstance(route, APIRoute) else {}


def _taken(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, facts in kind.model_fields.items():
                yield facts.alias or name, _is_list(facts.annotation)
        else:
            yield field.alias, _is_list(kind)
    for inner in dependant.dependencies:
        yield from _taken(inner)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in (list, set, tuple) or any(map(_is_list, get_args(annotation)))


def _escaped(name: str) -> str:
    return name[:128].replace("~", "~0").replace("/", "~1")
