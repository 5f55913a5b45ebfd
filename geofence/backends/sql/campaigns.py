"""Campaigns and their versions within a unit."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import campaign_matches, locks
from geofence.backends.sql.rows import columns, from_row, to_row, upsert
from geofence.backends.sql.schema.campaigns import campaign_versions, campaigns
from geofence.errors import Conflict
from geofence.model.campaign import Campaign, CampaignMatches, Plan, Trigger


class SqlCampaigns:
    """Implements `ports.campaigns.Campaigns`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, project_id: str, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""
        query = sa.select(*columns(campaigns, Campaign)).where(
            campaigns.c.project_id == project_id, campaigns.c.id == campaign_id
        )
        row = self._connection.execute(query).mappings().first()
        return from_row(Campaign, row) if row else None

    def put(self, project_id: str, campaign: Campaign) -> None:
        """Insert or replace, keep its plan as a version, and bump the project's `index_version`.

        `created_ms` stays.

        Raises:
            Conflict: This version exists with another plan: another unit changed it meanwhile.
        """
        # first: units that write one project's campaigns wait here for each other
        locks.bump(self._connection, project_id)
        upsert(self._connection, campaigns, [to_row(campaigns, campaign, project_id=project_id)])
        version = to_row(campaign_versions, campaign, project_id=project_id)
        upsert(self._connection, campaign_versions, [version], keep=("plan",))
        v = campaign_versions.c
        kept = sa.select(v.plan).where(
            v.project_id == project_id, v.id == campaign.id, v.version == campaign.version
        )
        if msgspec.convert(self._connection.execute(kept).scalar_one(), Plan) != campaign.plan:
            raise Conflict("This campaign was changed meanwhile; read it and change it again.")

    def delete(self, project_id: str, campaign_id: str) -> None:
        """Remove it with its versions, and bump `index_version`.

        Its decisions, messages and coupons stay.
        """
        locks.bump(self._connection, project_id)
        for table in (campaigns, campaign_versions):
            self._connection.execute(
                sa.delete(table).where(table.c.project_id == project_id, table.c.id == campaign_id)
            )

    def matches(self, project_id: str, trigger: Trigger) -> CampaignMatches:
        """How many stores and rings a trigger matches. Devices are not counted."""
        return campaign_matches.matches(self._connection, project_id, trigger, None)
