"""Runs the application: one process, uvloop and httptools, an orderly end on SIGTERM."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable

import structlog
import uvicorn

from api.app import make_app
from api.bootstrap import open_services
from api.channels import startup_lines
from api.server.port import fault_of_port
from api.services import Services
from api.settings import SettingError, Settings

GRACE_S = 20
_log = structlog.get_logger()


class Server(uvicorn.Server):
    """Uvicorn that says when it listens, and ends event streams before it closes connections."""

    def __init__(self, services: Services, opened: Callable[[str], None]) -> None:
        settings = services.settings
        config = uvicorn.Config(
            make_app(services),
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # queries may hold a key; the middleware writes our own
            proxy_headers=False,  # the middleware reads them, from the networks listed
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._services, self._opened = services, opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        # geofences and code stay for ever: what the collector need not look at costs no pause
        # (a second at a million geofences)
        gc.collect()
        gc.freeze()
        await super().startup(sockets)
        if self.started:
            self._opened(self.address())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end the streams, answer what is under way, close the services."""
        self._services.feed.close()
        await super().shutdown(sockets)

    def address(self) -> str:
        """The URL it listens on."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Serve until SIGTERM or SIGINT.

    Args:
        settings: What the operator chose.
        tell: Prints a line for a person. Secrets of first keys go there and into no log.

    Returns:
        Whether the service ever listened.

    Raises:
        SettingError: The port is taken; no database was made.
    """
    taken = fault_of_port(settings)
    if taken is not None:
        raise SettingError(taken)
    services = open_services(settings)
    for line in (*_first_keys(services), *startup_lines(services.channels, services.notes)):
        tell(line)

    def opened(url: str) -> None:
        tell(f"Listening on {url} (documentation at {settings.root_path}/docs)")
        if settings.public_url:
            tell(f"Seen from outside as {settings.public_url}")
        _log.info(
            "listening",
            database="sqlite" if services.embedded else "postgresql",
            clock=settings.clock,
        )

    server = Server(services, opened)
    # uvicorn raises the signal again when it is done; an orderly end is a success
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run()
    _log.info("stopped")
    return server.started


def _first_keys(services: Services) -> tuple[str, ...]:
    """The keys of a project just made, framed by empty lines so that logs do not hide them."""
    keys = services.first_keys
    if keys is None:
        return ()
    fixed = services.settings.dev_key
    return (
        "",
        f"A new project: {keys.project_id}. Its keys are shown this once, and are in no log:",
        f"  publishable  {keys.publishable}",
        f"  secret       {'the one in GEOFENCE_DEV_KEY' if fixed else keys.secret}",
        "",
    )
