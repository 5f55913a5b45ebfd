"""Stores, their rings, and geofences: regions with a purpose."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

ProfileName = Literal["exact", "balanced", "strict"]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How evidence becomes presence at one geofence.

    None means the rule of `docs/explanation/detection.md`.

    Distances in metres, times in seconds.
    """

    name: ProfileName = "balanced"
    max_accuracy_m: float | None = None
    exit_margin_m: float | None = None
    confirm_s: int | None = None
    cool_down_s: int | None = None
    presence_timeout_s: int | None = None
    dwell_s: tuple[int, ...] = ()


class Ring(msgspec.Struct, frozen=True):
    """A circle around its store; becomes one geofence named `<store>/<ring>`."""

    name: str
    radius_m: float
    profile: Profile | None = None


class Store(msgspec.Struct, frozen=True):
    """A physical location of a retailer. Times are epoch ms UTC."""

    external_id: str
    name: str
    lat: float
    lon: float
    brand: str | None = None
    address: str | None = None
    time_zone: str | None = None
    opening_hours: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    rings: tuple[Ring, ...] = ()
    created_ms: int = 0
    updated_ms: int = 0


class Geofence(msgspec.Struct, frozen=True):
    """A region with a purpose.

    `uid` is ours and new at each creation; `external_id` is the retailer's.

    `region` is the plain form of the API: a circle `{"type": "circle", "lat", "lon", "radius_m"}`
    or a GeoJSON Polygon or MultiPolygon. `profile` None means the project's default.
    """

    uid: str
    external_id: str
    region: dict[str, Any]
    store_id: str | None = None
    ring: str | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    profile: Profile | None = None
    active_from_ms: int | None = None
    active_until_ms: int | None = None
    enabled: bool = True
    created_ms: int = 0
    updated_ms: int = 0
