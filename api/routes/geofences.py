"""Geofences: by name, by page or by distance, as JSON or GeoJSON."""

from __future__ import annotations

from typing import Annotated, Any

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
from api.http.describe import describe, ref
from api.http.fields import FIRM, Name
from api.http.merge_patch import PatchBody, patched, patched_body
from api.schemas.geofences import (
    GeofenceFilters,
    GeofenceIn,
    GeofenceOut,
    GeofencePage,
    NearbyGeofenceOut,
    NearbyPage,
)
from geofence.model.place import Geofence
from geofence.model.receipt import Near
from geofence.places import editing
from geofence.places.edits import DeleteGeofence, PutGeofence
from geofence.ports.listing import GeofenceFilter
from regions.geojson import read_region, write_feature

router = APIRouter(prefix="/v1/geofences", tags=["geofences"])
GeofenceId = Annotated[
    Name, Path(description="The retailer's id; `<store>/<ring>` for a ring of a store.")
]
GEOJSON = "application/geo+json"
_COLLECTION = {
    "type": "object",
    "required": ["type", "features", "next_cursor"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": ["string", "null"]},
    },
}
_LISTED = {
    "application/json": {"schema": {"anyOf": [ref(GeofencePage), ref(NearbyPage)]}},
    GEOJSON: {"schema": _COLLECTION},
}


@router.put(
    "/{external_id:path}", **describe(GeofenceOut, 200, 201, refuses=[404, 409], body=GeofenceIn)
)
async def put_geofence(
    external_id: Annotated[GeofenceId, FIRM],
    services: OpenServices,
    caller: Manager,
    body: Annotated[GeofenceIn, Depends(body_of(GeofenceIn))],
) -> Response:
    """Insert or replace a geofence.

    A circle in degrees and metres, or a GeoJSON Polygon or MultiPolygon.
    """
    editing.refuse_ring(external_id)
    geofence = await run_in_threadpool(editing.ready_geofence, body.model(external_id))
    created, kept = await edit(services, caller.project_id, PutGeofence(geofence=geofence))
    return reply(GeofenceOut.of(kept), 201 if created else 200)


@router.patch(
    "/{external_id:path}", **describe(GeofenceOut, 200, refuses=[404, 409], patch=GeofenceIn)
)
async def patch_geofence(
    external_id: GeofenceId, services: OpenServices, caller: Manager, patch: PatchBody
) -> Response:
    """Change some fields of a geofence, by JSON Merge Patch.

    `{"region": {"radius_m": 200}}` changes the radius of a circle alone.
    """
    editing.refuse_ring(external_id)

    def prepare(old: Geofence) -> PutGeofence:
        body = patched_body(GeofenceIn, GeofenceIn.written(old), patch)
        ready = editing.ready_geofence(body.model(external_id))
        return PutGeofence(geofence=ready, expected=old)

    async def read() -> Geofence:
        listing = services.database.queries.geofences
        return await read_one(listing, caller.project_id, GeofenceFilter(id=external_id))

    _, kept = await patched(services, caller.project_id, read, prepare)
    return reply(GeofenceOut.of(kept))


@router.get("/{external_id:path}", **describe(GeofenceOut, 200, refuses=[404, 422]))
async def get_geofence(external_id: GeofenceId, services: OpenServices, caller: Reader) -> Response:
    """One geofence."""
    geofences = services.database.queries.geofences
    found = await read_one(geofences, caller.project_id, GeofenceFilter(id=external_id))
    return reply(GeofenceOut.of(found))


@router.delete("/{external_id:path}", **describe(None, 204, refuses=[404, 409, 422]))
async def delete_geofence(
    external_id: GeofenceId, services: OpenServices, caller: Manager
) -> Response:
    """Remove a geofence; visits there end."""
    await edit(services, caller.project_id, DeleteGeofence(geofence_id=external_id))
    return Response(status_code=204)


@router.get("", **describe(_LISTED, 200, refuses=[400, 422]))
async def list_geofences(
    services: OpenServices, caller: Reader, filters: Annotated[GeofenceFilters, Query()]
) -> Response:
    """Geofences by external id, or by distance from a point."""
    as_features = filters.form == "geojson"
    if filters.near is not None:
        found = await run_in_threadpool(
            services.street.near,
            caller.project_id,
            *filters.place(),
            filters.within_m,
            filters.limit,
        )
        if as_features:
            return _collection([_near_feature(one) for one in found], None)
        return reply(NearbyPage(tuple(map(NearbyGeofenceOut.of, found))))
    wanted = filters.wanted(GeofenceFilter)
    rows, more = await read_page(
        services.database.queries.geofences, caller.project_id, wanted, filters
    )
    if as_features:
        features = await run_in_threadpool(lambda: [_feature(row, {}) for row in rows])
        return _collection(features, more)
    return reply(GeofencePage(tuple(map(GeofenceOut.of, rows)), more))


def _near_feature(near: Near) -> dict[str, Any]:
    return _feature(near.geofence, {"edge_m": round(near.edge_m, 1)})


def _feature(geofence: Geofence, more: dict[str, Any]) -> dict[str, Any]:
    facts = {
        name: getattr(geofence, name)
        for name in ("name", "store_id", "ring", "tags", "metadata", "enabled")
    }
    return write_feature(read_region(geofence.region).region, facts | more, geofence.external_id)


def _collection(features: list[dict[str, Any]], more: str | None) -> Response:
    answer = reply({"type": "FeatureCollection", "features": features, "next_cursor": more})
    answer.headers["content-type"] = GEOJSON
    return answer
