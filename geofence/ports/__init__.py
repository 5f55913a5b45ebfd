"""What the street needs from outside: small protocols, at most eight methods each.

A `Unit` is one open transaction on the record; everything that changes goes through one. Reads that
change nothing (`Reading`) run on their own connections, from any thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from geofence.model.account import Device, Key, Project
from geofence.model.backlog import Backlog
from geofence.model.campaign import Campaign
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Decision, Redemption
from geofence.model.event import Event
from geofence.model.message import Attempt, OutboxMessage
from geofence.model.place import Geofence, Store
from geofence.model.presence import DeviceKey, DeviceState, Visit


@dataclass(slots=True)
class Changes:
    """What one unit of work adds to the record.

    `states` are devices whose presences or customer changed, or that are new: they are written.
    `hot` are devices of which only the watermark moved: remembered until the process ends, where
    the backend has a memory.
    """

    states: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    hot: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    visits: dict[str, tuple[str, Visit]] = field(
        default_factory=dict
    )  # visit_id -> (project_id, visit)


class Presences(Protocol):
    """Devices' hot state within a unit.

    Reading locks the devices, in sorted order, until the unit ends.
    """

    def read(self, keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        """The state of each device; unknown devices come as an empty `DeviceState`."""

    def at_geofences(self, uids: Sequence[str]) -> list[DeviceKey]:
        """Devices that have a presence at any of these geofences."""

    def due(self, now_ms: int, limit: int) -> list[DeviceKey]:
        """Devices with a presence whose timer is due, oldest first."""

    def visits_since(self, key: DeviceKey, geofence_uid: str, ts_ms: int) -> list[Visit]:
        """Visits of this device there that a ping of `ts_ms` could belong to, and later ones.

        Oldest first, at most 1,000.
        """

    def events_at(self, project_id: str, times_ms: Mapping[str, Sequence[int]]) -> list[Event]:
        """Events that each device's pings of exactly these times told; by time."""

    def visit_numbers(self, visit_ids: Sequence[str]) -> dict[str, int]:
        """By visit, the how-many-th it is of its device at its geofence.

        Those not written yet are left out.
        """

    def save(self, changes: Changes) -> None:
        """Write states, events and visits."""


class Places(Protocol):
    """Stores and geofences of a project within a unit.

    Writers bump the project's `index_version`.
    """

    def stores(self, project_id: str, external_ids: Collection[str]) -> dict[str, Store]:
        """Those that exist, by external id."""

    def put_stores(self, project_id: str, stores: Sequence[Store]) -> None:
        """Insert or replace the stores' own rows (not their geofences)."""

    def delete_store(self, project_id: str, external_id: str) -> None:
        """Remove the store's own row (not its geofences)."""

    def geofences(self, project_id: str, external_ids: Collection[str]) -> dict[str, Geofence]:
        """Those that exist, by external id."""

    def geofences_of_stores(
        self, project_id: str, store_ids: Collection[str]
    ) -> dict[str, list[Geofence]]:
        """Every geofence that names one of these stores, by store and there by external id.

        A store without any has no entry.
        """

    def put_geofences(self, project_id: str, geofences: Sequence[Geofence]) -> None:
        """Insert or replace by uid; `created_ms` stays.

        `RecordError` when a name or a uid is taken.
        """

    def delete_geofences(self, project_id: str, uids: Sequence[str]) -> None:
        """Remove; presences there are ended by the street in the same unit."""


class Accounts(Protocol):
    """Projects, keys and devices within a unit."""

    def put_project(self, project: Project) -> None:
        """Insert or replace."""

    def put_key(self, key: Key) -> None:
        """Insert or replace."""

    def device(self, project_id: str, device_id: str) -> Device | None:
        """The device of that id."""

    def put_device(self, project_id: str, device: Device) -> None:
        """Insert, or replace what an app may set; hot state stays."""

    def delete_device(self, project_id: str, device_id: str) -> None:
        """Erase the device with its presences, visits and events."""

    def remember_answer(
        self, project_id: str, key: str, fingerprint: str, status: int, body: bytes, now_ms: int
    ) -> None:
        """Keep the answer to an Idempotency-Key."""

    def answer(self, project_id: str, key: str, since_ms: int) -> tuple[str, int, bytes] | None:
        """(fingerprint, status, body) kept for that key since then."""


@dataclass(slots=True)
class NewDecisions:
    """What `decide` and `compose` add to a unit: decisions, their coupons and their messages."""

    decisions: list[Decision] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)


