"""Edits of campaigns and coupons."""

from __future__ import annotations

import msgspec

from geofence.idempotency import is_unchanged, once
from geofence.model.campaign import Campaign, Plan, Status
from geofence.model.decision import Coupon, Redemption
from geofence.model.edit import EditArguments, EditResult
from geofence.offers import campaigns, redeem
from geofence.ports.unit import Unit


class PutCampaign(EditArguments, frozen=True, tag="campaign.put"):
    """Save a plan that was checked, and set a status where one is given.

    Where a campaign is `expected`, only that one is replaced.
    """

    campaign_id: str
    plan: Plan
    status: Status | None = None
    expected: Campaign | None = None


class SetCampaignStatus(EditArguments, frozen=True, tag="campaign.set_status"):
    """Activate, pause or take back a campaign."""

    campaign_id: str
    status: Status


class DeleteCampaign(EditArguments, frozen=True, tag="campaign.delete"):
    """Remove a campaign; what it decided, sent and issued stays."""

    campaign_id: str


class RedeemCoupon(EditArguments, frozen=True, tag="coupon.redeem"):
    """Use a code at a store; `amount` is in the currency's smallest unit.

    `once_key` is the request's Idempotency-Key, None without one; `fingerprint` stands for the
    request's content.
    """

    code: str
    store_id: str
    till: str = ""
    amount: int | None = None
    currency: str | None = None
    once_key: str | None = None
    fingerprint: str = ""


class VoidCoupon(EditArguments, frozen=True, tag="coupon.void"):
    """Take a code back."""

    code: str


class Redeemed(msgspec.Struct, frozen=True):
    """What is remembered of a redemption under its Idempotency-Key."""

    spent: Coupon
    use: Redemption


def put_campaign(edit: PutCampaign, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (campaign, created), or None where another one is stored than expected."""
    if edit.expected is not None:
        unit.edit(project_id)
        if not is_unchanged(unit.campaigns.get(project_id, edit.campaign_id), edit.expected):
            return EditResult(None)
    put = campaigns.put_campaign(unit, project_id, edit.campaign_id, edit.plan, now_ms)
    if edit.status is None:
        return put
    turned = campaigns.set_status(unit, project_id, edit.campaign_id, edit.status, now_ms)
    both = turned.campaigns if put.campaigns is None else put.campaigns.then(turned.campaigns)
    _, created = put.value
    return EditResult((turned.value, created), campaigns=both)


def set_status(edit: SetCampaignStatus, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is the campaign. Raises `NotFound`."""
    return campaigns.set_status(unit, project_id, edit.campaign_id, edit.status, now_ms)


def delete_campaign(edit: DeleteCampaign, unit: Unit, project_id: str, _: int) -> EditResult:
    """Raises `NotFound`."""
    return campaigns.delete_campaign(unit, project_id, edit.campaign_id)


def redeem_coupon(edit: RedeemCoupon, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is the status and what `once` remembers: `Redeemed` as JSON.

    Raises as `redeem.redeem` and `once` do.
    """

    def make() -> tuple[int, bytes]:
        spent, use = redeem.redeem(
            unit,
            project_id,
            edit.code,
            store_id=edit.store_id,
            till=edit.till,
            amount=edit.amount,
            currency=edit.currency,
            now_ms=now_ms,
        )
        return 200, msgspec.json.encode(Redeemed(spent, use))

    return EditResult(once(unit, project_id, edit.once_key, edit.fingerprint, now_ms, make))


def void_coupon(edit: VoidCoupon, unit: Unit, project_id: str, _: int) -> EditResult:
    """The value is the coupon. Raises as `redeem.void` does."""
    return EditResult(redeem.void(unit, project_id, edit.code))
