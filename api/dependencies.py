"""What the routes share: the services, bodies, edits, answers and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.http import cursors
from api.http.auth import Caller, allow
from api.http.body import guard_containers, read_body
from api.http.fields import Body
from api.http.filters import Page
from api.http.problems import Refusal, not_valid
from api.services import Services
from geofence.errors import NotFound
from geofence.model.edit import EditArguments
from geofence.ports.listing import Listing

B = TypeVar("B", bound=Body)
T = TypeVar("T")
F = TypeVar("F")
_TAKEN = (
    "application/json",
    "application/geo+json",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "",
)


def services_of(request: Request) -> Services:
    """The services of the process that serves this request."""
    services: Services = request.app.state.services
    return services


OpenServices = Annotated[Services, Depends(services_of)]
Reader = Annotated[Caller, Depends(allow("read", "manage"))]
Manager = Annotated[Caller, Depends(allow("manage"))]
Registrar = Annotated[Caller, Depends(allow("ingest", "manage"))]


def body_of(model: type[B]) -> Callable[[Request], Awaitable[B]]:
    """A dependency: the request's body as that model.

    JSON whatever the content type says, unless it says another format.
    """

    async def read(request: Request) -> B:
        body = await json_body(request)
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise not_valid(error) from None

    return read


async def json_body(request: Request) -> bytes:
    """The bytes of a body that may be JSON.

    Refuses other formats (415) and what is too large (413).
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _TAKEN and not media_type.endswith("+json"):
        raise Refusal(
            415, "unsupported_media_type", "Send JSON.", headers={"Accept": "application/json"}
        )
    body = await read_body(request, services_of(request).settings.max_body_bytes)
    guard_containers(body)
    if not body.strip():
        raise Refusal(400, "malformed", "The body is empty; send one JSON object.")
    return body


async def edit(services: Services, project_id: str, arguments: EditArguments) -> Any:
    """Run an edit in one transaction on the writer; its value once that is committed."""
    return await asyncio.wrap_future(services.street.submit_edit(project_id, arguments))


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), "application/json")


async def read_page(
    listing: Listing[T, F], project_id: str, filters: F, page: Page
) -> tuple[list[T], str | None]:
    """A page of a list and the cursor of the next one, None at the end."""
    after = cursors.unseal(listing.noun, page.cursor, listing.is_key)
    found = await run_in_threadpool(listing.page, project_id, filters, after, page.limit + 1)
    rows = found[: page.limit]
    more = cursors.seal(listing.noun, listing.key(rows[-1])) if len(found) > page.limit else None
    return rows, more


async def read_one(listing: Listing[T, F], project_id: str, filters: F) -> T:
    """The first item that matches; raises `NotFound`."""
    found = await run_in_threadpool(listing.page, project_id, filters, None, 1)
    if not found:
        raise NotFound
    return found[0]
