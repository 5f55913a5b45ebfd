"""Geofences: bodies, answers, what a device is inside of, and what its phone watches."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, WithJsonSchema, model_validator

from api.http.fields import (
    FIRM,
    STRIPPED,
    Body,
    Document,
    PlainName,
    Tags,
    Text,
    example,
    moment_ms,
)
from api.http.fields import Moment as MomentIn
from api.http.filters import By, Page
from api.http.problems import Refusal, invalid
from api.schemas.profiles import ProfileChoice, profile_of
from api.schemas.shown import Moment, shown
from geofence.importing.report import Found
from geofence.model.place import Geofence, Profile
from geofence.model.receipt import Near

_NUMBER = r"[+-]?\d{1,3}(\.\d{1,15})?"
NEAR = re.compile(rf"^\s*{_NUMBER}\s*,\s*{_NUMBER}\s*$")
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
    "description": (
        "A circle in degrees WGS84 and metres, or a GeoJSON geometry ([lon, lat], RFC 7946)."
    ),
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
RegionOut = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=REGION_SCHEMA)]


class GeofenceIn(Body):
    """A geofence to insert or replace. `store` and `ring` say to which store it belongs."""

    model_config = example(
        region={"type": "circle", "lat": 52.5163, "lon": 13.3777, "radius_m": 150},
        name="Gate 4",
        tags=["parking"],
        active_until="2026-12-31T23:00:00Z",
    )

    region: Region
    store: Annotated[
        PlainName | None, Field(description="External id of the store it belongs to.")
    ] = None
    ring: Annotated[
        Annotated[PlainName, FIRM] | None, Field(description="Name of the ring; needs `store`.")
    ] = None
    name: Annotated[Text, STRIPPED] | None = None
    tags: Tags = []
    metadata: Document = {}
    profile: Annotated[
        ProfileChoice | None,
        Field(description="How evidence becomes presence; null means the profile of the project."),
    ] = None
    active_from: Annotated[
        MomentIn | None, Field(description="Before this time nothing happens here.")
    ] = None
    active_until: Annotated[
        MomentIn | None,
        Field(description="From this time on nothing happens here, and visits end."),
    ] = None
    enabled: Annotated[bool, Field(description="false: keep it, and let nothing happen here.")] = (
        True
    )

    @model_validator(mode="after")
    def _in_order(self) -> GeofenceIn:
        if self.ring is not None and self.store is None:
            raise ValueError("a ring needs its store")
        since, until = self.active_from, self.active_until
        if since and until and moment_ms(since) >= moment_ms(until):
            raise ValueError("active_until must come after active_from")
        return self

    def model(self, external_id: str) -> Geofence:
        """The geofence of the model; its uid is chosen there."""
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

    @classmethod
    def written(cls, geofence: Geofence) -> dict[str, Any]:
        """The body that makes this geofence, for a patch to change."""
        shown: dict[str, Any] = msgspec.to_builtins(GeofenceOut.of(geofence))
        return {name: shown[name] for name in cls.model_fields}


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
        return shown(cls, geofence)


class GeofencePage(msgspec.Struct, frozen=True):
    """A page of geofences."""

    data: tuple[GeofenceOut, ...]
    next_cursor: str | None


class InsideGeofenceOut(msgspec.Struct, frozen=True):
    """A geofence that the device is inside of."""

    geofence_id: str
    store_id: str | None
    ring: str | None
    name: str | None
    tags: tuple[str, ...]

    @classmethod
    def of(cls, geofence: Geofence) -> InsideGeofenceOut:
        """The geofence, without its region."""
        return shown(cls, geofence, geofence_id=geofence.external_id)


class NearbyGeofenceOut(msgspec.Struct, frozen=True):
    """A geofence for the phone's operating system to watch.

    `edge_m` is the distance to its edge in metres, negative inside.
    """

    geofence_id: str
    store_id: str | None
    ring: str | None
    edge_m: float
    region: dict[str, Any]

    @classmethod
    def of(cls, near: Near) -> NearbyGeofenceOut:
        """The geofence with its region."""
        fence = near.geofence
        return shown(cls, fence, geofence_id=fence.external_id, edge_m=round(near.edge_m, 1))


class NearbyPage(msgspec.Struct, frozen=True):
    """Geofences by distance, nearest first."""

    data: tuple[NearbyGeofenceOut, ...]
    next_cursor: None = None


class LintPage(msgspec.Struct, frozen=True):
    """Findings of the linter.

    `total` and `counts` (by code, whatever `code` was asked for) count every finding.

    `data` lists the first 1,000 of each code; one more finding without geofences and with a
    `value` then says how many others there are.
    """

    data: tuple[Found, ...]
    total: int
    counts: dict[str, int]
    next_cursor: str | None


class GeofenceFilters(Page):
    """Which geofences, in which form."""

    near: Annotated[
        str | None,
        Field(
            pattern=NEAR.pattern,
            description="lat,lon in degrees: the nearest first, by distance to the edge.",
        ),
    ] = None
    within_m: Annotated[
        float | None, Field(ge=0, le=100_000_000, description="With near: no farther than this.")
    ] = None
    store: By = None
    tag: By = None
    form: Annotated[Literal["json", "geojson"], Field(alias="format")] = "json"

    def place(self) -> tuple[float, float]:
        """(lat, lon) of `near`.

        Raises:
            Refusal: 422 for degrees that do not exist, and beside filters of the other list.
        """
        if (self.store, self.tag, self.cursor) != (None, None, None):
            raise invalid(("/query/near", "Goes with within_m and limit only."))
        lat, lon = map(float, (self.near or "").split(","))
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise Refusal(
                422,
                "invalid_position",
                "near is lat,lon in degrees.",
                errors=[("/query/near", "within 90 and 180 degrees")],
            )
        return lat, lon

    def _given(self) -> dict[str, Any]:
        return {"store": self.store, "tag": self.tag}
