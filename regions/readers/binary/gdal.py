"""The libraries for binary formats, each call in a process of its own.

A crash or excessive output there is an error in words here. The process gets copies under fixed
names, an environment without secrets, no network, and limits on time, memory and output. It also
keeps 110 MB of libraries out of this one.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regions import subprocesses
from regions.readers.binary.spool import Spool
from regions.readers.item import FileError, Item, bounded, not_found
from regions.readers.text.encoding import lines_of
from regions.region import RegionError
from regions.temp_folder import scratch

_LIBRARIES = ("geopandas", "pyarrow", "pyogrio")  # of the extra geofence[formats]
_TIME_MIN_S = 30
_TIME_S_PER_MB = 2
_ENVIRONMENT = {
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_PAM_ENABLED": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "NO",
    # Drivers that open other files or addresses are not registered.
    "GDAL_SKIP": (
        "VRT,OGR_VRT,GDALG,HTTP,WFS,OAPIF,CSW,Elasticsearch,Carto,AmigoCloud,PLSCENES,NGW,EEDA,"
        "OGCAPI,ADBC,MBTiles,PMTiles,MVT"
    ),
    # GDAL 3.12's own quick way out of FlatGeobuf ends a column of geometries wrongly after a
    # feature without one.
    "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    "SHAPE_RESTORE_SHX": "YES",
    "PROJ_NETWORK": "OFF",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}


@contextmanager
def room() -> Iterator[Path]:
    """A folder for the work on one file."""
    with tempfile.TemporaryDirectory(prefix="places-", dir=scratch()) as folder:
        yield Path(folder)


def copied(path: Path, folder: Path, name: str) -> Path:
    """A copy under a fixed name, which neither chooses a driver nor reveals anything.

    Raises `FileError` `not_found`.
    """
    try:
        return Path(shutil.copyfile(path, folder / name))
    except OSError as error:
        raise not_found() from error


def items_of(kind: str, source: Path, folder: Path, notes: tuple[str, ...] = ()) -> Iterator[Item]:
    """The items of a file or folder with fixed names; `notes` stand on the first.

    Raises `FileError`.
    """
    target = folder / "items.jsonl"
    _run("read", kind, source, target)
    with target.open(encoding="utf-8") as lines:
        for item in bounded(_item(line) for line in lines_of(lines)):
            yield item._replace(notes=(*notes, *item.notes)) if notes else item
            notes = ()


def _item(line: str) -> Item:
    number, properties, geometry, error, notes = json.loads(line)
    return Item(
        number, properties, geometry, None, RegionError(*error) if error else None, tuple(notes)
    )


def written(kind: str, spool: Spool, plan: dict[str, Any], folder: Path) -> Path:
    """The file or folder that the process made of a spool, as `plan` says. Raises `FileError`."""
    source, target = folder / "spool.jsonl", folder / "made"
    with source.open("w", encoding="utf-8") as out:
        out.write(json.dumps(plan) + "\n")
        for item in spool:
            out.write(json.dumps([item.properties, item.geometry]) + "\n")
    _run("write", kind, source, target)
    return target


def check_installed(kind: str) -> None:
    """Raise `FileError` `format_not_installed` unless the libraries of the extra are there."""
    if not all(map(find_spec, _LIBRARIES)):
        raise FileError(
            "format_not_installed",
            f"{kind} needs libraries that are not installed: pip install 'geofence[formats]'",
        )


def _run(verb: str, kind: str, source: Path, target: Path) -> None:
    check_installed(kind)
    size = sum(file.stat().st_size for file in ([source] if source.is_file() else source.iterdir()))
    limit_s = _TIME_MIN_S + _TIME_S_PER_MB * size // 1_048_576
    command = subprocesses.command(
        "regions.readers.binary.gdal_process", verb, kind, str(source), str(target), str(limit_s)
    )
    environment = subprocesses.environment() | _ENVIRONMENT
    try:
        done = subprocess.run(  # noqa: S603 - our own module, with paths we made
            command,
            env=environment,
            cwd=target.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=2 * limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileError(
            "too_large",
            f"the file took longer than {2 * limit_s} s to read; that is the limit for its size",
        ) from error
    if done.returncode:
        raise _error_of(done.stdout, kind)


def _error_of(answer: bytes, kind: str) -> FileError:
    try:
        code, detail = json.loads(answer.splitlines()[-1])
        return FileError(str(code), str(detail))
    except (ValueError, IndexError):
        return FileError(
            "broken",
            f"the file is damaged, or needs more memory or time than a {kind} file of its size may",
        )
