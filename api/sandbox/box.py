"""The sandbox as one thing: started, asked, and ended."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import uvloop

from api.sandbox.http import Connection
from api.sandbox.inbox import Inbox, Received
from api.sandbox.mail import protocol
from api.sandbox.oauth import Account
from api.sandbox.routes import Routes
from api.sandbox.scripts import Scripts
from regions.temp_folder import scratch


class Sandbox:
    """A push provider and a mail relay on this machine, in a thread of their own.

    Made by `Sandbox.start`.
    """

    def __init__(self, host: str, directory: Path, token_lifetime_s: int) -> None:
        self.host = host
        self.fcm_endpoint = ""
        self.smtp_url = ""
        self.account = Account(directory, token_lifetime_s)
        self.box = Inbox()
        self.scripts = Scripts()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="geofence-sandbox", daemon=True
        )
        self._servers: list[asyncio.AbstractServer] = []
        self._clients: set[asyncio.Transport] = set()
        self._temporary: TemporaryDirectory[str] | None = None

    @classmethod
    def start(
        cls,
        host: str = "127.0.0.1",
        fcm_port: int = 0,
        smtp_port: int = 0,
        directory: str | Path | None = None,
        token_lifetime_s: int = 3600,
    ) -> Self:
        """Listen on these ports (0.

        Any that is free) and write the credentials file into `directory` (None: a temporary one).

        Raises `OSError` when a port is taken.
        """
        temporary = (
            TemporaryDirectory(prefix="sandbox-", dir=scratch()) if directory is None else None
        )
        place = Path(directory or (temporary.name if temporary else "."))
        place.mkdir(parents=True, exist_ok=True)
        sandbox = cls(host, place, token_lifetime_s)
        sandbox._temporary = temporary
        sandbox._thread.start()
        try:
            sandbox._run(sandbox._listen(fcm_port, smtp_port))
        except OSError:
            sandbox.close()
            raise
        return sandbox

    @property
    def credentials_path(self) -> str:
        """The service account file: a value for GEOFENCE_FCM_CREDENTIALS."""
        return str(self.account.path)

    def settings(self) -> dict[str, str]:
        """The settings with which a service sends here."""
        return {
            "GEOFENCE_FCM_CREDENTIALS": self.credentials_path,
            "GEOFENCE_FCM_ENDPOINT": self.fcm_endpoint,
            "GEOFENCE_SMTP_URL": self.smtp_url,
        }

    def inbox(self) -> list[Received]:
        """What phones and mailboxes would have got, oldest first."""
        return self.box.delivered()

    def attempts(self) -> list[Received]:
        """Everything that was handed over, also what was refused, oldest first."""
        return self.box.attempts()

    def wait_for(self, n: int, timeout_s: float) -> list[Received]:
        """The inbox once it holds at least `n`. Raises `TimeoutError`."""
        if not self.box.wait_delivered(n, timeout_s):
            raise TimeoutError(f"{len(self.inbox())} of {n} messages arrived within {timeout_s} s")
        return self.inbox()

    def script(self, to: str, behaviour: str, times: int | None = None) -> None:
        """Behave like this towards a token, an address, `oauth` (the token server) or `*`.

        See `scripts.py`.
        """
        self.scripts.put(to, behaviour, times)

    def close(self) -> None:
        """End servers, connections and thread."""
        if not self._thread.is_alive():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self, fcm_port: int, smtp_port: int) -> None:
        routes = Routes(self.account, self.scripts, self.box, self._loop)
        http, smtp = (
            socket.create_server((self.host, fcm_port)),
            socket.create_server((self.host, smtp_port)),
        )
        self.fcm_endpoint = f"http://{self.host}:{http.getsockname()[1]}"
        self.smtp_url = f"smtp://{self.host}:{smtp.getsockname()[1]}"
        self._servers.append(
            await self._loop.create_server(
                lambda: Connection(routes.handle, self._clients), sock=http, backlog=1024
            )
        )
        self._servers.append(
            await self._loop.create_server(
                lambda: protocol(self.scripts, self.box, self._loop), sock=smtp
            )
        )
        self.account.write(self.fcm_endpoint)

    async def _shut(self) -> None:
        for server in self._servers:
            server.close()
        for client in list(self._clients):
            client.abort()
        own = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not own]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
