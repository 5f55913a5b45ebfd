"""JSON Merge Patch (RFC 7396): reading a patch, merging it, and putting the result safely.

The result is validated outside the transaction, because templates and regions may take seconds.
The transaction then puts it only if the stored thing is still the one that was merged; otherwise
the patch starts again, so two patches at the same time do not lose each other's fields.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from pydantic import ValidationError
from pydantic_core import from_json, to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.dependencies import edit, json_body
from api.http.fields import Body
from api.http.problems import Refusal, invalid, not_valid
from api.services import Services
from geofence.errors import Conflict
from geofence.model.edit import EditArguments

ATTEMPTS = 5
B = TypeVar("B", bound=Body)
T = TypeVar("T")


async def _patch(request: Request) -> dict[str, Any]:
    body = await json_body(request)
    try:
        found = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Refusal(400, "malformed", "The body is not one JSON document in UTF-8.") from None
    if not isinstance(found, dict):
        raise invalid(("", "A merge patch is an object of the fields to change."))
    return found


PatchBody = Annotated[dict[str, Any], Depends(_patch)]


async def patched(
    services: Services,
    project_id: str,
    read: Callable[[], Awaitable[T]],
    prepare: Callable[[T], EditArguments],
) -> Any:
    """The value of the edit that puts the result, once it is committed.

    Args:
        services: Where the edit runs.
        project_id: The project that owns the thing.
        read: Gives the stored thing; raises `NotFound`.
        prepare: Merges and validates; its edit names the stored thing as the one it `expected`, and
            has no value where another is stored by then.

    Raises:
        NotFound: There is nothing to patch.
        Conflict: Others changed the same thing in every one of a few attempts.
    """
    for _ in range(ATTEMPTS):
        old = await read()
        change = await run_in_threadpool(prepare, old)
        done = await edit(services, project_id, change)
        if done is not None:
            return done
    raise Conflict("Others change the same thing at the moment; send the patch again.")


def merged(target: Any, patch: Any) -> Any:
    """The target after a patch: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def patched_body(model: type[B], target: dict[str, Any], patch: dict[str, Any]) -> B:
    """The body that PUT would take after the patch; raises a 422 `Refusal` that names the field."""
    refuse_unknown_fields(patch, model.model_fields)
    try:
        return model.model_validate_json(to_json(merged(target, patch)))
    except ValidationError as error:
        raise not_valid(error) from None


def refuse_unknown_fields(patch: dict[str, Any], known: Collection[str]) -> None:
    """Raise a 422 `Refusal` for fields that do not exist, also where the patch removes them."""
    errors = [
        ("/" + name[:128].replace("~", "~0").replace("/", "~1"), "There is no such field.")
        for name in list(patch)[:50]
        if name not in known
    ]
    if errors:
        raise invalid(*errors)
