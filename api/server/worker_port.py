"""The worker's own small port: /livez, /readyz and /metrics, on a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from api.metrics import MEDIA_TYPE
from api.readiness import readiness
from api.services import Services
from api.settings import SettingError

Answer = tuple[int, bytes, str]
_JSON = "application/json"


class WorkerPort:
    """Answers until it is closed.

    Raises:
        SettingError: The port is taken.
    """

    def __init__(self, services: Services) -> None:
        host, port = services.settings.host, services.settings.worker_port
        pages: dict[str, Callable[[], Answer]] = {
            "/livez": lambda: (200, b'{"status":"alive"}', _JSON),
            "/readyz": lambda: _ready(services),
            "/metrics": lambda: (200, services.metrics.exposition(), MEDIA_TYPE),
        }
        try:
            self._server = _Server((host, port), _handler(pages))
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise SettingError(
                f"GEOFENCE_WORKER_PORT: cannot listen on {host}:{port} ({why})"
            ) from None
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="worker-port", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        import socket

        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event."""


def _handler(pages: dict[str, Callable[[], Answer]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds a client may take to ask

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            status, body, kind = page() if page else (404, b'{"status":"not found"}', _JSON)
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Health checks are not logged."""

    return Handler


def _ready(services: Services) -> Answer:
    seen = readiness(services, worker=True)
    return 503 if seen.missing else 200, msgspec.json.encode(seen), _JSON
