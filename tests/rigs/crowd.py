"""A crowd of seeded walkers around a few fences.

The module also says what must have happened when every ping was posted once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from geofence.backends.sql.database import open_database
from geofence.clock import make_clock
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit

PLACE = (52.0, 4.0)
METRES_PER_DEGREE = 111_195.0
STEP_MS = 5_000

Fact = tuple[str, str, str, int]


def fences() -> dict[str, dict[str, Any]]:
    """Nine geofences by name, as PUT takes them.

    Small and wide, exact and balanced, some overlapping.
    """
    made: dict[str, dict[str, Any]] = {}
    for number in range(9):
        profile = ("exact", "balanced")[number % 2]
        north, east = divmod(number, 3)
        region = {
            "type": "circle",
            "lat": PLACE[0] + 0.003 * north,
            "lon": PLACE[1] + 0.005 * east,
            "radius_m": 120 + 40 * (number % 4),
        }
        made[f"fence-{number}"] = {
            "region": region,
            "profile": {"name": profile, "cool_down_s": 60},
        }
    return made


def walk(device: str, steps: int, start_ms: int) -> Iterator[dict[str, Any]]:
    """A random walk among the fences, one ping every 5 s, the same for the same device."""
    dice = random.Random(device)
    lat, lon = PLACE[0] + dice.uniform(0, 0.006), PLACE[1] + dice.uniform(0, 0.01)
    for step in range(steps):
        lat += dice.gauss(0, 40) / METRES_PER_DEGREE
        lon += dice.gauss(0, 40) / METRES_PER_DEGREE
        lat += (PLACE[0] + 0.003 - lat) * 0.03
        lon += (PLACE[1] + 0.005 - lon) * 0.03
        yield {
            "device_id": device,
            "ts": start_ms + step * STEP_MS,
            "lat": lat,
            "lon": lon,
            "accuracy_m": dice.choice([5, 15, 40, 120, None]),
        }


def batches(lane: int, devices: int, steps: int, size: int, start_ms: int) -> list[bytes]:
    """The request bodies of one poster.

    `devices` walkers of its own, `size` pings to a body, in time order.
    """
    walks = [list(walk(f"lane{lane}-{number}", steps, start_ms)) for number in range(devices)]
    pings = [walks[number][step] for step in range(steps) for number in range(devices)]
    return [
        msgspec.json.encode(pings[start : start + size]) for start in range(0, len(pings), size)
    ]


def put_fences(client: httpx.Client) -> None:
    """Create the geofences."""
    for name, body in fences().items():
        answer = client.put(f"/v1/geofences/{name}", json=body)
        assert answer.status_code in (200, 201), answer.text


def expected(bodies: list[list[bytes]], directory: Path) -> set[Fact]:
    """(kind, device, geofence, ts) of every event that these bodies cause when posted once.

    The street that handles them is never killed.
    """
    database = open_database(f"sqlite:///{directory}/undisturbed.db")
    database.migrate()
    street = Writer(database, make_clock("system"))
    street.start()

    def settle(unit: Any) -> EditResult:
        unit.accounts.put_project(Project("p", "crowd"))
        made = [
            Geofence(f"gf_{name}", name, body["region"], profile=Profile(**body["profile"]))
            for name, body in fences().items()
        ]
        unit.places.put_geofences("p", made)
        return EditResult(None, changed=tuple(made), reload=True)

    run_edit(street, "p", settle).result(30)
    for lane in bodies:
        for body in lane:
            items = list(enumerate(msgspec.json.decode(body, type=list[PingIn])))
            street.submit_pings("p", items).result(30)
    street.stop()
    found = database.queries.events.page("p", None, None, 10_000_000)
    database.close()
    return {(event.kind, event.device_id, event.geofence_id, event.ts_ms) for event in found}
