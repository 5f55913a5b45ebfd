"""The service itself as a process of its own, to be posted to and to be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

KEY = "sk_" + "t" * 32


class Service:
    """`geofence serve` on 127.0.0.1 with a fixed key.

    `kill` and `start` as often as one likes, on the same record.

    `settings` are further GEOFENCE_ settings without that prefix.
    """

    def __init__(self, database_url: str, log: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("GEOFENCE_")
            },
            "GEOFENCE_DATABASE_URL": database_url,
            "GEOFENCE_DEV_KEY": KEY,
            **{f"GEOFENCE_{name}": value for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Service:
        """Start, and return once it is ready.

        Raises with the end of its log when it does not get there.
        """
        command = [
            str(Path(sys.executable).with_name("geofence")),
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until_s = time.monotonic() + 60
        while time.monotonic() < until_s:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"the service did not become ready: {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL: no farewell of any kind."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and wait; the exit code."""
        return self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """The process it runs in."""
        assert self._process is not None, "it was never started"
        return self._process.pid

    def client(self, timeout: float = 60, **more: Any) -> httpx.Client:
        """A client that carries the key; `timeout` in seconds."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=timeout, **more
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None, "it was never started"
        self._process.send_signal(number)
        return self._process.wait(60)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
