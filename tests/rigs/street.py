"""A street on a real database, and short words for what the tests do with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from geofence.backends.sql.database import SqlDatabase, open_database
from geofence.clock import Clock, PingClock
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile
from geofence.model.receipt import Receipt
from geofence.ports.listing import EventFilter
from geofence.ports.unit import Unit
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit

T0 = 1_790_000_000_000
HOME = (48.0, 11.0)
BALANCED = Profile("balanced")


def fence(
    uid: str = "gf_1",
    *,
    profile: Profile | None = None,
    lat: float = HOME[0],
    radius_m: float = 150,
    **more: Any,
) -> Geofence:
    region = {"type": "circle", "lat": lat, "lon": HOME[1], "radius_m": radius_m}
    return Geofence(uid, f"fence-{uid}", region, profile=profile or Profile("exact"), **more)


def ping(at_s: float, north_m: float = 0.0, device: str = "phone", **more: Any) -> PingIn:
    """A ping `north_m` metres north of HOME."""
    return PingIn(HOME[0] + north_m / 111_195, HOME[1], T0 + int(at_s * 1000), device, **more)


class StreetRig:
    """A street on a record, and short words for what the tests do with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        with contextlib.closing(open_database(url)) as database:
            database.migrate()
        self.open()

    def open(self, clock: Clock | None = None) -> None:
        self.database: SqlDatabase = open_database(self.url)
        self.street = Writer(self.database, clock or PingClock())
        self.street.start()

    def die_and_return(self) -> None:
        """Lose everything that is not in the record."""
        self.street.stop()
        self.database.close()
        self.open()

    def close(self) -> None:
        self.street.stop()
        self.database.close()

    def edit(self, work: Callable[[Unit], EditResult]) -> Any:
        return run_edit(self.street, "p", work).result(30)

    def put(self, *fences: Geofence) -> None:
        def work(unit: Unit) -> EditResult:
            unit.places.put_geofences("p", fences)
            return EditResult(None, changed=fences)

        self.edit(work)

    def remove(self, uid: str) -> None:
        def work(unit: Unit) -> EditResult:
            unit.places.delete_geofences("p", [uid])
            return EditResult(None, removed=(uid,))

        self.edit(work)

    def post(self, *pings: PingIn, include: Sequence[str] = ()) -> Receipt:
        return self.street.submit_pings(
            "p", list(enumerate(pings)), include=frozenset(include)
        ).result(30)

    @property
    def events(self) -> list[tuple[str, str, float]]:
        """(kind, device, second) of every event, in reading order."""
        self.database.sequence()
        found = self.database.queries.events.page("p", None, None, 100_000)
        return [
            (e.kind.removeprefix("geofence."), e.device_id, (e.ts_ms - T0) / 1000) for e in found
        ]

    @property
    def visits(self) -> list[Any]:
        return self.database.queries.visits.page("p", None, None, 100_000)


def opened(rig: StreetRig) -> None:
    rig.edit(
        lambda unit: EditResult(
            unit.accounts.put_project(Project("p", "shop", BALANCED)), reload=True
        )
    )
    rig.put(fence(profile=BALANCED))


def events(rig: StreetRig, **filters: Any) -> list[Any]:
    """The events that a filter lets through, in reading order."""
    rig.database.sequence()
    return rig.database.queries.events.page("p", EventFilter(**filters), None, 10_000)
