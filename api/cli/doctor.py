"""`geofence doctor`: what would keep the service from running."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import NamedTuple

import typer

from api.bootstrap import reach_database, record_file
from api.channels import channels_of, delivery_warnings, startup_lines
from api.cli.health import ask
from api.cli.main import AsJson, settled
from api.http.fields import moment_text
from api.server.port import fault_of_port
from api.settings import SettingError, Settings
from geofence.clock import SystemClock
from geofence.errors import GeofenceError

LEAST_FREE_BYTES = 100 * 1024 * 1024
_BUILT_MS = 1_760_000_000_000  # October 2025: no clock that is right shows less
_NEEDED = (
    "numpy",
    "h3",
    "shapely",
    "pyproj",
    "msgspec",
    "SQLAlchemy",
    "alembic",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
)


class Finding(NamedTuple):
    """One check: its name, whether all is well, and what was seen."""

    name: str
    fine: bool
    seen: str


def doctor(as_json: AsJson = False) -> None:
    """Check Python, libraries, database, disk, clock, channels and port."""
    found = list(examine(settled().settings))
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=1))
    else:
        for one in found:
            typer.echo(f"{'ok  ' if one.fine else 'BAD '} {one.name:10} {one.seen}")
    raise typer.Exit(0 if all(one.fine for one in found) else 1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check, one after the other; none raises."""
    checks: tuple[tuple[str, Callable[[Settings], tuple[bool, str]]], ...] = (
        ("python", _python),
        ("libraries", _libraries),
        ("disk", _disk),
        ("database", _database),
        ("clock", _clock),
        ("channels", _channels),
        ("port", _port),
    )
    for name, check in checks:
        yield Finding(name, *check(settings))


def _python(_: Settings) -> tuple[bool, str]:
    return sys.version_info >= (3, 11), sys.version.split()[0]


def _libraries(_: Settings) -> tuple[bool, str]:
    missing = []
    versions = []
    for name in _NEEDED:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    return not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(versions)


def _disk(settings: Settings) -> tuple[bool, str]:
    path = record_file(settings)
    if path is None:
        return True, "nothing is written here"
    folder = path.resolve().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return False, f"{folder} cannot be written"
    return free >= LEAST_FREE_BYTES, f"{free // 1024**2} MB free in {folder}"


def _database(settings: Settings) -> tuple[bool, str]:
    path = record_file(settings)
    if path is not None and not path.exists():
        return True, "will be made by `geofence serve`"
    try:
        database = reach_database(settings, writer=False)
        try:
            seen = database.queries.health()
        finally:
            database.close()
    except GeofenceError as error:
        return False, f"not reachable, or never served from: {error.detail}"
    waiting = f", {seen['unnumbered']} events wait for their number" if seen["unnumbered"] else ""
    return True, f"{seen['database']} at schema revision {seen['schema']}{waiting}"


def _clock(_: Settings) -> tuple[bool, str]:
    now_ms = SystemClock().now_ms()
    return _BUILT_MS < now_ms < _BUILT_MS + 50 * 365 * 86_400_000, moment_text(now_ms)


def _channels(settings: Settings) -> tuple[bool, str]:
    try:
        channels = channels_of(settings)
    except SettingError as error:
        return False, str(error)
    for channel in channels.values():
        channel.close()
    return True, ", ".join(
        line.partition(";")[0]
        for line in startup_lines(channels, delivery_warnings(channels, here=True))
    )


def _port(settings: Settings) -> tuple[bool, str]:
    taken = fault_of_port(settings)
    if taken is None:
        return (
            True,
            f"{settings.host}:{settings.port} is free"
            if settings.port
            else f"any free one on {settings.host}",
        )
    runs = ask(settings, "/livez")[0] == 200
    return (
        runs,
        f"{settings.host}:{settings.port} is taken by a service that runs already"
        if runs
        else taken,
    )
