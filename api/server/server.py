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
    """Uvicorn that tells when it listens, and ends event streams before it waits for connections to close."""

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
            access_log=False,  # queries may hold a key; requests are counted at /metrics
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        super().__init__(config)
        self._house, self._opened = services, opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say where."""
        # geofences and code stay for ever: what the collector need not look at costs no pause (a
        # second at a million geofences)
        gc.collect()
        gc.freeze()
        await super().startup(sockets)
        if self.started:
            self._opened(self.address())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, end the streams, answer what is under way, close the house."""
        self._house.feed.close()
        await super().shutdown(sockets)

    def address(self) -> str:
        """The URL it listens on."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Serve until SIGTERM or SIGINT; whether it ever listened.

    `tell` prints what a person should see.

    Raises `SettingError` for a port that is taken, before a record is made.
    """
    taken = fault_of_port(settings)
    if taken is not None:
        raise SettingError(taken)
    services = open_services(settings)
    if services.first_keys is not None:
        tell(f"A new project: {services.first_keys.project_id}. Its keys are shown this once:")
        tell(f"  publishable  {services.first_keys.publishable}")
        tell(
            f"  secret       {'the one in GEOFENCE_DEV_KEY' if settings.dev_key else services.first_keys.secret}"
        )

    for line in startup_lines(services.channels, services.notes):
        tell(line)

    def opened(url: str) -> None:
        tell(f"Listening on {settings.public_url or url} (documentation at /docs)")
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
