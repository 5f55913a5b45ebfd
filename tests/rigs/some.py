"""Sample nouns for the record's contract.

Each function makes one, with what a test cares about replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from geofence.backends.sql.database import SqlDatabase
from geofence.model.account import Device, Key, Project
from geofence.model.event import Event
from geofence.model.place import Geofence, Profile, Ring, Store
from geofence.model.presence import Visit

START_MS = 1_790_000_000_000


def project(id: str = "p1", **given: Any) -> Project:  # noqa: A002 - the field is called id
    facts: dict[str, Any] = {"id": id, "name": f"Project {id}", "created_ms": START_MS}
    return Project(**facts | given)


def key(id: str = "key_1", **given: Any) -> Key:  # noqa: A002 - the field is called id
    facts: dict[str, Any] = {
        "id": id,
        "project_id": "p1",
        "kind": "sk",
        "scopes": ("ingest", "read"),
        "digest": f"digest of {id}",
        "tail": "abcd",
    }
    return Key(**facts | {"created_ms": START_MS} | given)


def store(external_id: str = "s1", **given: Any) -> Store:
    facts: dict[str, Any] = {
        "external_id": external_id,
        "name": "Marktplatz",
        "lat": 48.137154,
        "lon": 11.576124,
        "created_ms": START_MS,
    }
    return Store(**facts | {"updated_ms": START_MS} | given)


def full_store() -> Store:
    return store(
        brand="kaffee",
        address="Marktplatz 1, Ünterstadt ☕",
        time_zone="Europe/Berlin",
        opening_hours="Mo-Fr 08:00-18:00",
        tags=("flagship", "drive-in"),
        metadata={"floor": 2, "rent": 1.25, "open": True, "nested": {"list": [1, None, "x"]}},
        rings=(
            Ring("near", 150.0),
            Ring("far", 1200.5, Profile(name="strict", confirm_s=60, dwell_s=(60, 300))),
        ),
    )


def geofence(uid: str = "gf_1", **given: Any) -> Geofence:
    circle = {"type": "circle", "lat": 48.137154, "lon": 11.576124, "radius_m": 150.0}
    facts: dict[str, Any] = {
        "uid": uid,
        "external_id": f"fence {uid}",
        "region": circle,
        "created_ms": START_MS,
        "updated_ms": START_MS,
    }
    return Geofence(**facts | given)


def full_geofence() -> Geofence:
    return geofence(
        region={
            "type": "Polygon",
            "coordinates": [[[11.5, 48.1], [11.6, 48.1], [11.6, 48.2], [11.5, 48.1]]],
        },
        store_id="s1",
        ring="near",
        name="Marktplatz, near",
        tags=("a", "b"),
        metadata={"k": [1, {"deep": None}]},
        profile=Profile(name="exact", dwell_s=(60,)),
        active_from_ms=START_MS - 1,
        active_until_ms=START_MS + 1,
        enabled=False,
    )


def device(device_id: str = "d1", **given: Any) -> Device:
    facts: dict[str, Any] = {"device_id": device_id, "created_ms": START_MS}
    return Device(**facts | given)


def event(number: int = 1, **given: Any) -> Event:
    facts: dict[str, Any] = {
        "id": f"evt_{number:06}",
        "kind": "geofence.entered",
        "project_id": "p1",
        "device_id": "d1",
        "ts_ms": START_MS + number,
    }
    more = {
        "recorded_ms": START_MS + number,
        "geofence_uid": "gf_1",
        "geofence_id": "fence",
        "visit_id": f"vis_{number:06}",
    }
    return Event(**facts | more | {"profile": "balanced"} | given)


def visit(number: int = 1, **given: Any) -> Visit:
    facts: dict[str, Any] = {
        "visit_id": f"vis_{number:06}",
        "device_id": "d1",
        "geofence_uid": "gf_1",
        "geofence_id": "fence",
    }
    return Visit(
        **facts | {"arrival_ms": START_MS + number, "last_inside_ms": START_MS + number} | given
    )


def add_project(database: SqlDatabase, *projects: Project) -> None:
    with database.begin() as unit:
        for one in projects or (project(),):
            unit.accounts.put_project(one)
        unit.commit()


def add_stores(database: SqlDatabase, *stores: Store, project_id: str = "p1") -> None:
    with database.begin() as unit:
        unit.places.put_stores(project_id, stores)
        unit.commit()


def add_geofences(database: SqlDatabase, *geofences: Geofence, project_id: str = "p1") -> None:
    with database.begin() as unit:
        unit.places.put_geofences(project_id, geofences)
        unit.commit()


def add_events(database: SqlDatabase, *events: Event) -> None:
    """Committed and numbered."""
    with database.begin() as unit:
        unit.journal.save(events, {})
        unit.commit()
    database.sequence()


def add_visits(database: SqlDatabase, visits: Iterable[Visit], project_id: str = "p1") -> None:
    with database.begin() as unit:
        unit.journal.save([], {one.visit_id: (project_id, one) for one in visits})
        unit.commit()
