"""A campaign as a marketer writes it.

The structs are the contract: their fields are the JSON, unknown ones are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    """Which stores: all conditions must hold; an empty filter means every store."""

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
    """How much one customer hears.

    `min_gap_s` is the time since the customer's last message of any campaign.
    """

    per_customer: Cap | None = None
    min_gap_s: Annotated[int, msgspec.Meta(ge=0, le=31_622_400)] = 0
    respect_quiet_hours: bool = True


class CouponPlan(_Strict, frozen=True):
    """A code for each one who is told.

    Valid to the end of the N-th day in the store's zone; `stores` who takes it.
    """

    valid_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 3
    single_use: bool = True
    budget: Annotated[int, msgspec.Meta(ge=1, le=100_000_000)] | None = None
    stores: Literal["trigger", "any"] | tuple[str, ...] = "trigger"


class Offer(_Strict, frozen=True):
    """What is offered."""

    title: Name
    coupon: CouponPlan | None = None


class PushPlan(_Strict, frozen=True, tag_field="channel", tag="push"):
    """A push as a template; `ttl_s` from the decision to its expiry."""

    title: Text
    body: Text
    link: str | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 900
    when: Literal["always"] = "always"


class EmailPlan(_Strict, frozen=True, tag_field="channel", tag="email"):
    """An e-mail as templates.

    `when` no_push: only when the same variant could not push to this customer.
    """

    subject: Text
    text: Text
    html: Text | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=60, le=604_800)] = 14_400
    when: Literal["always", "no_push"] = "always"


class InAppPlan(_Strict, frozen=True, tag_field="channel", tag="inapp"):
    """An offer shown in the app, from the answer to the ping that caused it."""

    title: Text
    body: Text
    link: str | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 900
    when: Literal["always"] = "always"


MessagePlan = PushPlan | EmailPlan | InAppPlan


class Variant(_Strict, frozen=True):
    """One of the ways to say it; chosen per customer by weight."""

    name: Name
    messages: Annotated[tuple[MessagePlan, ...], msgspec.Meta(min_length=1, max_length=8)]
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
    attribution_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 3


class Campaign(msgspec.Struct, frozen=True):
    """A plan with its place in the world.

    `version` grows with every change of the plan; times epoch ms UTC.
    """

    id: str
    plan: Plan
    status: Status = "draft"
    version: int = 1
    salt: str = ""
    created_ms: int = 0
    updated_ms: int = 0


def schema() -> dict[str, Any]:
    """The JSON schema of a plan, for the API document."""
    return msgspec.json.schema(Plan)
