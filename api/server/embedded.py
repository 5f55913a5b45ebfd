"""The whole service inside another program, on a thread of its own.

For the demo and for trying things out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from api.bootstrap import open_services
from api.server.port import fault_of_port
from api.server.server import Server
from api.settings import Settings

STARTS_WITHIN_S = 30.0


class Running(NamedTuple):
    """Where the service answers, and a secret key of its project."""

    url: str
    key: str


@contextmanager
def serving(settings: Settings) -> Iterator[Running]:
    """Serve until the block ends.

    Raises OSError when the port is taken or the service does not start.
    """
    taken = fault_of_port(settings)
    if taken is not None:
        raise OSError(taken)
    listening = threading.Event()
    urls: list[str] = []

    def opened(url: str) -> None:
        urls.append(url)
        listening.set()

    server = Server(open_services(settings), opened)
    thread = threading.Thread(target=server.run, name="service", daemon=True)
    thread.start()
    try:
        if not listening.wait(STARTS_WITHIN_S):
            raise OSError("the service did not start")
        yield Running(urls[0], settings.dev_key)
    finally:
        server.should_exit = True
        thread.join()
