"""The application: the routes that were found, behind the middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.http import problems
from api.http.describe import operation_id
from api.http.middleware import Middleware
from api.http.proxy import Proxies
from api.http.route_modules import found_routes
from api.openapi import document
from api.services import Services
from api.version import our_version


class Application(FastAPI):
    """FastAPI with an OpenAPI document that covers the plain Starlette routes."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = document(self.routes, found_routes())
        return self.openapi_schema


def make_app(services: Services) -> Application:
    """The application over open services, which are closed when the application ends."""
    app = Application(
        title="Geofence",
        version=our_version(),
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=operation_id,
    )
    app.state.services = services
    settings = services.settings
    app.add_middleware(
        Middleware,
        metrics=services.metrics,
        proxies=Proxies(settings.root_path, settings.trusted_proxies),
        log_requests=settings.access_log == "on",
    )
    problems.install(app)
    found = found_routes()
    app.router.routes.extend(found.raw)
    for router in found.routers:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.feed.open()
    try:
        yield
    finally:
        services.feed.close()
        await run_in_threadpool(services.close)
