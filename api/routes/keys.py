"""API keys and the project they belong to."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Path
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import Manager, OpenServices, Reader, body_of, edit, reply
from api.http.auth import Caller
from api.http.describe import describe
from api.http.fields import Name
from api.schemas.keys import KeyIn, KeyOut, KeyPage, NewKeyOut, ProjectIn, ProjectOut
from api.schemas.profiles import profile_of
from api.services import Services
from geofence import ids
from geofence.errors import NotFound
from geofence.model.account import Key, Project
from geofence.model.place import Profile
from geofence.people.edits import CreateKey, NewKey, PutProject, RevokeKey
from geofence.people.keys import make_key
from geofence.ports.listing import every

router = APIRouter(prefix="/v1", tags=["keys"])
KeyId = Annotated[Name, Path(description="As listed.")]
OnceKey = Annotated[
    Name | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description=(
            "Any text that names this request. The same request under the same key within 24 hours"
            " gets the same answer and acts once; another request under it is refused (409)."
        ),
    ),
]


@router.get("/keys", **describe(KeyPage, 200))
async def list_keys(services: OpenServices, caller: Manager) -> Response:
    """The project's keys, revoked ones too, oldest first.

    Secrets are not kept, so they are not shown.
    """
    found = await run_in_threadpool(_all, services, caller)
    return reply(KeyPage(tuple(map(KeyOut.of, found))))


def _all(services: Services, caller: Caller) -> list[Key]:
    return list(every(services.database.queries.keys, caller.project_id))


@router.post("/keys", **describe(NewKeyOut, 201, refuses=[409], body=KeyIn))
async def create_key(
    services: OpenServices,
    caller: Manager,
    body: Annotated[KeyIn, Depends(body_of(KeyIn))],
    idempotency_key: OnceKey = None,
) -> Response:
    """Make a key. Its secret is in this answer and nowhere else."""
    creation = CreateKey(
        new=_new_key(caller, body, services.clock.now_ms()),
        once_key=own_name(caller, idempotency_key),
        fingerprint=ids.of_facts("req", "POST /v1/keys", body.model_dump_json()),
    )
    status, made = await edit(services, caller.project_id, creation)
    return reply(
        NewKeyOut(KeyOut.of(made.key), _secret(caller, made.key.kind, made.key.id, made.salt)),
        status,
    )


@router.delete("/keys/{key_id}", **describe(None, 204, refuses=[404, 422]))
async def revoke_key(key_id: KeyId, services: OpenServices, caller: Manager) -> Response:
    """Revoke a key; it stops working within two seconds, everywhere."""
    found = await run_in_threadpool(_all, services, caller)
    key = next((one for one in found if one.id == key_id), None)
    if key is None:
        raise NotFound

    await edit(services, caller.project_id, RevokeKey(key=key))
    services.keys.forget(key.digest)
    return Response(status_code=204)


@router.get("/project", **describe(ProjectOut, 200))
async def get_project(services: OpenServices, caller: Reader) -> Response:
    """The project of this key."""
    return reply(ProjectOut.of(await _project(services, caller.project_id)))


@router.put("/project", **describe(ProjectOut, 200, body=ProjectIn))
async def put_project(
    services: OpenServices, caller: Manager, body: Annotated[ProjectIn, Depends(body_of(ProjectIn))]
) -> Response:
    """Rename the project, or change the profile of geofences that name none."""
    old = await _project(services, caller.project_id)
    new = msgspec.structs.replace(
        old, name=body.name, profile=profile_of(body.profile) or Profile()
    )

    change = PutProject(project=new, profile_changed=new.profile != old.profile)
    return reply(ProjectOut.of(await edit(services, caller.project_id, change)))


def own_name(caller: Caller, idempotency_key: str | None) -> str | None:
    """The name under which an answer is remembered.

    Each API key has its own, and clients may quote it or not.
    """
    return f"{caller.key.id}:" + idempotency_key.strip('"') if idempotency_key else None


def _new_key(caller: Caller, body: KeyIn, now_ms: int) -> NewKey:
    key_id, salt = ids.new("key"), secrets.token_hex(16)
    secret = _secret(caller, body.kind, key_id, salt)
    made = make_key(
        caller.project_id,
        body.kind,
        now_ms,
        scopes=body.scopes,
        name=body.name,
        secret=secret,
        key_id=key_id,
    )
    return NewKey(made.key, salt)


def _secret(caller: Caller, kind: str, key_id: str, salt: str) -> str:
    """A secret made from the caller's own, which is kept nowhere, and a salt in no answer."""
    return ids.of_facts(kind, caller.secret, salt, key_id)


async def _project(services: Services, project_id: str) -> Project:
    project = await run_in_threadpool(services.database.queries.project, project_id)
    if project is None:
        raise NotFound
    return project
