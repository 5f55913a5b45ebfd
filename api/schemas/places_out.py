"""What the control plane gives: answers written from the model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from api.http.fields import moment_text
from api.schemas.places import REGION_SCHEMA
from api.wire.native import EventOut, Moment, VisitOut, WatchOut
from geofence.importing.report import Found
from geofence.model.account import Device, Key, Project, Scope
from geofence.model.place import Geofence, Profile, Ring, Store

RegionOut = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=REGION_SCHEMA)]


class StoreOut(msgspec.Struct, frozen=True):
    """A store."""

    external_id: str
    name: str
    lat: float
    lon: float
    brand: str | None
    address: str | None
    time_zone: str | None
    opening_hours: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    rings: tuple[Ring, ...]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, store: Store) -> StoreOut:
        """The store as clients see it."""
        same = {
            name: getattr(store, name)
            for name in store.__struct_fields__
            if not name.endswith("_ms")
        }
        return cls(
            **same,
            created_at=moment_text(store.created_ms),
            updated_at=moment_text(store.updated_ms),
        )


class GeofenceOut(msgspec.Struct, frozen=True):
    """A geofence; `profile` null means the project's."""

    external_id: str
    region: RegionOut
    store: str | None
    ring: str | None
    name: str | None
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    profile: Profile | None
    active_from: Moment | None
    active_until: Moment | None
    enabled: bool
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, geofence: Geofence) -> GeofenceOut:
        """The geofence as clients see it."""
        since, until = geofence.active_from_ms, geofence.active_until_ms
        return cls(
            external_id=geofence.external_id,
            region=geofence.region,
            store=geofence.store_id,
            ring=geofence.ring,
            name=geofence.name,
            tags=geofence.tags,
            metadata=geofence.metadata,
            profile=geofence.profile,
            active_from=None if since is None else moment_text(since),
            active_until=None if until is None else moment_text(until),
            enabled=geofence.enabled,
            created_at=moment_text(geofence.created_ms),
            updated_at=moment_text(geofence.updated_ms),
        )


class DeviceOut(msgspec.Struct, frozen=True):
    """A device; whether it has a push token, not which."""

    id: str
    platform: str | None
    has_push_token: bool
    customer_id: str | None
    locale: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    created_at: Moment
    seen_at: Moment | None

    @classmethod
    def of(cls, device: Device) -> DeviceOut:
        """The device as clients see it."""
        return cls(
            id=device.device_id,
            platform=device.platform,
            has_push_token=device.push_token is not None,
            customer_id=device.customer_id,
            locale=device.locale,
            time_zone=device.time_zone,
            attributes=device.attributes,
            created_at=moment_text(device.created_ms),
            seen_at=None if device.seen_ms is None else moment_text(device.seen_ms),
        )


class ErasedOut(msgspec.Struct, frozen=True):
    """The receipt of an erasure."""

    result: Literal["erased"]
    receipt: str
    erased_at: Moment


class KeyOut(msgspec.Struct, frozen=True):
    """A key as it is remembered: never the secret, only its last four characters."""

    id: str
    kind: Literal["pk", "sk"]
    scopes: tuple[Scope, ...]
    name: str
    tail: str
    created_at: Moment
    revoked_at: Moment | None

    @classmethod
    def of(cls, key: Key) -> KeyOut:
        """The key as clients see it."""
        revoked_at = None if key.revoked_ms is None else moment_text(key.revoked_ms)
        return cls(
            key.id,
            key.kind,
            key.scopes,
            key.name,
            key.tail,
            moment_text(key.created_ms),
            revoked_at,
        )


class NewKeyOut(msgspec.Struct, frozen=True):
    """A key just made; `secret` is shown this once."""

    key: KeyOut
    secret: str


class ProjectOut(msgspec.Struct, frozen=True):
    """The project a key belongs to."""

    id: str
    name: str
    profile: Profile
    created_at: Moment

    @classmethod
    def of(cls, project: Project) -> ProjectOut:
        """The project as clients see it."""
        return cls(project.id, project.name, project.profile, moment_text(project.created_ms))


class StorePage(msgspec.Struct, frozen=True):
    """A page of stores."""

    data: tuple[StoreOut, ...]
    next_cursor: str | None


class GeofencePage(msgspec.Struct, frozen=True):
    """A page of geofences."""

    data: tuple[GeofenceOut, ...]
    next_cursor: str | None


class NearPage(msgspec.Struct, frozen=True):
    """Geofences by distance, nearest first."""

    data: tuple[WatchOut, ...]
    next_cursor: None = None


class EventPage(msgspec.Struct, frozen=True):
    """A page of events, in the order in which they became visible."""

    data: tuple[EventOut, ...]
    next_cursor: str | None


class VisitPage(msgspec.Struct, frozen=True):
    """A page of visits, by arrival."""

    data: tuple[VisitOut, ...]
    next_cursor: str | None


class LintPage(msgspec.Struct, frozen=True):
    """Findings of the linter.

    `total` and `counts` (by code, whatever `code` was asked for) count every finding.

    `data` tells the first 1,000 of each code; one without geofences and with a `value` then says
    how many more there are.
    """

    data: tuple[Found, ...]
    total: int
    counts: dict[str, int]
    next_cursor: str | None


class KeyPage(msgspec.Struct, frozen=True):
    """All keys of the project."""

    data: tuple[KeyOut, ...]
    next_cursor: None = None
