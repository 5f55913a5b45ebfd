"""`geofence worker`.

Delivers what the service decided, as a process of its own beside `serve` on PostgreSQL.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import structlog
import typer

from api.cli.main import BAD_RECORD, BAD_SETTING, settled
from api.settings import SettingError, Settings

if TYPE_CHECKING:
    from api.services import Services

LOOK_S = 1.0


def worker() -> None:
    """Deliver messages (PostgreSQL only; on SQLite `serve` does). Ends in order on SIGTERM."""
    from api.database import record_file
    from api.logs import set_up_logs
    from geofence.errors import GeofenceError

    settings = settled().settings
    if record_file(settings) is not None:
        typer.echo(
            "On SQLite `geofence serve` delivers by itself; a worker of its own needs PostgreSQL "
            "(GEOFENCE_DATABASE_URL).",
            err=True,
        )
        raise typer.Exit(BAD_SETTING)
    set_up_logs(settings.log_level, settings.log_format)
    try:
        alive = _deliver(settings)
    except SettingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_SETTING) from None
    except GeofenceError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(BAD_RECORD) from None
    raise typer.Exit(0 if alive else 1)


def _deliver(settings: Settings) -> bool:
    """Deliver until a signal; whether the writer lived until then."""
    from api.bootstrap import open_services

    ended = threading.Event()

    def end(*_: Any) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    services = open_services(settings, deliver=True)
    try:
        return _watch(services, ended)
    finally:
        services.close()
        structlog.get_logger().info("stopped")


def _watch(services: Services, ended: threading.Event) -> bool:
    from api.server.worker_port import WorkerPort

    if not services.channels:
        raise SettingError(
            "No channel is configured: set GEOFENCE_FCM_CREDENTIALS, GEOFENCE_SMTP_URL or both"
        )
    port = WorkerPort(services)
    try:
        structlog.get_logger().info(
            "delivering", channels=sorted(services.channels), health=f"{port.url}/readyz"
        )
        while services.street.alive() and not ended.wait(LOOK_S):
            pass
        return ended.is_set()
    finally:
        port.close()
