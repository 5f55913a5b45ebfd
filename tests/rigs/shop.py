"""The service in a thread of this process, and tenants in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from api.bootstrap import open_services
from api.server.server import Server
from api.services import Services
from api.settings import Settings
from geofence import ids
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.people.keys import make_key
from geofence.ports.unit import Unit
from tests.rigs.closures import run_edit

T = TypeVar("T")


@dataclass
class Running:
    """A server that listens."""

    services: Services
    server: Server
    url: str
    thread: threading.Thread

    def stop(self) -> None:
        """An orderly end, as on SIGTERM."""
        self.server.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()


@dataclass
class Shop:
    """A tenant: its keys, and a client that holds the secret one."""

    running: Running
    project_id: str
    pk: str
    sk: str
    client: httpx.Client = field(init=False)
    now_ms: int = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(
            base_url=self.running.url, headers={"Authorization": f"Bearer {self.sk}"}, timeout=60
        )
        self.now_ms = self.running.services.clock.now_ms()

    def with_key(self, key: str) -> httpx.Client:
        """A client that holds another key."""
        return httpx.Client(
            base_url=self.running.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=60,
        )


def run(url: str, **settings: Any) -> Running:
    """Open the services on that database and serve it from a thread."""
    services = open_services(Settings(database_url=url, port=0, **settings))
    listening = threading.Event()
    server = Server(services, lambda _: listening.set())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert listening.wait(30)
    return Running(services, server, server.address(), thread)


def open_shop(running: Running, name: str = "shop") -> Shop:
    """A new tenant with a key of each kind."""
    project = Project(ids.new("prj"), name, created_ms=running.services.clock.now_ms())
    pk, sk = (make_key(project.id, kind, project.created_ms) for kind in ("pk", "sk"))

    def work(unit: Unit) -> EditResult:
        unit.accounts.put_project(project)
        for made in (pk, sk):
            unit.accounts.put_key(made.key)
        return EditResult(None)

    run_edit(running.services.street, project.id, work).result(30)
    return Shop(running, project.id, pk.secret, sk.secret)


def until(condition: Callable[[], T], patience_s: float = 20.0) -> T:
    """The first true answer of `condition()`; fails when there is none in time."""
    end_s = time.monotonic() + patience_s
    while not (answer := condition()):
        assert time.monotonic() < end_s, "it did not happen in time"
        time.sleep(0.01)
    return answer
