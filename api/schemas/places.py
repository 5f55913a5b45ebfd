"""What the control plane takes: strict bodies that become the model of the floor below."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from api.http.fields import (
    BY_NAME,
    FIRM,
    IN_FULL,
    STRIPPED,
    Body,
    Document,
    Latitude,
    Longitude,
    Moment,
    Name,
    PlainName,
    Tags,
    Text,
    moment_ms,
)
from geofence.limits import MAX_RINGS
from geofence.model.account import Device, Scope
from geofence.model.place import Geofence, Profile, ProfileName, Ring, Store

_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
_RINGS = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1000,
    "items": {"type": "array", "minItems": 4, "items": _POSITION},
}
_SHAPES: tuple[tuple[str, Any], ...] = (
    ("Polygon", _RINGS),
    ("MultiPolygon", {"type": "array", "minItems": 1, "items": _RINGS}),
)
REGION_SCHEMA: dict[str, Any] = {
    "description": "A circle in degrees WGS84 and metres, or a GeoJSON geometry ([lon, lat], RFC 7946).",
    "anyOf": [
        {
            "type": "object",
            "required": ["type", "lat", "lon", "radius_m"],
            "additionalProperties": False,
            "properties": {
                "type": {"const": "circle"},
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
                "radius_m": {"type": "number", "minimum": 10, "maximum": 100_000},
            },
        },
        *(
            {
                "type": "object",
                "required": ["type", "coordinates"],
                "properties": {"type": {"const": name}, "coordinates": coordinates},
            }
            for name, coordinates in _SHAPES
        ),
    ],
}
Region = Annotated[dict[str, Any], WithJsonSchema(REGION_SCHEMA)]


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone, like Europe/Berlin") from None
    return name


Zone = Annotated[Name, AfterValidator(_zone)]
Metres = Annotated[float, Field(gt=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=604_800)]


class ProfileIn(Body):
    """How evidence becomes presence.

    Distances metres, times seconds; null means the rule of the profile.
    """

    name: ProfileName = "balanced"
    max_accuracy_m: Metres | None = None
    exit_margin_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    confirm_s: Seconds | None = None
    cool_down_s: Seconds | None = None
    presence_timeout_s: Annotated[int, Field(ge=60, le=604_800)] | None = None
    dwell_s: Annotated[list[Annotated[int, Field(ge=1, le=604_800)]], Field(max_length=10)] = []

    def model(self) -> Profile:
        """The profile of the floor below."""
        return Profile(**{**self.model_dump(), "dwell_s": tuple(sorted(set(self.dwell_s)))})


def _written(choice: Any) -> str:
    return IN_FULL if isinstance(choice, dict | ProfileIn) else BY_NAME


# one way of writing it is looked at, so that a fault of one is not told of both
ProfileChoice = Annotated[
    Annotated[ProfileName, Tag(BY_NAME)] | Annotated[ProfileIn, Tag(IN_FULL)],
    Discriminator(_written),
]


def profile_of(choice: ProfileName | ProfileIn | None) -> Profile | None:
    """A profile given by name or in full."""
    if choice is None:
        return None
    return choice.model() if isinstance(choice, ProfileIn) else Profile(name=choice)


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
        """The store of the floor below."""
        given = self.model_dump(exclude={"tags", "rings"})
        rings = tuple(
            Ring(ring.name, ring.radius_m, profile_of(ring.profile)) for ring in self.rings
        )
        return Store(external_id, **given, tags=tuple(self.tags), rings=rings)


class GeofenceIn(Body):
    """A geofence to insert or replace. `store` and `ring` say to which store it belongs."""

    region: Region
    store: PlainName | None = None
    ring: Annotated[PlainName, FIRM] | None = None
    name: Annotated[Text, STRIPPED] | None = None
    tags: Tags = []
    metadata: Document = {}
    profile: ProfileChoice | None = None
    active_from: Moment | None = None
    active_until: Moment | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> GeofenceIn:
        if self.ring is not None and self.store is None:
            raise ValueError("a ring needs its store")
        if (
            self.active_from
            and self.active_until
            and moment_ms(self.active_from) >= moment_ms(self.active_until)
        ):
            raise ValueError("active_until must come after active_from")
        return self

    def model(self, external_id: str) -> Geofence:
        """The geofence of the floor below; its uid is chosen there."""
        return Geofence(
            uid="",
            external_id=external_id,
            region=self.region,
            store_id=self.store,
            ring=self.ring,
            name=self.name,
            tags=tuple(self.tags),
            metadata=self.metadata,
            profile=profile_of(self.profile),
            active_from_ms=moment_ms(self.active_from) if self.active_from else None,
            active_until_ms=moment_ms(self.active_until) if self.active_until else None,
            enabled=self.enabled,
        )


class DeviceIn(Body):
    """What an app tells of itself."""

    platform: Literal["ios", "android", "web", "other"] | None = None
    push_token: (
        Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")] | None
    ) = None
    customer_id: Name | None = None
    locale: Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    time_zone: Zone | None = None
    attributes: Document = {}

    def model(self, device_id: str, now_ms: int) -> Device:
        """The device of the floor below."""
        return Device(device_id, **self.model_dump(), created_ms=now_ms)


class KeyIn(Body):
    """A key to create. Publishable keys may only post pings and register their device."""

    kind: Literal["pk", "sk"]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)] | None = None
    name: Text = ""

    @model_validator(mode="after")
    def _publishable_is_narrow(self) -> KeyIn:
        if self.kind == "pk" and self.scopes not in (None, ["ingest"]):
            raise ValueError("a publishable key has the scope ingest and no other")
        return self


class ProjectIn(Body):
    """What can be changed of a project."""

    name: Annotated[Text, Field(min_length=1)]
    profile: ProfileChoice = "balanced"
