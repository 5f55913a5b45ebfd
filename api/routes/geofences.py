"""Geofences: by name, by page, by distance, as JSON or GeoJSON."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import (
    AtHouse,
    Cursor,
    Limit,
    Manager,
    Reader,
    body_of,
    edit,
    read_one,
    read_page,
    reply,
)
from api.http.describe import describe, ref
from api.http.fields import FIRM, Name
from api.http.problems import Refusal
from api.schemas.geofences import (
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
_NUMBER = r"[+-]?\d{1,3}(\.\d{1,15})?"
_NEAR = re.compile(rf"^\s*{_NUMBER}\s*,\s*{_NUMBER}\s*$")
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
    services: AtHouse,
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


@router.get("/{external_id:path}", **describe(GeofenceOut, 200, refuses=[404, 422]))
async def get_geofence(external_id: GeofenceId, services: AtHouse, caller: Reader) -> Response:
    """One geofence."""
    geofences = services.database.queries.geofences
    found = await read_one(geofences, caller.project_id, GeofenceFilter(id=external_id))
    return reply(GeofenceOut.of(found))


@router.delete("/{external_id:path}", **describe(None, 204, refuses=[404, 409, 422]))
async def delete_geofence(external_id: GeofenceId, services: AtHouse, caller: Manager) -> Response:
    """Remove a geofence; visits there end."""
    await edit(services, caller.project_id, DeleteGeofence(geofence_id=external_id))
    return Response(status_code=204)


@router.get("", **describe(_LISTED, 200, refuses=[400, 422]))
async def list_geofences(
    services: AtHouse,
    caller: Reader,
    near: Annotated[
        str | None,
        Query(
            pattern=_NEAR.pattern, description="lat,lon: the nearest first, by distance to the edge"
        ),
    ] = None,
    within_m: Annotated[
        float | None, Query(ge=0, le=100_000_000), Field(allow_inf_nan=False)
    ] = None,
    store: Annotated[Name | None, Query()] = None,
    tag: Annotated[Name | None, Query()] = None,
    form: Annotated[Literal["json", "geojson"], Query(alias="format")] = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Geofences by external id, or by distance from a point."""
    if near is not None:
        if store is not None or tag is not None or cursor is not None:
            raise Refusal(
                422,
                "invalid",
                "near goes with within_m and limit only.",
                errors=[("/query/near", "without store, tag and cursor")],
            )
        found = await run_in_threadpool(
            services.street.near, caller.project_id, *_place(near), within_m, limit
        )
        return (
            _collection([_near_feature(one) for one in found], None)
            if form == "geojson"
            else reply(NearbyPage(tuple(map(_watch, found))))
        )
    filters = GeofenceFilter(store=store, tag=tag)
    rows, more = await read_page(
        services.database.queries.geofences, caller.project_id, filters, cursor, limit
    )
    if form == "geojson":
        return _collection(
            await run_in_threadpool(lambda: [_feature(row, {}) for row in rows]), more
        )
    return reply(GeofencePage(tuple(map(GeofenceOut.of, rows)), more))


def _place(near: str) -> tuple[float, float]:
    lat, lon = map(float, near.split(","))
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Refusal(
            422,
            "invalid_position",
            "near is lat,lon in degrees.",
            errors=[("/query/near", "within 90 and 180 degrees")],
        )
    return lat, lon


def _watch(near: Near) -> NearbyGeofenceOut:
    fence = near.geofence
    return NearbyGeofenceOut(
        fence.external_id, fence.store_id, fence.ring, round(near.edge_m, 1), fence.region
    )


def _near_feature(near: Near) -> dict[str, Any]:
    return _feature(near.geofence, {"edge_m": round(near.edge_m, 1)})


def _feature(geofence: Geofence, more: dict[str, Any]) -> dict[str, Any]:
    told = {
        name: getattr(geofence, name)
        for name in ("name", "store_id", "ring", "tags", "metadata", "enabled")
    }
    return write_feature(read_region(geofence.region).region, told | more, geofence.external_id)


def _collection(features: list[dict[str, Any]], more: str | None) -> Response:
    answer = reply({"type": "FeatureCollection", "features": features, "next_cursor": more})
    answer.headers["content-type"] = GEOJSON
    return answer
