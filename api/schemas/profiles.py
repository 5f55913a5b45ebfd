"""How evidence becomes presence, as requests write it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from api.http.fields import BY_NAME, IN_FULL, Body
from geofence.model.place import Profile, ProfileName

Metres = Annotated[float, Field(gt=0, le=1_000_000)]
Seconds = Annotated[int, Field(ge=0, le=604_800)]


class ProfileIn(Body):
    """How evidence becomes presence.

    Distances in metres, times in seconds; null means the rule of the profile.
    """

    name: ProfileName = "balanced"
    max_accuracy_m: Metres | None = None
    exit_margin_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    confirm_s: Seconds | None = None
    cool_down_s: Seconds | None = None
    presence_timeout_s: Annotated[int, Field(ge=60, le=604_800)] | None = None
    dwell_s: Annotated[list[Annotated[int, Field(ge=1, le=604_800)]], Field(max_length=10)] = []

    def model(self) -> Profile:
        """The profile of the model."""
        return Profile(**{**self.model_dump(), "dwell_s": tuple(sorted(set(self.dwell_s)))})


def _written(choice: Any) -> str:
    return IN_FULL if isinstance(choice, dict | ProfileIn) else BY_NAME


# pydantic looks at one way of writing it only, so a fault is reported once
ProfileChoice = Annotated[
    Annotated[ProfileName, Tag(BY_NAME)] | Annotated[ProfileIn, Tag(IN_FULL)],
    Discriminator(_written),
]


def profile_of(choice: ProfileName | ProfileIn | None) -> Profile | None:
    """A profile given by name or in full."""
    if choice is None:
        return None
    return choice.model() if isinstance(choice, ProfileIn) else Profile(name=choice)
