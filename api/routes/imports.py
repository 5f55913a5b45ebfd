"""Bringing files in.

Stores and geofences by the thousand, with a report on every row that did not go smoothly.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from api.dependencies import AtHouse, Manager, reply
from api.http.describe import describe
from api.http.problems import Refusal, answer, refuse
from api.services import Services
from geofence.errors import Busy, GeofenceError
from geofence.importing import cells
from geofence.importing.columns import SYNONYMS
from geofence.importing.mapping import NOT_CONSTANT
from geofence.importing.report import Kind, Report, RowError
from geofence.importing.run import ImportOptions, import_file
from geofence.limits import MAX_NAME
from geofence.model.place import Ring
from regions.readers.item import FileError
from regions.region import RegionError
from regions.temp_folder import scratch
from regions.validation.validate import check_circle

MAX_BYTES = 64 * 1024 * 1024
PLACES = 10
UPLOAD_S = 900.0  # for the whole body: whoever sends drop by drop keeps one of few places
NDJSON = "application/x-ndjson"
FormatName = Literal[
    "csv",
    "flatgeobuf",
    "geojson",
    "geojsonl",
    "geopackage",
    "geoparquet",
    "kml",
    "kmz",
    "shapefile",
]

router = APIRouter(prefix="/v1/imports", tags=["imports"])
# imports take turns: two at a time, each in a thread of its own, so that however many come the
# doors stay open
_HANDS = ThreadPoolExecutor(2, thread_name_prefix="import")
_ROOM = threading.BoundedSemaphore(
    PLACES
)  # files on our disk, those that wait for their turn included
_RING = rf"^[^/:;|]{{1,{MAX_NAME}}}:\d{{1,6}}(\.\d{{1,6}})?( ?(m|km|mi|ft))?$"
_COLUMN = r"^[a-z_]{1,20}:.{1,200}$"
_CONSTANT = r"^[a-z_]{1,20}=.{1,200}$"
_TOLD = describe(Report, 200, refuses=[400, 413, 415])
_TOLD["responses"][200]["content"][NDJSON] = {"schema": {"type": "string"}}
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TOLD["openapi_extra"] = {
    "requestBody": {
        "required": True,
        "content": _FILE,
        "description": "The file itself, at most 64 MB.",
    }
}

Rings = Annotated[
    list[Annotated[str, Query(json_schema_extra={"pattern": _RING})]],
    Query(
        max_length=20,
        description="name:radius of a ring for stores whose row names none; without it new stores get near:150",
    ),
]
Columns = Annotated[
    list[Annotated[str, Query(json_schema_extra={"pattern": _COLUMN})]],
    Query(
        alias="map",
        max_length=50,
        description="field:column where the names of the columns do not tell",
    ),
]
Constants = Annotated[
    list[Annotated[str, Query(json_schema_extra={"pattern": _CONSTANT})]],
    Query(
        alias="set",
        max_length=50,
        description="field=value of every row, such as brand=target for a list of one brand; "
        "it wins over a column of that field",
    ),
]


@router.post("", **_TOLD)
async def post_import(
    request: Request,
    services: AtHouse,
    caller: Manager,
    kind: Annotated[Kind, Query(description="what the rows of the file are")],
    dry_run: Annotated[
        Literal["true", "false"], Query(description="true: report everything, write nothing")
    ] = "false",
    form: Annotated[
        FormatName | None, Query(alias="format", description="where the content leaves a choice")
    ] = None,
    ring: Rings = [],  # noqa: B006 - FastAPI copies it
    columns: Columns = [],  # noqa: B006 - FastAPI copies it
    constants: Constants = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Bring in a file.

    CSV, GeoJSON, GeoJSONL, Shapefile zip, GeoPackage, KML, KMZ, FlatGeobuf or GeoParquet.

    Rows are upserts by external id; what the file has no column for stays as it is. A CSV without
    columns for a position updates the places whose ids it holds. Rows are written 2,000 at a time,
    each commit by itself, so a file sent again after a failure completes it. With
    `Accept: application/x-ndjson` the answer is progress, one object a line, and the report as the
    last line.
    """
    name = form or request.headers.get("content-type", "").partition(";")[0]
    mapped = _fields(kind, "map", columns)
    options = ImportOptions(
        kind,
        dry_run == "true",
        name,
        _rings(kind, ring),
        mapped,
        _constants(kind, constants, mapped),
    )
    if not _ROOM.acquire(blocking=False):
        raise Busy
    try:
        path = await _spooled(request)
    except BaseException:
        _ROOM.release()
        raise
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[tuple[int, int | None] | None] = asyncio.Queue()
    turn = _HANDS.submit(
        _run,
        services,
        caller.project_id,
        path,
        options,
        lambda *at: loop.call_soon_threadsafe(news.put_nowait, at),
    )
    turn.add_done_callback(lambda _: _tidy_up(path))  # also where its turn never came
    job = asyncio.wrap_future(turn)
    if NDJSON not in request.headers.get("accept", ""):
        return reply(await job)
    job.add_done_callback(lambda _: news.put_nowait(None))
    first = await news.get()
    if first is None:  # nothing was put: a refusal goes its usual way
        return Response(_line(await job), media_type=NDJSON)
    return StreamingResponse(
        _lines(first, news, job), media_type=NDJSON, headers={"X-Accel-Buffering": "no"}
    )


