"""What the control plane gives about people, campaigns, decisions, messages and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.http.fields import moment_text
from api.schemas.places_out import DeviceOut
from api.wire.native import EventOut, Moment, VisitOut
from geofence.delivery.channels import CHANNELS
from geofence.model.campaign import Campaign, Plan, Status
from geofence.model.customer import Consent, Customer, Purpose, QuietHours
from geofence.model.decision import Coupon, CouponStatus, Decision, GateResult, Outcome, Redemption
from geofence.model.message import Attempt, MessageStatus, OutboxMessage

SHOWN_OF_TOKEN = 4
if TYPE_CHECKING:
    ChannelName = str
else:
    ChannelName = Literal[tuple(CHANNELS)]


class ConsentOut(msgspec.Struct, frozen=True):
    """What a person said about one purpose, when and where."""

    granted: bool
    at: Moment
    source: str

    @classmethod
    def of(cls, consent: Consent) -> ConsentOut:
        """The consent as clients see it."""
        return cls(consent.granted, moment_text(consent.at_ms), consent.source)


class CustomerOut(msgspec.Struct, frozen=True):
    """A person; a purpose missing from `consent` was never granted."""

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
        return cls(
            id=customer.customer_id,
            email=customer.email,
            attributes=customer.attributes,
            tags=customer.tags,
            consent={
                purpose: ConsentOut.of(consent)
                for purpose, consent in sorted(customer.consent.items())
            },
            quiet_hours=customer.quiet_hours,
            locale=customer.locale,
            created_at=moment_text(customer.created_ms),
            updated_at=moment_text(customer.updated_ms),
        )


class CustomerPage(msgspec.Struct, frozen=True):
    """A page of customers."""

    data: tuple[CustomerOut, ...]
    next_cursor: str | None


class ErasureReceipt(msgspec.Struct, frozen=True):
    """The receipt of a person's erasure.

    How many of each noun are gone, and how many stay without the person.
    """

    result: Literal["erased"]
    receipt: str
    erased_at: Moment
    erased: dict[str, int]
    kept_anonymised: dict[str, int]


class CampaignOut(Plan, frozen=True, kw_only=True):
    """A campaign: its plan, and its place in the world.

    `version` grows with every change of the plan.
    """

    id: str
    status: Status
    version: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignOut:
        """The campaign as clients see it."""
        return cls(
            **{name: getattr(campaign.plan, name) for name in Plan.__struct_fields__},
            id=campaign.id,
            status=campaign.status,
            version=campaign.version,
            created_at=moment_text(campaign.created_ms),
            updated_at=moment_text(campaign.updated_ms),
        )


class CampaignPage(msgspec.Struct, frozen=True):
    """A page of campaigns."""

    data: tuple[CampaignOut, ...]
    next_cursor: str | None


class PreviewOut(msgspec.Struct, frozen=True):
    """One message of a variant, filled in for somebody who does not exist."""

    variant: str
    channel: ChannelName
    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    link: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    html: str | UnsetType = UNSET


class PreviewPage(msgspec.Struct, frozen=True):
    """Every message of a campaign."""

    data: tuple[PreviewOut, ...]
    next_cursor: None = None


class DecisionOut(msgspec.Struct, frozen=True):
    """What was decided for one event, campaign and customer.

    `trace` is what each gate said, up to the first that stopped it.
    """

    id: str
    event_id: str
    campaign_id: str
    campaign_version: int
    customer_id: str | None
    device_id: str
    store_id: str | None
    ring: str | None
    geofence_id: str
    visit_id: str
    outcome: Outcome
    reason: str
    variant: str | None
    at: Moment
    trace: tuple[GateResult, ...]

    @classmethod
    def of(cls, decision: Decision) -> DecisionOut:
        """The decision as clients see it."""
        same = {
            name: getattr(decision, name)
            for name in cls.__struct_fields__
            if name not in ("customer_id", "at")
        }
        return cls(**same, customer_id=decision.customer_id or None, at=moment_text(decision.at_ms))


class DecisionPage(msgspec.Struct, frozen=True):
    """A page of decisions, by time."""

    data: tuple[DecisionOut, ...]
    next_cursor: str | None


class MessageOut(msgspec.Struct, frozen=True):
    """A message on its way, or at its end.

    `address` is masked, `attempts` counts the tries, `due_at` is null at the end.
    """

    id: str
    decision_id: str
    campaign_id: str
    customer_id: str
    device_id: str
    channel: ChannelName
    address: str
    status: MessageStatus
    reason: str
    attempts: int
    created_at: Moment
    expires_at: Moment
    due_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def of(cls, message: OutboxMessage) -> MessageOut:
        """The message as clients see it."""
        return cls(
            id=message.id,
            decision_id=message.decision_id,
            campaign_id=message.campaign_id,
            customer_id=message.customer_id,
            device_id=message.device_id,
            channel=message.channel,
            address=masked(message.address),
            status=message.status,
            reason=message.reason,
            attempts=message.attempt,
            created_at=moment_text(message.created_ms),
            expires_at=moment_text(message.expires_ms),
            due_at=_moment(message.due_ms),
            finished_at=_moment(message.finished_ms),
        )


class MessagePage(msgspec.Struct, frozen=True):
    """A page of messages, by time."""

    data: tuple[MessageOut, ...]
    next_cursor: str | None


class AttemptOut(msgspec.Struct, frozen=True):
    """One try at a message: what the provider said, and what was made of it."""

    attempt: int
    started_at: Moment
    finished_at: Moment
    verdict: str
    reason: str
    detail: str
    status: int | None
    provider_id: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptOut:
        """The attempt as clients see it."""
        return cls(
            attempt=attempt.attempt,
            started_at=moment_text(attempt.started_ms),
            finished_at=moment_text(attempt.finished_ms),
            verdict=attempt.verdict,
            reason=attempt.reason,
            detail=attempt.detail,
            status=attempt.status,
            provider_id=attempt.provider_id,
        )


class MessageDetail(msgspec.Struct, frozen=True):
    """A message with its tries, oldest first."""

    message: MessageOut
    tries: tuple[AttemptOut, ...]


class CouponOut(msgspec.Struct, frozen=True):
    """A code.

    `stores` null: any store takes it; `customer_id` null: the person was erased; good before
    `expires_at`.
    """

    code: str
    title: str
    status: CouponStatus
    uses: int
    single_use: bool
    stores: tuple[str, ...] | None
    campaign_id: str
    customer_id: str | None
    decision_id: str
    issued_at: Moment
    expires_at: Moment

    @classmethod
    def of(cls, coupon: Coupon) -> CouponOut:
        """The coupon as clients see it."""
        return cls(
            code=coupon.code,
            title=coupon.title,
            status=coupon.status,
            uses=coupon.uses,
            single_use=coupon.single_use,
            stores=coupon.stores,
            campaign_id=coupon.campaign_id,
            customer_id=coupon.customer_id or None,
            decision_id=coupon.decision_id,
            issued_at=moment_text(coupon.issued_ms),
            expires_at=moment_text(coupon.expires_ms),
        )


class CouponPage(msgspec.Struct, frozen=True):
    """A page of codes, by time of issue."""

    data: tuple[CouponOut, ...]
    next_cursor: str | None


class RedemptionOut(msgspec.Struct, frozen=True):
    """A use of a code at a till; `amount` in the currency's smallest unit."""

    id: str
    store: str
    till: str
    amount: int | None
    currency: str | None
    at: Moment

    @classmethod
    def of(cls, use: Redemption) -> RedemptionOut:
        """The use as clients see it."""
        return cls(use.id, use.store_id, use.till, use.amount, use.currency, moment_text(use.at_ms))


class RedemptionResult(msgspec.Struct, frozen=True):
    """A code as it is now, and the use that was written."""

    coupon: CouponOut
    redemption: RedemptionOut


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as it is stored: the whole address, what was said, and every try."""

    message: MessageOut
    address: str
    content: dict[str, Any]
    tries: tuple[AttemptOut, ...]


class CustomerExport(msgspec.Struct, frozen=True):
    """Everything that is stored about a person."""

    exported_at: Moment
    customer: CustomerOut | None
    devices: tuple[DeviceOut, ...]
    visits: tuple[VisitOut, ...]
    events: tuple[EventOut, ...]
    decisions: tuple[DecisionOut, ...]
    messages: tuple[StoredMessage, ...]
    coupons: tuple[CouponOut, ...]


def masked(address: str) -> str:
    """Enough of an address to know it again, too little to write to.

    `k***@example.org`, `...f3a9`.
    """
    local, at, domain = address.rpartition("@")
    if at and local:
        return f"{local[0]}***@{domain}"
    return f"...{address[-SHOWN_OF_TOKEN:]}" if len(address) >= 4 * SHOWN_OF_TOKEN else "***"


def _moment(ms: int | None) -> str | None:
    return None if ms is None else moment_text(ms)
