"""`geofence import FILE` and `geofence export KIND`.

Stores and geofences into a running service and out of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import unquote

import httpx
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from api.cli.import_report import show
from api.client.service_url import Url

CHUNK = 1 << 20
FORMATS = "csv, flatgeobuf, geojson, geojsonl, geopackage, geoparquet, kml, kmz, shapefile"

Kind = Literal["stores", "geofences"]
File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV, GeoJSON, GeoJSONL, Shapefile zip, GeoPackage, KML, KMZ, FlatGeobuf, GeoParquet",
    ),
]
Key = Annotated[
    str,
    typer.Option(help="a secret key of the project", envvar="GEOFENCE_DEV_KEY", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="report everything, write nothing")]
Rings = Annotated[
    list[str],
    typer.Option(
        "--ring",
        help="name:radius for stores whose row names no ring, such as near:150; may be repeated",
    ),
]
Columns = Annotated[
    list[str],
    typer.Option(
        "--map", help="field:column, such as lat:breite, where names do not tell; may be repeated"
    ),
]
Constants = Annotated[
    list[str],
    typer.Option(
        "--set",
        help="field=value of every row, such as brand=target for a list of one brand; "
        "may be repeated",
    ),
]
Form = Annotated[str, typer.Option("--format", help=FORMATS, show_default=False)]
AsJson = Annotated[
    bool, typer.Option("--json", help="print the report as one JSON object, and nothing else")
]


class Refused(Exception):
    """The service refuses, or cannot be reached. `unreadable`: it is the file."""

    def __init__(self, why: str, *, unreadable: bool = False) -> None:
        super().__init__(why)
        self.unreadable = unreadable


def bring(
    file: File,
    key: Key,
    kind: Annotated[Kind, typer.Option(help="what the rows are")],
    url: Url,
    dry_run: DryRun = False,
    ring: Rings = [],  # noqa: B006 - typer copies it
    columns: Columns = [],  # noqa: B006 - typer copies it
    constants: Constants = [],  # noqa: B006 - typer copies it
    form: Form = "",
    as_json: AsJson = False,
) -> None:
    """Bring a file of stores or geofences into a running service.

    What is there already is updated by its id.

    Exit codes: 0 every row is in; 1 some rows failed, or the service refused; 2 the file cannot be
    read.
    """
    console = Console(stderr=True, quiet=as_json)
    asked = {
        "kind": kind,
        "dry_run": str(dry_run).lower(),
        "ring": ring,
        "map": columns,
        "set": constants,
        **({"format": form} if form else {}),
    }
    try:
        report = _post(file, url, key, asked, console)
    except Refused as error:
        raise _failed(
            console, str(error), as_json, exit_code=2 if error.unreadable else 1
        ) from None
    if as_json:
        typer.echo(json.dumps(report))
    else:
        show(console, report)
    if report["failed"] or not report["complete"]:
        raise typer.Exit(1)


def take(
    kind: Annotated[Kind, typer.Argument(help="stores, or geofences")],
    out: Annotated[Path, typer.Option("--out", help="the file to write")],
    key: Key,
    url: Url,
    form: Annotated[
        str, typer.Option("--format", help=f"{FORMATS}; else by the end of the file's name")
    ] = "",
    brand: Annotated[str, typer.Option(help="only stores of this brand", show_default=False)] = "",
    tag: Annotated[str, typer.Option(help="only those with this tag", show_default=False)] = "",
    rings: Annotated[
        bool, typer.Option("--rings", help="with geofences: the rings of stores, too")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write all stores or geofences of a running service into a file.

    What the format cannot hold is reported.

    Exit codes: 0 written; 1 the service refused or cannot be reached; 2 the file cannot be written,
    or its format is not clear.
    """
    console = Console(stderr=True, quiet=as_json)
    chosen = form or _format_of(out)
    if chosen is None:
        why = f"which format? {out} ends in none that is known; --format is one of {FORMATS}"
        raise _failed(console, why, as_json, exit_code=2)
    asked = {"format": chosen, "brand": brand, "tag": tag, "rings": "true" if rings else ""}
    with _refusing(console, out, as_json):
        losses = _get(out, url, key, kind, _given(asked))
    _show_written(console, out, losses, as_json)


@contextmanager
def _refusing(console: Console, out: Path, as_json: bool) -> Iterator[None]:
    """End the command with a clear text where the service refuses or the file is not writable."""
    try:
        yield
    except Refused as error:
        raise _failed(console, str(error), as_json, exit_code=1) from None
    except OSError as error:
        why = f"{out} cannot be written: {error.strerror}"
        raise _failed(console, why, as_json, exit_code=2) from None


def _given(asked: dict[str, str]) -> dict[str, str]:
    return {name: said for name, said in asked.items() if said}