def _run(
    services: Services, project_id: str, path: Path, options: ImportOptions, tell: Any
) -> Report:
    try:
        return import_file(services.street, project_id, path, options, tell)
    except FileError as error:
        raise Refusal(413 if error.code == "too_large" else 422, error.code, error.detail) from None


def _tidy_up(path: Path) -> None:
    path.unlink(missing_ok=True)
    _ROOM.release()


async def _spooled(request: Request) -> Path:
    """The body as a file.

    Refuses what is too large (413) before and while it comes, and wrappings (415).
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(
            415,
            "unsupported_encoding",
            "Send the file without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise Refusal(
            415,
            "unsupported_media_type",
            "Send the file itself as the body, not a form: curl --data-binary @FILE",
        )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_BYTES:
        raise _too_large()
    with tempfile.NamedTemporaryFile(prefix="import-", dir=scratch(), delete=False) as file:
        try:
            await _fill(file, request)
        except BaseException:
            await run_in_threadpool(Path(file.name).unlink)
            raise
    return Path(file.name)


async def _fill(file: IO[bytes], request: Request, within_s: float = UPLOAD_S) -> None:
    try:
        await asyncio.wait_for(_copy(request, file), within_s)
        file.flush()  # a full disk is told here, where the file is removed
    except TimeoutError:
        raise Refusal(
            400, "malformed", f"The body took longer than {within_s:.0f} s to come."
        ) from None
    except ClientDisconnect:
        raise Refusal(400, "malformed", "The body ended early.") from None


async def _copy(request: Request, file: IO[bytes]) -> None:
    size = 0
    async for chunk in request.stream():
        size += file.write(chunk)
        if size > MAX_BYTES:
            raise _too_large()


def _too_large() -> Refusal:
    return Refusal(
        413, "too_large", f"The file is larger than {MAX_BYTES // 1048576} MB; send it in parts."
    )


def _rings(kind: Kind, given: list[str]) -> tuple[Ring, ...] | None:
    if not given:
        return None
    if not all(re.fullmatch(_RING, one) for one in given):
        raise _wrong("/query/ring", "must be name:radius, such as near:150")
    if kind == "geofences":
        raise _wrong("/query/ring", "goes with kind=stores only")
    try:
        found = tuple(ring for one in given for ring in cells.rings(one))
        for ring in found:
            check_circle(0.0, 0.0, ring.radius_m)
    except (RowError, RegionError) as error:
        raise _wrong("/query/ring", error.detail) from None
    if len({ring.name for ring in found}) < len(found):
        raise _wrong("/query/ring", "ring names must differ")
    return found


def _fields(kind: Kind, name: Literal["map", "set"], given: list[str]) -> dict[str, str]:
    """Field -> column (`map`) or value (`set`). Refuses unknown fields, and a field named twice."""
    pattern, mark, example = {
        "map": (_COLUMN, ":", "field:column, such as lat:breite"),
        "set": (_CONSTANT, "=", "field=value, such as brand=target"),
    }[name]
    pointer = f"/query/{name}"
    if not all(re.fullmatch(pattern, one) for one in given):
        raise _wrong(pointer, f"must be {example}")
    found = {field: value for field, _, value in (one.partition(mark) for one in given)}
    if not found.keys() <= SYNONYMS[kind].keys():
        form, fields = example.partition(",")[0], ", ".join(SYNONYMS[kind])
        raise _wrong(pointer, f"must be {form}; the fields are {fields}")
    if len(found) < len(given):
        raise _wrong(pointer, "names a field twice")
    return found


def _constants(kind: Kind, given: list[str], mapped: dict[str, str]) -> dict[str, str]:
    found = _fields(kind, "set", given)
    unfit = sorted(found.keys() & NOT_CONSTANT)
    if unfit:
        raise _wrong("/query/set", f"{unfit[0]} cannot be the same in every row")
    both = sorted(found.keys() & mapped.keys())
    if both:
        raise _wrong("/query/set", f"{both[0]} is in map, too: a field has a column or a value")
    return found


def _wrong(pointer: str, detail: str) -> Refusal:
    return Refusal(
        422, "invalid", "The request breaks a rule; see errors.", errors=[(pointer, detail)]
    )


async def _lines(
    first: tuple[int, int | None],
    news: asyncio.Queue[tuple[int, int | None] | None],
    job: asyncio.Future[Report],
) -> AsyncIterator[bytes]:
    at: tuple[int, int | None] | None = first
    while at is not None:
        yield _line({"rows": at[0], "of": at[1]})
        at = await news.get()
    try:
        yield _line(job.result())
    except Refusal as refusal:
        yield bytes(answer(refusal).body) + b"\n"
    except GeofenceError as error:
        yield bytes(answer(refuse(error)).body) + b"\n"


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value) + b"\n"
