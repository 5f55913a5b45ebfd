"""Finds the routes: every module of `api/routes` that has some, without a list of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.routing import Route

from api import routes


class Found(NamedTuple):
    """What the modules of routes hold, in the order of their names.

    `raw` are plain Starlette routes, which go first; `paths` are their operations in the OpenAPI
    document; `tags` describes each tag by the module of that name.
    """

    raw: tuple[Route, ...]
    routers: tuple[APIRouter, ...]
    paths: Mapping[str, Any]
    tags: tuple[Mapping[str, str], ...]


def found_routes(package: ModuleType = routes) -> Found:
    """The routes of a package.

    A module gives `router` (FastAPI), or `ROUTES` with `PATHS` (plain Starlette), or both.
    """
    raw: list[Route] = []
    routers: list[APIRouter] = []
    paths: dict[str, Any] = {}
    tags: list[Mapping[str, str]] = []
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
        module = importlib.import_module(f"{package.__name__}.{entry.name}")
        own: Sequence[Route] = getattr(module, "ROUTES", ())
        raw += own
        paths |= getattr(module, "PATHS", {})
        router = getattr(module, "router", None)
        if isinstance(router, APIRouter):
            routers.append(router)
        if entry.name in _tags_of(router, paths):
            tags.append({"name": entry.name, "description": _sentence(module)})
    return Found(tuple(raw), tuple(routers), paths, tuple(tags))


def _tags_of(router: APIRouter | None, paths: Mapping[str, Any]) -> set[str]:
    named = {str(tag) for tag in router.tags} if router else set()
    return named.union(
        *(operation["tags"] for path in paths.values() for operation in path.values())
    )


def _sentence(module: ModuleType) -> str:
    return " ".join((module.__doc__ or "").split("\n\n")[0].split())
