"""Customers: addresses, consent and quiet hours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, Field, WithJsonSchema, create_model, model_validator

from api.http.fields import Body, Document, Locale, Name, Tags, Text, example, moment_ms
from api.http.filters import By, Page
from api.schemas.coupons import CouponOut
from api.schemas.decisions import DecisionOut
from api.schemas.devices import DeviceOut
from api.schemas.events import EventOut
from api.schemas.messages import StoredMessage
from api.schemas.shown import Moment, shown
from api.schemas.visits import VisitOut
from geofence.delivery.channels import PURPOSES
from geofence.model.customer import LOCATION, Consent, Customer, Purpose, QuietHours
from geofence.people.consent import Statement

_LATEST_MS = 4_102_444_800_000  # the year 2100: a later time is in the wrong unit
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE,
)
_ADDRESSES = ("/export", "/coupons")


def _email(text: str) -> str:
    """A plain address (RFC 5321 without quotes and literals).

    The domain may be written in any script.
    """
    local, _, domain = text.rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        domain = ""
    if not (_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain) and len(local) <= 64):
        raise ValueError("must be an e-mail address, like kim@example.org")
    return text


def _said_at(text: str) -> str:
    if not 0 <= moment_ms(text) < _LATEST_MS:
        raise ValueError("must lie between the years 1970 and 2100")
    return text


def _customer_id(text: str) -> str:
    if text.endswith(_ADDRESSES):
        raise ValueError("must not end like an address below a customer")
    return text


Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "idn-email"}),
]
SaidAt = Annotated[
    str, AfterValidator(_said_at), WithJsonSchema({"type": "string", "format": "date-time"})
]
LocalTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
NewCustomerId = Annotated[Name, AfterValidator(_customer_id)]


class ConsentIn(Body):
    """What a customer agreed to for one purpose.

    `at` is now when absent; `source` names where the customer said it.
    """

    granted: bool
    at: SaidAt | None = None
    source: Text = ""

    def model(self) -> Statement:
        """The statement; one without a time was made now."""
        at_ms = None if self.at is None else moment_ms(self.at)
        return Statement(self.granted, at_ms, self.source)


class _Consents(Body):
    """By purpose; one that is absent is not granted."""

    def model(self) -> dict[Purpose, Statement]:
        """The statements by purpose."""
        made = {purpose: getattr(self, purpose) for purpose in type(self).model_fields}
        return {purpose: one.model() for purpose, one in made.items() if one is not None}


# one field for the consent to location, and one for each channel's
if TYPE_CHECKING:
    ConsentsIn = _Consents
else:
    ConsentsIn = create_model(
        "ConsentsIn",
        __base__=_Consents,
        __doc__=_Consents.__doc__,
        **dict.fromkeys((LOCATION, *PURPOSES), (ConsentIn | None, None)),
    )


class QuietHoursIn(Body):
    """Local times between which nothing is sent; over midnight when `until` is earlier."""

    start: LocalTime
    until: LocalTime

    @model_validator(mode="after")
    def _some_time(self) -> QuietHoursIn:
        if self.start == self.until:
            raise ValueError("start and end are equal, so the window is empty")
        return self


class CustomerIn(Body):
    """A customer to insert or replace."""

    model_config = example(
        email="kim@example.org",
        tags=["vip"],
        attributes={"first_name": "Kim", "tier": "gold"},
        consent={"location": {"granted": True}, "push": {"granted": True, "source": "app"}},
        quiet_hours={"start": "22:00", "until": "07:00"},
    )

    email: Email | None = None
    attributes: Annotated[
        Document, Field(description="Facts about the customer, for templates and audiences.")
    ] = {}
    tags: Tags = []
    consent: ConsentsIn = ConsentsIn()
    quiet_hours: QuietHoursIn | None = None
    locale: Annotated[Locale | None, Field(description="Language and region, such as de-AT.")] = (
        None
    )

    def model(self, customer_id: str) -> Customer:
        """The customer of the model, without consents and times."""
        hours = self.quiet_hours
        return Customer(
            customer_id,
            self.email,
            self.attributes,
            tuple(self.tags),
            quiet_hours=QuietHours(hours.start, hours.until) if hours else None,
            locale=self.locale,
        )

    @classmethod
    def written(cls, customer: Customer, patch: Mapping[str, Any]) -> dict[str, Any]:
        """The body that makes this customer, for a patch to change.

        A consent in the patch replaces the stored one as a whole: what a customer says now does
        not take over the time and source of an older statement.
        """
        body: dict[str, Any] = msgspec.to_builtins(CustomerOut.of(customer))
        said = patch.get("consent")
        for purpose in said if isinstance(said, dict) else ():
            body["consent"].pop(purpose, None)
        return {name: body[name] for name in cls.model_fields}


class ConsentOut(msgspec.Struct, frozen=True):
    """What a customer agreed to for one purpose, when and where."""

    granted: bool
    at: Moment
    source: str

    @classmethod
    def of(cls, consent: Consent) -> ConsentOut:
        """The consent as clients see it."""
        return shown(cls, consent)


class CustomerOut(msgspec.Struct, frozen=True):
    """A customer; a purpose missing from `consent` was never granted."""

    id: str
    email: str | None
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    consent: dict[Purpose, ConsentOut]
    quiet_hours: QuietHours | None
    locale: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, customer: Customer) -> CustomerOut:
        """The customer as clients see it."""
        consent = {purpose: ConsentOut.of(one) for purpose, one in sorted(customer.consent.items())}
        return shown(cls, customer, id=customer.customer_id, consent=consent)


class CustomerPage(msgspec.Struct, frozen=True):
    """A page of customers."""

    data: tuple[CustomerOut, ...]
    next_cursor: str | None


class ErasureReceipt(msgspec.Struct, frozen=True):
    """The receipt of a customer's erasure.

    How many rows of each noun were erased, and how many are kept without the customer.
    """

    result: Literal["erased"]
    receipt: str
    erased_at: Moment
    erased: dict[str, int]
    kept_anonymised: dict[str, int]


class CustomerExport(msgspec.Struct, frozen=True):
    """Everything that is stored about a customer."""

    exported_at: Moment
    customer: CustomerOut | None
    devices: tuple[DeviceOut, ...]
    visits: tuple[VisitOut, ...]
    events: tuple[EventOut, ...]
    decisions: tuple[DecisionOut, ...]
    messages: tuple[StoredMessage, ...]
    coupons: tuple[CouponOut, ...]


class CustomerFilters(Page):
    """Which customers."""

    tag: By = None
