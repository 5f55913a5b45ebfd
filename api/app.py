"""The application: its doors, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from api.bootstrap import Services
from api.http import problems
from api.http.middleware import Middleware
from api.http.proxy import Proxies
from api.openapi import document, operation_id
from api.routes import (
    campaigns,
    coupons,
    customers,
    decisions,
    devices,
    events,
    exports,
    geofences,
    health,
    imports,
    keys,
    lint,
    messages,
    pings,
    shopper,
    start,
    stores,
    visits,
)
from api.version import our_version

NOUNS = (
    stores,
    geofences,
    imports,
    exports,
    lint,
    devices,
    customers,
    campaigns,
    events,
    visits,
    decisions,
    messages,
    coupons,
    keys,
    shopper,
    health,
    start,
)


class Application(FastAPI):
    """FastAPI with an OpenAPI document that is true for the raw routes, too."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = document(self.routes, pings.PATHS)
        return self.openapi_schema


def make_app(services: Services) -> Application:
    """The application over an open house; the house is closed when the application ends."""
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
        access_log=settings.access_log == "on",
    )
    problems.install(app)
    app.router.routes.extend(pings.ROUTES)
    for noun in NOUNS:
        app.include_router(noun.router)
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