class Offers(Protocol):
    """What deciding needs to know of customers, and where decisions go.

    Reading customers locks them, sorted, after devices.
    """

    def customers(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Those that exist, by id; each is locked until the unit ends."""

    def devices_of(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, list[Device]]:
        """Each customer's devices that have a push token, the last seen first."""

    def sent(self, project_id: str, customer_ids: Iterable[str], since_ms: int) -> list[Decision]:
        """Decisions `send` and `holdout` of these customers since then (inclusive), oldest first, released ones left out.

        Released: a `send` whose messages all ended without any attempt.
        """

    def caused_by(
        self, project_id: str, event_ids: Iterable[str], now_ms: int
    ) -> list[tuple[str, OutboxMessage]]:
        """(event id, message) of every message not yet expired that these events led to, oldest first."""

    def save(self, new_decisions: NewDecisions) -> None:
        """Write decisions, coupons and messages."""


class Outbox(Protocol):
    """Messages on their way out."""

    def take(
        self, channel: str, now_ms: int, lease_ms: int, limit: int, *, wall_ms: int | None = None
    ) -> list[OutboxMessage]:
        """Lease messages of a channel that are due, oldest first: their attempt counts one up.

        Others skip them meanwhile.

        Leases run on the wall (`wall_ms`, `now_ms` without it), also where pings move the clock: a
        provider takes real time.
        """

    def look_again(self, messages: Sequence[OutboxMessage]) -> dict[str, str]:
        """By message id, why it must not go out after all.

        `consent_withdrawn`, `suppressed`, `left`, `no_address`.
        """

    def finish(self, outcomes: Sequence[tuple[OutboxMessage, Attempt | None]]) -> int:
        """Write each message as it is now, with its attempt.

        Only where its attempt number is still the newest. How many.
        """

    def drop_addresses(self, channel: str, dead: Sequence[tuple[str, str]]) -> None:
        """Forget dead push tokens, (project, token), wherever they are registered.

        It locks those devices: call it first.
        """

    def suppress(
        self, project_id: str, channel: str, address: str, reason: str, now_ms: int
    ) -> None:
        """Never again write to this address; it is kept as a digest."""

    def pause(self, channel: str, reason: str, now_ms: int) -> None:
        """Hold a channel's queue, with the reason; an empty reason opens it again."""

    def paused(self) -> dict[str, str]:
        """Paused channels with their reasons."""


class Commerce(Protocol):
    """Customers, campaigns and coupons within a unit."""

    def customer(self, project_id: str, customer_id: str) -> Customer | None:
        """The customer of that id."""

    def put_customer(self, project_id: str, customer: Customer) -> None:
        """Insert or replace; `created_ms` stays."""

    def delete_customer(self, project_id: str, customer_id: str) -> None:
        """Erase the customer with decisions and unsent messages.

        Codes stay as spent numbers without a person.
        """

    def campaign(self, project_id: str, campaign_id: str) -> Campaign | None:
        """The campaign of that id."""

    def put_campaign(self, project_id: str, campaign: Campaign) -> None:
        """Insert or replace, keep its plan as a version, and bump the project's `index_version`.

        A plan may ask for dwell.
        """

    def delete_campaign(self, project_id: str, campaign_id: str) -> None:
        """Remove it; its decisions, messages and coupons stay."""

    def coupon(self, project_id: str, code: str) -> Coupon | None:
        """The coupon with that code, its row locked until the unit ends."""

    def redeem(self, coupon: Coupon, redemption: Redemption | None) -> bool:
        """Write the coupon as it is now, and its redemption.

        False when the database says a single-use code was used already.
        """


class Unit(Protocol):
    """One open transaction."""

    @property
    def presences(self) -> Presences:
        """Devices and what happened to them."""

    @property
    def places(self) -> Places:
        """Stores and geofences."""

    @property
    def accounts(self) -> Accounts:
        """Projects, keys, devices."""

    @property
    def offers(self) -> Offers:
        """What deciding reads, and decisions."""

    @property
    def outbox(self) -> Outbox:
        """Messages on their way."""

    @property
    def commerce(self) -> Commerce:
        """Customers, campaigns, coupons."""

    def index_version(self, project_id: str) -> int:
        """The project's index version as this transaction sees it."""

    def edit(self, project_id: str) -> None:
        """Let nobody else edit this project's places or campaigns until this unit ends.

        Before what the edit rests on is read.
        """

    def hold(self, project_ids: Iterable[str]) -> None:
        """Let no edit of these projects' places or campaigns be committed until this unit ends.

        Before any device is read.
        """

    def commit(self) -> None:
        """Make it durable, or raise `RecordError` with nothing stored."""

    def rollback(self) -> None:
        """Forget it."""


class Queries(Protocol):
    """Reads of the record that change nothing.

    Each call is one short transaction, from any thread.
    """

    def project(self, project_id: str) -> Project | None:
        """The project of that id."""

    def projects(self) -> list[Project]:
        """All projects, oldest first."""

    def key_of(self, digest: str) -> Key | None:
        """The key with that SHA-256, revoked or not."""

    def keys(self, project_id: str) -> list[Key]:
        """All keys of a project, oldest first."""

    def geofences(self, project_id: str) -> list[Geofence]:
        """All geofences of a project, by uid."""

    def page(
        self, noun: str, project_id: str | None, filters: Mapping[str, Any], after: Any, limit: int
    ) -> list[Any]:
        """A page of a noun after a sort key.

        Nouns, filters and keys as in `backends/sql/listing.py`.

        `project_id` None asks every tenant: only for what is known by an id that nobody can guess.
        """

    def newest_seq(self, project_id: str) -> int:
        """The highest `stream_seq` given so far, 0 without events."""

    def backlogs(self) -> list[Backlog]:
        """What waits in the outbox and which channels are paused, by channel."""

    def health(self) -> Mapping[str, Any]:
        """What readiness wants to know; raises `RecordError` when the record does not answer."""


class Database(Protocol):
    """The record: a database that outlives us."""

    queries: Queries

    def begin(self) -> Unit:
        """Open a unit. On SQLite only the writer thread may, one at a time."""

    def sequence(self) -> int:
        """Give `stream_seq` to committed events that have none; how many.

        Does nothing where commits are in order.
        """

    def migrate(self) -> None:
        """Bring the schema to this version's.

        Raises `RecordError` when it is newer than the code.
        """

    def close(self) -> None:
        """Release connections and locks."""
