"""Reads that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from geofence.model.account import Device, Key, Project
from geofence.model.backlog import Backlog
from geofence.model.campaign import Campaign, CampaignMatches, Trigger
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Decision
from geofence.model.event import Event
from geofence.model.message import Attempt, OutboxMessage
from geofence.model.place import Geofence, Store
from geofence.model.presence import Visit
from geofence.model.traffic import Traffic
from geofence.ports import listing
from geofence.ports.listing import Listing


class Queries(Protocol):
    """Reads of the record that change nothing, and one list per noun.

    Each call is one short transaction, from any thread.
    """

    stores: Listing[Store, listing.StoreFilter]
    geofences: Listing[Geofence, listing.GeofenceFilter]
    devices: Listing[Device, listing.DeviceFilter]
    keys: Listing[Key, listing.KeyFilter]
    events: Listing[Event, listing.EventFilter]
    visits: Listing[Visit, listing.VisitFilter]
    customers: Listing[Customer, listing.CustomerFilter]
    campaigns: Listing[Campaign, listing.CampaignFilter]
    decisions: Listing[Decision, listing.DecisionFilter]
    messages: Listing[OutboxMessage, listing.MessageFilter]
    attempts: Listing[Attempt, listing.AttemptFilter]
    coupons: Listing[Coupon, listing.CouponFilter]
    traffic: Listing[Traffic, listing.TrafficFilter]

    def project(self, project_id: str) -> Project | None:
        """The project of that id."""

    def projects(self) -> list[Project]:
        """All projects, oldest first."""

    def key_of(self, digest: str) -> Key | None:
        """The key with that SHA-256, revoked or not."""

    def geofences_by_uid(self, project_id: str) -> list[Geofence]:
        """All geofences of a project, by uid."""

    def campaign_matches(self, project_id: str, trigger: Trigger, since_ms: int) -> CampaignMatches:
        """How many stores and rings a trigger matches, and devices that came there since then."""

    def newest_seq(self, project_id: str) -> int:
        """The highest `stream_seq` given so far, 0 without events."""

    def backlogs(self) -> list[Backlog]:
        """What waits in the outbox and which channels are paused, by channel."""

    def health(self) -> Mapping[str, Any]:
        """Facts for readiness.

        Raises:
            RecordError: The record does not answer.
        """
