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
    example,
)
from api.http.filters import By, Page
from api.schemas.profiles import ProfileChoice, profile_of
from api.schemas.shown import Moment, shown
from geofence.limits import MAX_RINGS
from geofence.model.place import Ring, Store
from regions.geometry.time_zone import time_zone


class RingIn(Body):
    """A circle around its store."""

    model_config = example(
        name="near",
        radius_m=150,
    )

    name: Annotated[PlainName, FIRM]
    radius_m: Annotated[
        Annotated[float, Field(ge=10, le=100_000)],
        Field(description="Radius in metres, 10 to 100,000."),
    ]
    profile: Annotated[
        ProfileChoice | None,
        Field(description="How evidence becomes presence; null means the profile of the project."),
    ] = None


class StoreIn(Body):
    """A store to insert or replace.

    `opening_hours` in OSM syntax; `time_zone` is taken from the position when absent.
    """

    model_config = example(
        name="Example Coffee, Main Street",
        lat=52.5163,
        lon=13.3777,
        brand="Example Coffee",
        opening_hours="Mo-Fr 07:00-19:00; Sa 08:00-16:00",
        tags=["drive-in"],
        rings=[{"name": "near", "radius_m": 150}],
    )

    name: Annotated[Text, Field(min_length=1), STRIPPED]
    lat: Annotated[Latitude, Field(description="Latitude in degrees WGS84.")]
    lon: Annotated[Longitude, Field(description="Longitude in degrees WGS84.")]
    brand: Annotated[Name, STRIPPED] | None = None
    address: Annotated[Text, STRIPPED] | None = None
    time_zone: Annotated[
        Zone | None, Field(description="IANA time zone; taken from the position when absent.")
    ] = None
    opening_hours: Annotated[
        Annotated[Text, Field(min_length=1), STRIPPED] | None,
        Field(description="Opening hours in OSM syntax."),
    ] = None
    tags: Tags = []
    metadata: Annotated[
        Document, Field(description="The retailer's own facts, at most 16 KB.")
    ] = {}
    rings: Annotated[
        Annotated[list[RingIn], Field(max_length=MAX_RINGS)],
        Field(
            description="Circles around the store; each becomes a geofence named `<store>/<ring>`."
        ),
    ] = []

    def model(self, external_id: str) -> Store:
        """The store of the model."""
        given = self.model_dump(exclude={"tags", "rings"})
        rings = tuple(
            Ring(ring.name, ring.radius_m, profile_of(ring.profile)) for ring in self.rings
        )
        return Store(external_id, **given, tags=tuple(self.tags), rings=rings)

    @classmethod
    def written(cls, store: Store) -> dict[str, Any]:
        """The body that makes this store, for a patch to change.

        A time zone that follows from the position is left out, so that it follows a new position.
        """
        body: dict[str, Any] = msgspec.to_builtins(store)
        if store.time_zone == time_zone(store.lat, store.lon):
            del body["time_zone"]
        return {name: body[name] for name in cls.model_fields if name in body}


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


class StoreFilters(Page):
    """Which stores."""

    brand: By = None
    tag: By = None
