"""API keys and the project they belong to."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import Field, model_validator

from api.http.fields import Body, Text, example
from api.schemas.profiles import ProfileChoice
from api.schemas.shown import Moment, shown
from geofence.model.account import Key, Project, Scope
from geofence.model.place import Profile


class KeyIn(Body):
    """A key to create. Publishable keys may only post pings and register their device."""

    model_config = example(
        kind="sk",
        scopes=["read"],
        name="dashboard",
    )

    kind: Annotated[
        Literal["pk", "sk"],
        Field(description="pk: publishable, for apps. sk: secret, for servers."),
    ]
    scopes: Annotated[
        Annotated[list[Scope], Field(min_length=1, max_length=4)] | None,
        Field(description="What the key may do; without it, everything that its kind may do."),
    ] = None
    name: Text = ""

    @model_validator(mode="after")
    def _publishable_is_narrow(self) -> KeyIn:
        if self.kind == "pk" and self.scopes not in (None, ["ingest"]):
            raise ValueError("a publishable key has the scope ingest and no other")
        return self


class KeyOut(msgspec.Struct, frozen=True):
    """A key without its secret, of which only the last four characters are kept."""

    id: str
    kind: Literal["pk", "sk"]
    scopes: tuple[Scope, ...]
    name: str
    last4: str
    created_at: Moment
    revoked_at: Moment | None

    @classmethod
    def of(cls, key: Key) -> KeyOut:
        """The key as clients see it."""
        return shown(cls, key, last4=key.tail)


class NewKeyOut(msgspec.Struct, frozen=True):
    """A key just made. No other answer shows its `secret`."""

    key: KeyOut
    secret: str


class KeyPage(msgspec.Struct, frozen=True):
    """All keys of the project."""

    data: tuple[KeyOut, ...]
    next_cursor: None = None


class ProjectIn(Body):
    """What can be changed of a project."""

    model_config = example(
        name="Example Coffee",
        profile="balanced",
    )

    name: Annotated[Text, Field(min_length=1)]
    profile: Annotated[
        ProfileChoice, Field(description="The profile of geofences that name none.")
    ] = "balanced"


class ProjectOut(msgspec.Struct, frozen=True):
    """The project a key belongs to."""

    id: str
    name: str
    profile: Profile
    created_at: Moment

    @classmethod
    def of(cls, project: Project) -> ProjectOut:
        """The project as clients see it."""
        return shown(cls, project)
