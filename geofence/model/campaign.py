"""A campaign as a marketer writes it.

The structs are the contract: their fields are the JSON, unknown ones are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Status = Literal["draft", "active", "paused"]
TriggerEvent = Literal["entered", "dwelled", "exited"]
LocalTime = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?!\n)$")]
LocalDate = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class StoreFilter(_Strict, frozen=True):
    """Which stores. All conditions must hold; an empty filter matches every store."""

    brand: str | None = None
    tag: str | None = None
    ids: tuple[str, ...] = ()


class Trigger(_Strict, frozen=True):
    """The event that starts it, at which ring of which stores.

    `dwell_s` is needed for `dwelled`, and only there.
    """

    event: TriggerEvent
    ring: str | None = None
    stores: StoreFilter = StoreFilter()
    dwell_s: Annotated[int, msgspec.Meta(ge=10, le=86_400)] | None = None


class Schedule(_Strict, frozen=True):
    """When, in each store's own time zone.

    Dates are inclusive; `between` over midnight when its end is earlier.
    """

    from_: LocalDate | None = msgspec.field(default=None, name="from")
    until: LocalDate | None = None
    days: tuple[Day, ...] = ()
    between: tuple[LocalTime, LocalTime] | None = None
    only_when_open: bool = False


class Cap(_Strict, frozen=True):
    """At most `count` within any `window_s` seconds."""

    count: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    window_s: Annotated[int, msgspec.Meta(ge=1, le=31_622_400)]


class Pressure(_Strict, frozen=True):
    """How often one customer hears from the retailer.

    `min_gap_s` is the least time since the customer's last message of any campaign.
    """

    per_customer: Cap | None = None
    min_gap_s: Annotated[int, msgspec.Meta(ge=0, le=31_622_400)] = 0
    respect_quiet_hours: bool = True


class CouponPlan(_Strict, frozen=True):
    """A code with each offer that is sent.

    It is good to the end of the N-th day after that day, in the store's time zone. `stores` are
    those that take it: the one of the event, any, or those named.
    """

    valid_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 3
    single_use: bool = True
    stores: Literal["trigger", "any"] | tuple[str, ...] = "trigger"


class Offer(_Strict, frozen=True):
    """What is offered."""

    title: Name
    coupon: CouponPlan | None = None


class MessagePlan(_Strict, frozen=True, kw_only=True, tag_field="channel"):
    """What the plan of every channel has; a channel's own file adds its templates and its limits.

    The channels are found by scanning, and a plan can be decoded once `geofence.delivery.channels`
    was imported.
    """

    ttl_s: int
    when: str

    @property
    def channel(self) -> str:
        """The name of the channel."""
        return str(self.__struct_config__.tag)


if TYPE_CHECKING:
    AnyMessagePlan = MessagePlan


def register_message_plans(kinds: Sequence[type[MessagePlan]]) -> None:
    """Set which plans the messages of a variant may have: a union that is tagged by `channel`."""
    globals()["AnyMessagePlan"] = reduce(or_, kinds)


class Variant(_Strict, frozen=True):
    """One wording of the offer; each customer gets one, by weight."""

    name: Name
    messages: Annotated[tuple[AnyMessagePlan, ...], msgspec.Meta(min_length=1, max_length=8)]
    weight: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


class Plan(_Strict, frozen=True):
    """The body of a campaign: everything a marketer decides."""

    name: Name
    trigger: Trigger
    offer: Offer
    variants: Annotated[tuple[Variant, ...], msgspec.Meta(min_length=1, max_length=10)]
    priority: Annotated[int, msgspec.Meta(ge=-1000, le=1000)] = 0
    schedule: Schedule = Schedule()
    pressure: Pressure = Pressure()
    holdout: Annotated[float, msgspec.Meta(ge=0, le=0.9)] = 0.0


class Campaign(msgspec.Struct, frozen=True):
    """A plan with its id and status.

    `version` grows with every change of the plan; times epoch ms UTC.
    """

    id: str
    plan: Plan
    status: Status = "draft"
    version: int = 1
    salt: str = ""
    created_ms: int = 0
    updated_ms: int = 0


class CampaignMatches(msgspec.Struct, frozen=True):
    """What a campaign's trigger matches now.

    `stores` meet its filter, `rings` are their enabled geofences of the ring that it names, and
    `devices_seen_24h` began a visit at one of those within the last 24 hours.
    """

    stores: int
    rings: int
    devices_seen_24h: int
