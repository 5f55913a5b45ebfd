"""How many stores, rings and devices a campaign's trigger matches."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from geofence.backends.sql.schema.journal import visits
from geofence.backends.sql.schema.places import geofences, stores
from geofence.model.campaign import CampaignMatches, Trigger


def matches(
    connection: sa.Connection, project_id: str, trigger: Trigger, since_ms: int | None
) -> CampaignMatches:
    """Counts; devices are those with a visit at a matched ring that began since `since_ms`.

    Without `since_ms` no devices are counted, which keeps the query small.
    """
    found = _stores(connection.dialect.name, project_id, trigger)
    rings = (
        sa.select(geofences.c.uid)
        .join(found, geofences.c.store_id == found.c.external_id)
        .where(geofences.c.project_id == project_id, geofences.c.enabled)
    )
    if trigger.ring is not None:
        rings = rings.where(geofences.c.ring == trigger.ring)
    seen: sa.ScalarSelect[int] | sa.Null = sa.null()
    if since_ms is not None:
        there = visits.c.geofence_uid.in_(rings)
        recent = (visits.c.project_id == project_id, visits.c.arrival_ms >= since_ms)
        devices = sa.func.count(sa.distinct(visits.c.device_id))
        seen = sa.select(devices).where(*recent, there).scalar_subquery()
    row = connection.execute(
        sa.select(
            sa.select(sa.func.count()).select_from(found).scalar_subquery(),
            sa.select(sa.func.count()).select_from(rings.subquery()).scalar_subquery(),
            seen,
        )
    ).one()
    return CampaignMatches(row[0], row[1], row[2] or 0)


def _stores(dialect: str, project_id: str, trigger: Trigger) -> sa.Subquery:
    wanted, column = trigger.stores, stores.c
    found = sa.select(column.external_id).where(column.project_id == project_id)
    if wanted.brand is not None:
        found = found.where(column.brand == wanted.brand)
    spread = sa.func.jsonb_array_elements_text if dialect == "postgresql" else sa.func.json_each
    if wanted.tag is not None:
        held = spread(column.tags).table_valued("value")
        same = sa.select(sa.literal(1)).select_from(held).where(held.c.value == wanted.tag)
        found = found.where(sa.exists(same))
    if wanted.ids:
        # one parameter, since a database takes only so many of them
        text = msgspec.json.encode(wanted.ids).decode()
        given = sa.cast(text, _jsonb()) if dialect == "postgresql" else sa.literal(text)
        listed = spread(given).table_valued("value")
        found = found.where(column.external_id.in_(sa.select(listed.c.value)))
    return found.subquery()


def _jsonb() -> sa.types.TypeEngine[object]:
    from sqlalchemy.dialects.postgresql import JSONB

    return JSONB()
