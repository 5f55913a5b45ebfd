"""Stores and their rings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import (
    Manager,
    OpenServices,
    Reader,
    body_of,
    edit,
    read_one,
    read_page,
    reply,
)
from api.http.describe import describe
from api.http.fields import FIRM, PlainName
from api.http.merge_patch import PatchBody, patched, patched_body
from api.schemas.stores import StoreFilters, StoreIn, StoreOut, StorePage
from geofence.model.place import Store
from geofence.places import editing
from geofence.places.edits import DeleteStore, PutStore
from geofence.ports.listing import StoreFilter

router = APIRouter(prefix="/v1/stores", tags=["stores"])
StoreId = Annotated[PlainName, Path(description="The retailer's id.")]


@router.put("/{external_id}", **describe(StoreOut, 200, 201, refuses=[404, 409], body=StoreIn))
async def put_store(
    external_id: Annotated[StoreId, FIRM],
    services: OpenServices,
    caller: Manager,
    body: Annotated[StoreIn, Depends(body_of(StoreIn))],
) -> Response:
    """Insert or replace a store.

    Its rings become geofences named `<store>/<ring>`; a ring kept by name keeps its visits.
    """
    store = await run_in_threadpool(editing.ready_store, body.model(external_id))
    created, kept = await edit(services, caller.project_id, PutStore(store=store))
    return reply(StoreOut.of(kept), 201 if created else 200)


@router.patch("/{external_id}", **describe(StoreOut, 200, refuses=[404, 409], patch=StoreIn))
async def patch_store(
    external_id: StoreId, services: OpenServices, caller: Manager, patch: PatchBody
) -> Response:
    """Change some fields of a store, by JSON Merge Patch.

    `rings` is replaced as a whole. A ring kept by name keeps its visits.
    """

    def prepare(old: Store) -> PutStore:
        body = patched_body(StoreIn, StoreIn.written(old), patch)
        return PutStore(store=editing.ready_store(body.model(external_id)), expected=old)

    async def read() -> Store:
        listing = services.database.queries.stores
        return await read_one(listing, caller.project_id, StoreFilter(id=external_id))

    _, kept = await patched(services, caller.project_id, read, prepare)
    return reply(StoreOut.of(kept))


@router.get("/{external_id}", **describe(StoreOut, 200, refuses=[404, 422]))
async def get_store(external_id: StoreId, services: OpenServices, caller: Reader) -> Response:
    """One store."""
    stores = services.database.queries.stores
    found = await read_one(stores, caller.project_id, StoreFilter(id=external_id))
    return reply(StoreOut.of(found))


@router.delete("/{external_id}", **describe(None, 204, refuses=[404, 422]))
async def delete_store(external_id: StoreId, services: OpenServices, caller: Manager) -> Response:
    """Remove a store with its rings; visits there end."""
    await edit(services, caller.project_id, DeleteStore(store_id=external_id))
    return Response(status_code=204)


@router.get("", **describe(StorePage, 200, refuses=[400, 422]))
async def list_stores(
    services: OpenServices, caller: Reader, filters: Annotated[StoreFilters, Query()]
) -> Response:
    """Stores by external id."""
    wanted = filters.wanted(StoreFilter)
    rows, more = await read_page(
        services.database.queries.stores, caller.project_id, wanted, filters
    )
    return reply(StorePage(tuple(map(StoreOut.of, rows)), more))
