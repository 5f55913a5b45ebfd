"""Visits that go on: the row knows how they began, the presence how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from geofence.backends.sql.rows import from_row
from geofence.backends.sql.schema.devices import presences
from geofence.backends.sql.schema.journal import visits
from geofence.model.presence import Presence, Visit

STATE = "state"

_decode = msgspec.msgpack.Decoder(Presence).decode


def with_presences(found: sa.Select[Any]) -> sa.Select[Any]:
    """The select of visits, and beside each that has not ended its presence as `STATE`.

    One statement, so one moment for both.
    """
    same = (
        visits.c.departure_ms.is_(None),
        presences.c.project_id == visits.c.project_id,
        presences.c.device_id == visits.c.device_id,
        presences.c.geofence_uid == visits.c.geofence_uid,
    )
    return found.add_columns(presences.c.state.label(STATE)).outerjoin_from(
        visits, presences, sa.and_(*same)
    )


def read(row: Mapping[Any, Any]) -> Visit:
    """The visit of a row of `with_presences`, as it stands."""
    return as_it_stands(from_row(Visit, row), row[STATE])


def as_it_stands(visit: Visit, state: bytes | None) -> Visit:
    """The visit with what its presence knows better.

    As it is without one, or when that belongs to another visit.
    """
    presence = None if state is None else _decode(state)
    if presence is None or not presence.inside or presence.visit_id != visit.visit_id:
        return visit
    return replace(
        visit,
        arrival_ms=presence.arrival_ms,
        last_inside_ms=presence.last_inside_ms,
        points=presence.points,
        best_probability=presence.best_probability,
        amended=presence.amended,
    )
