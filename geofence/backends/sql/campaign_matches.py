"""How many stores, rings and devices a campaign's trigger matches."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

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
    rings = _rings(found, project_id, trigger)
    counts = [sa.select(sa.func.count()).select_from(one.subquery()) for one in (found, rings)]
    if since_ms is not None:
        counts.append(_devices(rings, project_id, since_ms))
    row = connection.execute(sa.select(*(one.scalar_subquery() for one in counts))).one()
    return CampaignMatches(row[0], row[1], row[2] if since_ms is not None else 0)


def _rings(found: sa.Select[str], project_id: str, trigger: Trigger) -> sa.Select[str]:
    store = found.subquery()
    rings = (
        sa.select(geofences.c.uid)
        .join(store, geofences.c.store_id == store.c.external_id)
        .where(geofences.c.project_id == project_id, geofences.c.enabled)
    )
    return rings if trigger.ring is None else rings.where(geofences.c.ring == trigger.ring)


def _devices(rings: sa.Select[str], project_id: str, since_ms: int) -> sa.Select[int]:
    there = visits.c.geofence_uid.in_(rings)
    recent = (visits.c.project_id == project_id, visits.c.arrival_ms >= since_ms)
    return sa.select(sa.func.count(sa.distinct(visits.c.device_id))).where(*recent, there)


def _stores(dialect: str, project_id: str, trigger: Trigger) -> sa.Select[str]:
    wanted, column = trigger.stores, stores.c
    found = sa.select(column.external_id).where(column.project_id == project_id)
    if wanted.brand is not None:
        found = found.where(column.brand == wanted.brand)
    if wanted.tag is not None:
        held = _spread(dialect, column.tags)
        same = sa.select(sa.literal(1)).select_from(held).where(held.c.value == wanted.tag)
        found = found.where(sa.exists(same))
    if wanted.ids:
        # one parameter, since a database takes only so many of them
        text = sa.literal(msgspec.json.encode(wanted.ids).decode())
        listed = _spread(dialect, sa.cast(text, JSONB) if dialect == "postgresql" else text)
        found = found.where(column.external_id.in_(sa.select(listed.c.value)))
    return found


def _spread(dialect: str, array: sa.ColumnElement[Any]) -> sa.TableValuedAlias:
    """The elements of a JSON array of texts, as the column `value`."""
    spread = sa.func.jsonb_array_elements_text if dialect == "postgresql" else sa.func.json_each
    return spread(array).table_valued("value")
