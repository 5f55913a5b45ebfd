"""Reads of the record that change nothing; each is one short transaction on a pooled connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import backlog, campaign_matches, open_visits
from geofence.backends.sql import engine as engines
from geofence.backends.sql.listing import Select, SqlListing
from geofence.backends.sql.rows import columns, from_row
from geofence.backends.sql.schema import campaigns, coupons, customers, decisions, outbox
from geofence.backends.sql.schema.accounts import keys, projects
from geofence.backends.sql.schema.devices import devices
from geofence.backends.sql.schema.journal import events, visits
from geofence.backends.sql.schema.places import geofences, stores
from geofence.backends.sql.traffic import SqlTraffic
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
from geofence.ports import listing as ports
from geofence.ports.listing import Listing

T = TypeVar("T", bound=msgspec.Struct)

_BY_NAME = {"id": "external_id"}


class SqlQueries:
    """Implements `ports.queries.Queries`; safe from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._list_places_and_accounts()
        self._list_journal()
        self._list_offers()

    def _list_places_and_accounts(self) -> None:
        engine = self._engine
        self.stores: Listing[Store, ports.StoreFilter] = SqlListing(
            engine, stores, Store, ("external_id",), names=_BY_NAME
        )
        self.geofences: Listing[Geofence, ports.GeofenceFilter] = SqlListing(
            engine, geofences, Geofence, ("external_id",), names=_BY_NAME
        )
        self.devices: Listing[Device, ports.DeviceFilter] = SqlListing(
            engine, devices, Device, ("device_id",), names={"id": "device_id"}
        )
        self.keys: Listing[Key, ports.KeyFilter] = SqlListing(
            engine, keys, Key, ("created_ms", "id")
        )

    def _list_journal(self) -> None:
        self.events: Listing[Event, ports.EventFilter] = SqlListing(
            self._engine, events, Event, ("stream_seq",), time="ts_ms", widen=_with_visit_number
        )
        self.visits: Listing[Visit, ports.VisitFilter] = SqlListing(
            self._engine,
            visits,
            Visit,
            ("arrival_ms", "visit_id"),
            names={"id": "visit_id"},
            time="arrival_ms",
            widen=open_visits.with_presences,
            read=open_visits.read,
        )
        self.traffic: Listing[Traffic, ports.TrafficFilter] = SqlTraffic(self._engine)

    def _list_offers(self) -> None:
        engine = self._engine
        self.customers: Listing[Customer, ports.CustomerFilter] = SqlListing(
            engine, customers.customers, Customer, ("customer_id",), names={"id": "customer_id"}
        )
        self.campaigns: Listing[Campaign, ports.CampaignFilter] = SqlListing(
            engine, campaigns.campaigns, Campaign, ("id",)
        )
        self.decisions: Listing[Decision, ports.DecisionFilter] = SqlListing(
            engine, decisions.decisions, Decision, ("at_ms", "id"), time="at_ms"
        )
        self.messages: Listing[OutboxMessage, ports.MessageFilter] = SqlListing(
            engine, outbox.messages, OutboxMessage, ("created_ms", "id"), time="created_ms"
        )
        self.attempts: Listing[Attempt, ports.AttemptFilter] = SqlListing(
            engine, outbox.attempts, Attempt, ("message_id", "attempt")
        )
        self.coupons: Listing[Coupon, ports.CouponFilter] = SqlListing(
            engine,
            coupons.coupons,
            Coupon,
            ("issued_ms", "code"),
            names={"id": "code"},
            time="issued_ms",
        )

    def project(self, project_id: str) -> Project | None:
        """The project of that id."""
        query = sa.select(*columns(projects, Project)).where(projects.c.id == project_id)
        return self._first(Project, query)

    def projects(self) -> list[Project]:
        """All projects, oldest first."""
        query = sa.select(*columns(projects, Project))
        return self._all(Project, query.order_by(projects.c.created_ms, projects.c.id))

    def key_of(self, digest: str) -> Key | None:
        """The key with that SHA-256, revoked or not."""
        return self._first(Key, sa.select(*columns(keys, Key)).where(keys.c.digest == digest))

    def geofences_by_uid(self, project_id: str) -> list[Geofence]:
        """All geofences of a project, by uid."""
        query = sa.select(*columns(geofences, Geofence)).where(geofences.c.project_id == project_id)
        return self._all(Geofence, query.order_by(geofences.c.uid))

    def campaign_matches(self, project_id: str, trigger: Trigger, since_ms: int) -> CampaignMatches:
        """How many stores and rings a trigger matches, and devices that came there since then."""
        with engines.connect(self._engine) as connection:
            return campaign_matches.matches(connection, project_id, trigger, since_ms)

    def newest_seq(self, project_id: str) -> int:
        """The highest `stream_seq` given so far, 0 without events."""
        newest = sa.select(sa.func.max(events.c.stream_seq)).where(
            events.c.project_id == project_id
        )
        with engines.connect(self._engine) as connection:
            return connection.execute(newest).scalar() or 0

    def health(self) -> Mapping[str, Any]:
        """`database`, its `schema` revision and `unnumbered` events.

        Raises `RecordError` when the record does not answer.
        """
        with engines.connect(self._engine) as connection:
            return {
                "database": connection.dialect.name,
                "schema": connection.exec_driver_sql(
                    "SELECT version_num FROM alembic_version"
                ).scalar(),
                "unnumbered": connection.execute(
                    sa.select(sa.func.count()).where(events.c.stream_seq.is_(None))
                ).scalar(),
            }

    def backlogs(self) -> list[Backlog]:
        """What waits in the outbox and which channels are paused, by channel."""
        with engines.connect(self._engine) as connection:
            return backlog.backlogs(connection)

    def _all(self, kind: type[T], query: sa.Select[Any]) -> list[T]:
        with engines.connect(self._engine) as connection:
            return [from_row(kind, row) for row in connection.execute(query).mappings()]

    def _first(self, kind: type[T], query: sa.Select[Any]) -> T | None:
        found = self._all(kind, query.limit(1))
        return found[0] if found else None


def _with_visit_number(found: Select) -> Select:
    """The ordinal of an event's visit is a column of the visit alone."""
    return found.add_columns(visits.c.visit).outerjoin(
        visits, visits.c.visit_id == events.c.visit_id
    )
