"""Imports: files of stores and geofences, with a report on every row that was not clean."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from api.dependencies import Manager, OpenServices, reply
from api.http.describe import describe
from api.http.filters import Query as QueryModel
from api.http.problems import Refusal, answer, invalid, refuse
from api.services import Services
from geofence.errors import Busy, GeofenceError
from geofence.importing import cells
from geofence.importing.columns import SYNONYMS
from geofence.importing.mapping import NOT_CONSTANT
from geofence.importing.report import Kind, Report, RowError
from geofence.importing.run import ImportOptions, import_file
from geofence.limits import MAX_NAME
from geofence.model.place import Ring
from regions.readers import formats
from regions.readers.item import FileError
from regions.region import RegionError
from regions.temp_folder import scratch
from regions.validation.validate import check_circle

MAX_BYTES = 64 * 1024 * 1024
PLACES = 10
UPLOAD_S = 900.0  # for the whole body: a slow sender keeps one of few places
NDJSON = "application/x-ndjson"
if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[tuple(member.NAME for member in formats())]

router = APIRouter(prefix="/v1/imports", tags=["imports"])
# two at a time, in threads of their own: other requests keep theirs
_IMPORTERS = ThreadPoolExecutor(2, thread_name_prefix="import")
# counts the files on our disk, those that wait for their turn included
_ROOM = threading.BoundedSemaphore(PLACES)
_RING = rf"^[^/:;|]{{1,{MAX_NAME}}}:\d{{1,6}}(\.\d{{1,6}})?( ?(m|km|mi|ft))?$"
_COLUMN = r"^[a-z_]{1,20}:.{1,200}$"
_CONSTANT = r"^[a-z_]{1,20}=.{1,200}$"
_PAIRS = {
    "map": (_COLUMN, ":", "field:column, such as lat:breite"),
    "set": (_CONSTANT, "=", "field=value, such as brand=target"),
}
_DESCRIBED = describe(Report, 200, refuses=[400, 413, 415])
_DESCRIBED["responses"][200]["content"][NDJSON] = {"schema": {"type": "string"}}
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_DESCRIBED["openapi_extra"] = {
    "requestBody": {
        "required": True,
        "content": _FILE,
        "description": "The file itself, at most 64 MB.",
    }
}


class ImportQuery(QueryModel):
    """What the file holds, and what to do with it."""

    kind: Annotated[Kind, Field(description="What the rows of the file are.")]
    dry_run: Annotated[
        Literal["true", "false"], Field(description="true: report everything, write nothing.")
    ] = "false"
    form: Annotated[
        FormatName | None, Field(alias="format", description="Where the content leaves a choice.")
    ] = None
    ring: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": _RING})]],
        Field(
            max_length=20,
            description=(
                "name:radius of a ring for stores whose row names none; without it new stores get"
                " near:150."
            ),
        ),
    ] = []
    columns: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": _COLUMN})]],
        Field(
            alias="map",
            max_length=50,
            description="field:column where the names of the columns do not say it.",
        ),
    ] = []

    constants: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": _CONSTANT})]],
        Field(
            alias="set",
            max_length=50,
            description=(
                "field=value of every row, such as brand=target for a list of one brand; it wins"
                " over a column of that field."
            ),
        ),
    ] = []

    def options(self, media_type: str) -> ImportOptions:
        """The options of the importer; raises a 422 `Refusal` for what breaks a rule."""
        mapped = _fields(self.kind, "map", self.columns)
        return ImportOptions(
            self.kind,
            self.dry_run == "true",
            self.form or media_type,
            _rings(self.kind, self.ring),
            mapped,
            _constants(self.kind, self.constants, mapped),
        )


@router.post("", **_DESCRIBED)
async def post_import(
    request: Request,
    services: OpenServices,
    caller: Manager,
    query: Annotated[ImportQuery, Query()],
) -> Response:
    """Import a file.

    CSV, GeoJSON, GeoJSONL, Shapefile zip, GeoPackage, KML, KMZ, FlatGeobuf or GeoParquet.

    Rows are upserts by external id; a field without a column stays as it is. A CSV without columns
    for a position updates the places whose ids it holds. Rows are written 2,000 at a time in one
    transaction each, so a file sent again after a failure completes it.
    With `Accept: application/x-ndjson` the answer is progress, one object a line, and the report
    as the last line.
    """
    options = query.options(request.headers.get("content-type", "").partition(";")[0])
    if not _ROOM.acquire(blocking=False):
        raise Busy
    try:
        path = await _spooled(request)
    except BaseException:
        _ROOM.release()
        raise
    loop = asyncio.get_running_loop()
    news: asyncio.Queue[tuple[int, int | None] | None] = asyncio.Queue()

    def tell(rows: int, of: int | None) -> None:
        loop.call_soon_threadsafe(news.put_nowait, (rows, of))

    turn = _IMPORTERS.submit(_run, services, caller.project_id, path, options, tell)
    turn.add_done_callback(lambda _: _tidy_up(path))  # also where its turn never came
    job = asyncio.wrap_future(turn)
    if NDJSON not in request.headers.get("accept", ""):
        return reply(await job)
    return await _progress(news, job)


async def _progress(
    news: asyncio.Queue[tuple[int, int | None] | None], job: asyncio.Future[Report]
) -> Response:
    """The job's progress and its report, line by line."""
    job.add_done_callback(lambda _: news.put_nowait(None))
    first = await news.get()
    if first is None:  # nothing was put: a refusal is answered as usual
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
        file.flush()  # a full disk shows here, where the file is removed
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
        raise invalid(("/query/ring", "Must be name:radius, such as near:150."))
    if kind == "geofences":
        raise invalid(("/query/ring", "Goes with kind=stores only."))
    try:
        found = tuple(ring for one in given for ring in cells.rings(one))
        for ring in found:
            check_circle(0.0, 0.0, ring.radius_m)
    except (RowError, RegionError) as error:
        raise invalid(("/query/ring", error.detail)) from None
    if len({ring.name for ring in found}) < len(found):
        raise invalid(("/query/ring", "Ring names must differ."))
    return found


def _fields(kind: Kind, name: Literal["map", "set"], given: list[str]) -> dict[str, str]:
    """Field -> column (`map`) or value (`set`). Refuses unknown fields, and a field named twice."""
    pattern, mark, example = _PAIRS[name]
    pointer = f"/query/{name}"
    if not all(re.fullmatch(pattern, one) for one in given):
        raise invalid((pointer, f"Must be {example}."))
    found = {field: value for field, _, value in (one.partition(mark) for one in given)}
    if not found.keys() <= SYNONYMS[kind].keys():
        form, fields = example.partition(",")[0], ", ".join(SYNONYMS[kind])
        raise invalid((pointer, f"Must be {form}; the fields are {fields}."))
    if len(found) < len(given):
        raise invalid((pointer, "Names a field twice."))
    return found


def _constants(kind: Kind, given: list[str], mapped: dict[str, str]) -> dict[str, str]:
    found = _fields(kind, "set", given)
    unfit = sorted(found.keys() & NOT_CONSTANT)
    if unfit:
        raise invalid(("/query/set", f"{unfit[0]} cannot be the same in every row."))
    both = sorted(found.keys() & mapped.keys())
    if both:
        why = f"{both[0]} is in map, too: a field has a column or a value."
        raise invalid(("/query/set", why))
    return found


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
