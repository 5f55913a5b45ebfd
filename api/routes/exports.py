"""Exports: the whole map as a file, in any format that an import accepts."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.dependencies import OpenServices, Reader
from api.http.describe import describe
from api.http.fields import Name
from api.http.filters import Query as QueryModel
from api.http.problems import Refusal, invalid
from api.routes.imports import FormatName
from geofence.importing.report import Kind
from geofence.places.editing import is_ring
from geofence.places.export_rows import items_of_geofences, items_of_stores
from geofence.ports.listing import GeofenceFilter, StoreFilter, every
from geofence.ports.queries import Queries
from regions.readers import Format, formats
from regions.readers.item import FileError
from regions.temp_folder import scratch

LOSSES = "X-Geofence-Losses"
MOST_LOSSES = 20
PIECE = 1 << 20
ANYTHING = ("*/*", "application/*")
WITH_IDS = ("geojson", "geojsonl")

router = APIRouter(prefix="/v1/exports", tags=["imports"])
_WRITERS = ThreadPoolExecutor(2, thread_name_prefix="export")
_BYTES = {"schema": {"type": "string", "format": "binary"}}
MEDIA = (
    "application/geo+json",
    "text/csv",
    "application/geo+json-seq",
    "application/zip",
    "application/geopackage+sqlite3",
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/flatgeobuf",
    "application/vnd.apache.parquet",
)
_DESCRIBED = describe(
    dict.fromkeys(MEDIA, _BYTES) | {"application/geo+json": {"schema": {"type": "object"}}},
    200,
    refuses=[406],
)
_DESCRIBED["responses"][200]["headers"] = {
    LOSSES: {
        "description": (
            "What the format cannot hold: a percent-encoded JSON list of sentences; absent when"
            " nothing is lost."
        ),
        "schema": {"type": "string"},
    }
}


class ExportWish(QueryModel):
    """Which places, in which format."""

    form: Annotated[
        FormatName | None,
        Field(alias="format", description="Else the format that Accept names, else geojson."),
    ] = None
    brand: Annotated[Name | None, Field(description="Of stores.")] = None
    tag: Name | None = None
    rings: Annotated[
        Literal["true", "false"],
        Field(description="true: also the rings of stores among the geofences."),
    ] = "false"


@router.get("/{kind}", **_DESCRIBED)
async def get_export(
    request: Request,
    services: OpenServices,
    caller: Reader,
    kind: Annotated[Kind, InPath(description="stores, with their rings in a column; or geofences")],
    wish: Annotated[ExportWish, Query()],
) -> Response:
    """All stores or geofences of the project as a file that POST /v1/imports accepts."""
    if kind == "geofences" and wish.brand is not None:
        raise invalid(("/query/brand", "Goes with stores only."))
    places = _places(services.database.queries, kind, caller.project_id, wish)
    file, chosen, losses = await asyncio.get_running_loop().run_in_executor(
        _WRITERS, _write, kind, wish.form, request.headers.get("accept", ""), places
    )
    return StreamingResponse(
        _pieces(file), media_type=chosen.MEDIA[0], headers=_headers(kind, file, chosen, losses)
    )


def _headers(kind: Kind, file: BinaryIO, chosen: Format, losses: tuple[str, ...]) -> dict[str, str]:
    headers = {
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": f'attachment; filename="{kind}{chosen.SUFFIXES[0]}"',
    }
    if losses:
        headers[LOSSES] = quote(msgspec.json.encode(losses[:MOST_LOSSES]).decode())
    return headers


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _places(queries: Queries, kind: Kind, project_id: str, wish: ExportWish) -> Iterator[Any]:
    if kind == "stores":
        wanted = StoreFilter(brand=wish.brand, tag=wish.tag)
        yield from every(queries.stores, project_id, wanted)
        return
    for geofence in every(queries.geofences, project_id, GeofenceFilter(tag=wish.tag)):
        if wish.rings == "true" or not is_ring(geofence.external_id):
            yield geofence


def _write(
    kind: Kind, form: str | None, accepted: str, places: Iterator[Any]
) -> tuple[BinaryIO, Format, tuple[str, ...]]:
    """The file, its format, and what was lost.

    The file is unlinked already, so a client that hangs up leaves nothing behind.
    """
    chosen = _chosen(form, accepted)
    folder = Path(tempfile.mkdtemp(prefix="export-", dir=scratch()))
    try:
        path = folder / f"{kind}{chosen.SUFFIXES[0]}"
        items_of = items_of_stores if kind == "stores" else items_of_geofences
        items = items_of(places, with_id=chosen.NAME in WITH_IDS)
        losses = tuple(chosen.write(items, path))
        return path.open("rb"), chosen, losses
    except FileError as error:
        raise Refusal(422, error.code, error.detail) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen(form: str | None, accepted: str) -> Format:
    """The format of that name, else the first that Accept names, else GeoJSON where anything goes.

    Else a refusal.
    """
    by_name = {member.NAME: member for member in formats()}
    if form is not None:
        return by_name[form]
    wanted = [media.partition(";")[0].strip().lower() for media in accepted.split(",")]
    named = (member for media in wanted for member in by_name.values() if media in member.MEDIA)
    found = next(named, None)
    if found is None and accepted.strip() and not any(media in ANYTHING for media in wanted):
        raise Refusal(
            406,
            "not_acceptable",
            f"Accept names no format that is written here; format= is one of {', '.join(by_name)}.",
        )
    return found or by_name["geojson"]
