"""How geofences are used: a list that is counted from visits instead of read from a table."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from geofence.backends.sql import engine as engines
from geofence.backends.sql.rows import from_row
from geofence.backends.sql.schema.journal import visits
from geofence.errors import InputError
from geofence.model.traffic import Traffic
from geofence.ports.listing import Key, TrafficFilter


class SqlTraffic:
    """Implements `ports.listing.Listing`; its sort key is the geofence's id."""

    noun = "traffic"

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def page(
        self, project_id: str | None, filters: TrafficFilter | None, after: Key | None, limit: int
    ) -> list[Traffic]:
        """Up to `limit` geofences after `after`.

        Raises:
            InputError: A project or the filters are missing, or `after` is no geofence's id.
        """
        if project_id is None or filters is None or not (after is None or self.is_key(after)):
            raise InputError("The cursor is not one of this list.", code="invalid_cursor")
        query = _counted(project_id, filters)
        query = query if after is None else query.where(visits.c.geofence_id > after)
        with engines.connect(self._engine) as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        return [from_row(Traffic, row) for row in rows]

    def key(self, item: Traffic) -> Key:
        """The geofence's id."""
        return item.geofence_id

    def is_key(self, key: Key) -> bool:
        """Whether this can be a geofence's id."""
        return isinstance(key, str)


def _counted(project_id: str, asked: TrafficFilter) -> sa.Select[Any]:
    v, count = visits.c, sa.func.count()
    short = sa.case((v.departure_ms - v.arrival_ms < asked.shorter_ms, 1), else_=0)
    found = sa.select(v.geofence_id, count.label("visits"), sa.func.sum(short).label("short"))
    found = found.where(
        v.project_id == project_id,
        v.arrival_ms >= asked.since_ms,
        v.departure_ms.is_not(None),
        v.inferred.is_(False),
    )
    return found.group_by(v.geofence_id).having(count >= asked.at_least).order_by(v.geofence_id)
