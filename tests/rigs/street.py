"""A street on a real database, and short words for what the tests do with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from geofence.backends.sql.record import SqlRecord, open_record
from geofence.clock import Clock, PingClock
from geofence.model.account import Project
from geofence.model.edit import Edited
from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile
from geofence.model.receipt import Receipt
from geofence.ports import Unit
from geofence.street.writer import Street

T0 = 1_790_000_000_000
HOME = (48.0, 11.0)
BALANCED = Profile("balanced")


def fence(uid: str = "gf_1", *, profile: Profile | None = None, lat: float = HOME[0], radius_m: float = 150, **more: Any) -> Geofence:
    region = {"type": "circle", "lat": lat, "lon": HOME[1], "radius_m": radius_m}
    return Geofence(uid, f"fence-{uid}", region, profile=profile or Profile("exact"), **more)


def ping(at_s: float, north_m: float = 0.0, device: str = "phone", **more: Any) -> PingIn:
    """A ping `north_m` metres north of HOME."""
    return PingIn(HOME[0] + north_m / 111_195, HOME[1], T0 + int(at_s * 1000), device, **more)


class House:
    """A street on a record, and short words for what the tests do with it."""

    def __init__(self, url: str) -> None:
        self.url = url
        with contextlib.closing(open_record(url)) as record:
            record.migrate()
        self.open()

    def open(self, clock: Clock | None = None) -> None:
        self.record: SqlRecord = open_record(self.url)
        self.street = Street(self.record, clock or PingClock())
        self.street.start()

    def die_and_return(self) -> None:
        """Lose everything that is not in the record."""
        self.street.stop()
        self.record.close()
        self.open()

    def close(self) -> None:
        self.street.stop()
        self.record.close()

    def edit(self, work: Callable[[Unit], Edited]) -> Any:
        return self.street.edit("p", work).result(30)

    def put(self, *fences: Geofence) -> None:
        def work(unit: Unit) -> Edited:
            unit.places.put_geofences("p", fences)
            return Edited(None, changed=fences)

        self.edit(work)

    def remove(self, uid: str) -> None:
        def work(unit: Unit) -> Edited:
            unit.places.delete_geofences("p", [uid])
            return Edited(None, removed=(uid,))

        self.edit(work)

    def post(self, *pings: PingIn, include: Sequence[str] = ()) -> Receipt:
        return self.street.post("p", list(enumerate(pings)), include=frozenset(include)).result(30)

    @property
    def told(self) -> list[tuple[str, str, float]]:
        """(kind, device, second) of every event, in reading order."""
        self.record.sequence()
        found = self.record.reading.page("events", "p", {}, None, 100_000)
        return [(e.kind.removeprefix("geofence."), e.device_id, (e.ts_ms - T0) / 1000) for e in found]

    @property
    def visits(self) -> list[Any]:
        return self.record.reading.page("visits", "p", {}, None, 100_000)


def opened(house: House) -> None:
    house.edit(lambda unit: Edited(unit.accounts.put_project(Project("p", "shop", BALANCED)), reload=True))
    house.put(fence(profile=BALANCED))
