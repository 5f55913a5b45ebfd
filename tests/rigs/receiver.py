"""A subscriber of webhooks on loopback: records what it is sent and answers as the path asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Delivery(NamedTuple):
    """One POST as it came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Receiver:
    """Answers `/status/<code>` with that code and other paths with 200.

    `/hang` gets no answer before the receiver stops; `/drop` closes the connection.
    """

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.headers: dict[str, str] = {}
        self.stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )
        self._thread.start()

    def url(self, path: str = "/ok", host: str = "127.0.0.1") -> str:
        """Its address under this host name."""
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        """Let hanging requests go and stop."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(
                    Delivery(
                        self.path,
                        {name.lower(): value for name, value in self.headers.items()},
                        body,
                    )
                )
                if self.path == "/hang":
                    receiver.stopped.wait()
                if self.path in ("/hang", "/drop"):
                    self.close_connection = True
                    return
                self._answer()

            def _answer(self) -> None:
                _, _, code = self.path.rpartition("/status/")
                self.send_response(int(code) if code.isdecimal() else 200)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                long = self.path == "/long"
                self.send_header("Content-Length", "100000000" if long else "0")
                self.end_headers()
                if long:
                    self._pour()

            def _pour(self) -> None:
                try:
                    for _ in range(1000):
                        self.wfile.write(b"x" * 100_000)
                except OSError:
                    self.close_connection = True  # the client has read enough

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver for the time of the block."""
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()


def free_port() -> int:
    """A port of loopback nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
