"""Opens the services of a process; here and in `database` alone a backend is named."""

from __future__ import annotations

from typing import Literal, cast

from api.channels import channels_of, delivery_warnings
from api.database import reach_database, record_file
from api.http.auth import KeyRing
from api.http.event_feed import EventFeed
from api.http.rate_limit import GuessLimit
from api.metrics import Metrics
from api.services import FirstKeys, Services
from api.settings import Settings
from geofence import ids
from geofence.clock import Clock, make_clock
from geofence.model.account import Key, Project
from geofence.people.keys import make_key
from geofence.ports.database import Database
from geofence.street.worker import Worker
from geofence.street.writer import Writer


def open_services(settings: Settings, *, deliver: bool = False) -> Services:
    """Open the database, migrate it, make the first project where there is none, start the street.

    Args:
        settings: What the operator chose.
        deliver: This process delivers, whatever the settings say.

    Raises:
        SettingError: A channel cannot be opened.
    """
    database = reach_database(settings, writer=True)
    here = deliver or database.embedded or settings.deliver == "serve"
    try:
        channels = channels_of(settings) if here else {}
        database.migrate()
        clock = make_clock(cast(Literal["system", "pings"], settings.clock))
        first = first_project(database, clock, settings.dev_key)
        metrics = Metrics()
        street = _writer(database, clock, settings, metrics)
        feed = EventFeed(street.on_commit, metrics.streams)
        street.start()
        worker = Worker(street, channels, clock) if here else None
        if worker is not None:
            worker.on_delivered(metrics.delivered)
            worker.start()
    except BaseException:
        database.close()
        raise
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        street=street,
        keys=KeyRing(database.queries),
        metrics=metrics,
        feed=feed,
        embedded=database.embedded,
        guesses=GuessLimit(),
        channels=channels,
        worker=worker,
        notes=delivery_warnings(channels, here=here),
        first_keys=first,
    )


def _writer(database: Database, clock: Clock, settings: Settings, metrics: Metrics) -> Writer:
    """The writer, watched by the metrics and not started yet."""
    writer = Writer(
        database,
        clock,
        public_url=public_url(settings),
        index_stem=record_file(settings),
        queue_limit=settings.queue_limit,
    )
    metrics.watch_depth(writer.depth)
    metrics.watch_outbox(database.queries.backlogs, clock)
    writer.on_unit(metrics.count_unit)
    return writer


def public_url(settings: Settings) -> str:
    """How the outside reaches this service.

    As the operator says, else the address it listens on.
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url.rstrip("/") or f"http://{host}:{settings.port}"


def first_project(database: Database, clock: Clock, dev_key: str) -> FirstKeys | None:
    """On an empty record, a project with a key of each kind.

    On a used one, only the fixed key if it is new.
    """
    projects = database.queries.projects()
    if projects:
        if dev_key and database.queries.key_of(ids.digest(dev_key)) is None:
            name = "fixed by GEOFENCE_DEV_KEY"
            fixed = make_key(projects[0].id, "sk", clock.now_ms(), name=name, secret=dev_key)
            _store(database, None, [fixed.key])
        return None
    project = Project(ids.new("prj"), "First project", created_ms=clock.now_ms())
    publishable = make_key(project.id, "pk", clock.now_ms(), name="first")
    secret = make_key(project.id, "sk", clock.now_ms(), name="first", secret=dev_key)
    _store(database, project, [publishable.key, secret.key])
    return FirstKeys(project.id, publishable.secret, secret.secret)


def _store(database: Database, project: Project | None, keys: list[Key]) -> None:
    with database.begin() as unit:
        if project is not None:
            unit.accounts.put_project(project)
        for key in keys:
            unit.accounts.put_key(key)
        unit.commit()
