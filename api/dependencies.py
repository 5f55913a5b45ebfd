"""What the doors share: the house behind a request, bodies, edits on the street, answers, pages."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.bootstrap import Services
from api.http.auth import Caller, allow
from api.http.body import guard_containers, read_body
from api.http.cursors import Key, is_key_of, sort_key
from api.http.fields import Body
from api.http.problems import Refusal, not_valid
from geofence.errors import NotFound
from geofence.limits import is_storable
from geofence.model.edit import EditResult
from geofence.ports.unit import Unit

T = TypeVar("T", bound=Body)
_TAKEN = (
    "application/json",
    "application/geo+json",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "",
)


def services_of(request: Request) -> Services:
    """The house this request came to."""
    services: Services = request.app.state.services
    return services


AtHouse = Annotated[Services, Depends(services_of)]
Reader = Annotated[Caller, Depends(allow("read", "manage"))]
Manager = Annotated[Caller, Depends(allow("manage"))]
Registrar = Annotated[Caller, Depends(allow("ingest", "manage"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=1024)]


def body_of(model: type[T]) -> Callable[[Request], Awaitable[T]]:
    """A dependency: the request's body as that model.

    JSON whatever the content type says, unless it says another format.
    """

    async def read(request: Request) -> T:
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


async def edit(services: Services, project_id: str, work: Callable[[Unit], EditResult]) -> Any:
    """Run `work` in one transaction on the street's writer; its value once that is committed."""
    return await asyncio.wrap_future(services.street.edit(project_id, work))


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON."""
    return Response(msgspec.json.encode(value), status, dict(headers or {}), "application/json")


async def read_page(
    services: Services,
    noun: str,
    project_id: str,
    filters: Mapping[str, Any],
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """A page of a noun and the cursor of the next one, None at the end."""
    after = open_cursor(noun, cursor)
    found = await run_in_threadpool(
        services.database.queries.page, noun, project_id, filters, after, limit + 1
    )
    rows = found[:limit]
    return rows, seal_cursor(noun, rows[-1]) if len(found) > limit else None


async def read_one(services: Services, noun: str, project_id: str, name: str) -> Any:
    """The one of that name; raises `NotFound`."""
    found = await run_in_threadpool(
        services.database.queries.page, noun, project_id, {"id": name}, None, 1
    )
    if not found:
        raise NotFound
    return found[0]


def seal_cursor(noun: str, item: Any) -> str:
    """The item's sort key, opaque to clients."""
    return (
        base64.urlsafe_b64encode(msgspec.json.encode((noun, sort_key(noun, item))))
        .decode()
        .rstrip("=")
    )


def open_cursor(noun: str, cursor: str | None) -> Any:
    """The sort key in a cursor; raises a 400 `Refusal` for one that this list did not give."""
    if cursor is None:
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of, key = msgspec.json.decode(packed, type=tuple[str, Key])
    except (binascii.Error, ValueError, RecursionError):
        raise _bad_cursor() from None
    parts = key if isinstance(key, list) else [key]
    fits = all(is_storable(part) if isinstance(part, str) else abs(part) < 2**63 for part in parts)
    if of != noun or not fits or not is_key_of(noun, key):
        raise _bad_cursor()
    return key


def _bad_cursor() -> Refusal:
    return Refusal(400, "bad_cursor", "The cursor is not one that this list gave.")
