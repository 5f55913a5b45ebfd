"""`geofence doctor`: what would keep the service from running."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from typing import NamedTuple
from urllib.parse import urlsplit

import typer

from api.channels import channels_of, delivery_warnings, startup_lines
from api.cli.health import ask
from api.cli.main import AsJson, settled
from api.database import reach_database, record_file
from api.server.port import fault_of_port
from api.settings import SettingError, Settings
from geofence.clock import SystemClock
from geofence.errors import GeofenceError

CONNECT_S = 3.0
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
            revision, known = database.revision()
            if not revision:
                return True, "empty; `geofence serve` makes its tables"
            if not known:
                return False, f"at schema revision {revision}, which a newer version wrote"
            seen = database.queries.health()
        finally:
            database.close()
    except GeofenceError as error:
        return False, f"does not answer: {error.detail}"
    waiting = f", {seen['unnumbered']} events wait for their number" if seen["unnumbered"] else ""
    return True, f"{seen['database']} at schema revision {seen['schema']}{waiting}"


def _clock(_: Settings) -> tuple[bool, str]:
    now_ms = SystemClock().now_ms()
    return _BUILT_MS < now_ms < _BUILT_MS + 50 * 365 * 86_400_000, _text(now_ms)


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _channels(settings: Settings) -> tuple[bool, str]:
    try:
        channels = channels_of(settings)
    except SettingError as error:
        return False, str(error)
    for channel in channels.values():
        channel.close()
    silent = [
        fault
        for name, setting, url in _providers(settings)
        if name in channels and (fault := _fault_of_provider(setting, url))
    ]
    if silent:
        return False, "; ".join(silent)
    return True, ", ".join(
        line.partition(";")[0]
        for line in startup_lines(channels, delivery_warnings(channels, here=True))
    )


def _providers(settings: Settings) -> tuple[tuple[str, str, str], ...]:
    """Channel, setting and address of every provider."""
    return (
        ("push", "GEOFENCE_FCM_ENDPOINT", settings.fcm_endpoint),
        ("email", "GEOFENCE_SMTP_URL", settings.smtp_url),
    )


def _fault_of_provider(setting: str, url: str) -> str:
    """Why nothing answers at the provider's address; empty when something does.

    A mail relay without implicit TLS must also greet. No secret is sent and none is shown.
    """
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443, "smtps": 465, "smtp": 25}.get(parts.scheme, 587)
    where = f"{setting}: {parts.hostname}:{port}"
    try:
        with socket.create_connection((parts.hostname or "", port), CONNECT_S) as line:
            greets = parts.scheme not in ("smtp", "smtp+starttls")
            if not greets and not line.recv(512).startswith(b"220"):
                return f"{where} does not greet like a mail relay"
    except OSError as error:
        return f"{where} does not answer ({error.strerror or type(error).__name__})"
    return ""


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