def _show_written(console: Console, out: Path, losses: list[str], as_json: bool) -> None:
    size_bytes = out.stat().st_size
    if as_json:
        typer.echo(json.dumps({"file": str(out), "bytes": size_bytes, "losses": losses}))
    console.print(f"{size_bytes:,} bytes in {out}", markup=False, soft_wrap=True)
    for loss in losses:
        console.print(f"lost: {loss}", style="yellow", markup=False, soft_wrap=True)


def _post(
    file: Path, url: str, key: str, asked: dict[str, Any], console: Console
) -> dict[str, Any]:
    try:
        body = file.open("rb")
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}", unreadable=True) from None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        body,
        _client(url, key) as client,
        Progress(
            *columns,
            console=console,
            transient=True,
            disable=console.quiet or not console.is_terminal,
        ) as progress,
    ):
        task = progress.add_task("sending", total=None)
        last: dict[str, Any] = {}
        try:
            for last in _answers(client, asked, body, file):
                progress.update(
                    task,
                    description="taken in",
                    completed=last.get("rows", 0),
                    total=last.get("of"),
                )
        except httpx.TransportError as error:
            raise Refused(_silent(url, error, file)) from None
    if "created" not in last:
        raise Refused(
            f"{file} is not stored as a whole, send it again: "
            f"{last.get('detail', 'the answer broke off')}"
        )
    return last


def _answers(
    client: httpx.Client, asked: dict[str, Any], body: BinaryIO, file: Path
) -> Iterator[dict[str, Any]]:
    """The lines that the service answers with, the report as the last one. Raises `Refused`."""
    headers = {
        "Accept": "application/x-ndjson",
        "Content-Type": "application/octet-stream",
        "Content-Length": str(file.stat().st_size),
    }
    with client.stream(
        "POST", "/v1/imports", params=asked, headers=headers, content=_pieces(body)
    ) as response:
        _raise_refusal(response, file)
        for line in response.iter_lines():
            yield json.loads(line)


def _silent(url: str, error: httpx.TransportError, file: Path) -> str:
    answered = f"{url} does not answer ({type(error).__name__})"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"{answered}; nothing was sent; --url names another service"
    return f"{answered}; what was reported as imported is stored: send {file} again"


def _pieces(body: BinaryIO) -> Iterator[bytes]:
    while piece := body.read(CHUNK):
        yield piece


def _get(out: Path, url: str, key: str, kind: str, asked: dict[str, str]) -> list[str]:
    part = out.with_name(out.name + ".part")
    try:
        with (
            _client(url, key) as client,
            client.stream("GET", f"/v1/exports/{kind}", params=asked) as response,
        ):
            _raise_refusal(response, out)
            _save(response, part)
        part.replace(out)
        return list(json.loads(unquote(response.headers.get("X-Geofence-Losses", "[]"))))
    except httpx.TransportError as error:
        raise Refused(
            f"{url} does not answer ({type(error).__name__}); --url names another service"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _save(response: httpx.Response, part: Path) -> None:
    with part.open("wb") as file:
        for chunk in response.iter_bytes():
            file.write(chunk)


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=url.rstrip("/"),
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(600.0, connect=5.0),
        trust_env=False,
    )


def _raise_refusal(response: httpx.Response, file: Path) -> None:
    """Raise `Refused` about the file, or about the option that the service does not know."""
    if response.is_success:
        return
    url, status = str(response.url.copy_with(query=None)), response.status_code
    try:
        answered = json.loads(response.read())
        faults = [
            f"{_option(one['pointer'])}: {one['detail']}" for one in answered.get("errors", [])
        ]
        why, code = "; ".join(faults) or answered["detail"], answered["code"]
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{url} answers {status} with something that is not ours") from None
    of_file = status == httpx.codes.REQUEST_ENTITY_TOO_LARGE or (
        status == httpx.codes.UNPROCESSABLE_ENTITY and not answered.get("errors")
    )
    if of_file:
        raise Refused(f"{file} cannot be read: {why} ({code})", unreadable=True)
    raise Refused(f"{why} ({code})" if faults else f"{file} was refused: {why} ({status} {code})")


def _option(pointer: str) -> str:
    """The option of ours that became a part of the query."""
    name = pointer.removeprefix("/query/").partition("/")[0]
    return f"--{name.replace('_', '-')}" if pointer.startswith("/query/") else pointer


def _format_of(out: Path) -> str | None:
    from regions.readers import formats

    name = out.name.lower()
    return next(
        (
            member.NAME
            for member in formats()
            for suffix in member.SUFFIXES
            if name.endswith(suffix)
        ),
        None,
    )


def _failed(console: Console, why: str, as_json: bool, exit_code: int) -> typer.Exit:
    if as_json:
        typer.echo(json.dumps({"error": why}))
    console.print(why, style="red", markup=False, soft_wrap=True)
    return typer.Exit(exit_code)
