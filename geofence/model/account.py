"""Projects, keys and devices: who may speak, and for whom."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from geofence.model.place import Profile

Scope = Literal["ingest", "manage", "redeem", "read"]

# what a key of each kind may do at most
SCOPES: dict[str, tuple[Scope, ...]] = {
    "pk": ("ingest",),
    "sk": ("ingest", "manage", "redeem", "read"),
}


class Project(msgspec.Struct, frozen=True):
    """A tenant; nothing crosses it. `index_version` grows with every change of its geofences."""

    id: str
    name: str
    profile: Profile = Profile()
    created_ms: int = 0
    index_version: int = 0


class Key(msgspec.Struct, frozen=True):
    """An API key as the record knows it.

    Never the secret, only its SHA-256 and the last four characters.
    """

    id: str
    project_id: str
    kind: Literal["pk", "sk"]
    scopes: tuple[Scope, ...]
    digest: str
    tail: str
    name: str = ""
    created_ms: int = 0
    revoked_ms: int | None = None


class Device(msgspec.Struct, frozen=True):
    """An app install. Times epoch ms UTC."""

    device_id: str
    customer_id: str | None = None
    platform: str | None = None
    push_token: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    attributes: dict[str, Any] = {}
    created_ms: int = 0
    seen_ms: int | None = None
