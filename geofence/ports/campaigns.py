"""Campaigns and their versions."""

from __future__ import annotations

from typing import Protocol

from geofence.model.campaign import Campaign, CampaignMatches, Trigger


class Campaigns(Protocol):
    """Campaigns of a project within a unit.

    Writers bump the project's `index_version`: a plan may ask for dwell.
    """

    def get(self, project_id: str, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""

    def put(self, project_id: str, campaign: Campaign) -> None:
        """Insert or replace, and keep its plan as a version."""

    def delete(self, project_id: str, campaign_id: str) -> None:
        """Remove it; its decisions, messages and coupons stay."""

    def matches(self, project_id: str, trigger: Trigger) -> CampaignMatches:
        """How many stores and rings a trigger matches. Devices are not counted."""
