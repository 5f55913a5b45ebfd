"""Stores and their rings."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pydantic import Field

from api.http.fields import (
    FIRM,
    STRIPPED,
    Body,
    Document,
    Latitude,
    Longitude,
    Name,
    PlainName,
    Tags,
    Text,
    Zone,
)
from api.schemas.profiles import ProfileChoice, profile_of
from api.schemas.shown import Moment, shown
from geofence.limits import MAX_RINGS
from geofence.model.place import Ring, Store


class RingIn(Body):
    """A circle around its store."""

    name: Annotated[PlainName, FIRM]
    radius_m: Annotated[float, Field(ge=10, le=100_000)]
    profile: ProfileChoice | None = None


class StoreIn(Body):
    """A store to insert or replace.

    `opening_hours` in OSM syntax; `time_zone` is taken from the position when absent.
    """

    name: Annotated[Text, Field(min_length=1), STRIPPED]
    lat: Latitude
    lon: Longitude
    brand: Annotated[Name, STRIPPED] | None = None
    address: Annotated[Text, STRIPPED] | None = None
    time_zone: Zone | None = None
    opening_hours: Annotated[Text, Field(min_length=1), STRIPPED] | None = None
    tags: Tags = []
    metadata: Document = {}
    rings: Annotated[list[RingIn], Field(max_length=MAX_RINGS)] = []

    def model(self, external_id: str) -> Store:
        """The store of the model."""
        given = self.model_dump(exclude={"tags", "rings"})
        rings = tuple(
            Ring(ring.name, ring.radius_m, profile_of(ring.profile)) for ring in self.rings
        )
        return Store(external_id, **given, tags=tuple(self.tags), rings=rings)


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
        return shown(cls, store)


class StorePage(msgspec.Struct, frozen=True):
    """A page of stores."""

    data: tuple[StoreOut, ...]
    next_cursor: str | None
