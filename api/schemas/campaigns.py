"""Campaigns: how a body is read, and the answers.

The plan's own structs are the contract. A refusal names the field that breaks it by its pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from api.http.fields import Body, Name
from api.http.filters import Page
from api.http.merge_patch import merged, refuse_unknown_fields
from api.http.problems import Refusal, invalid
from api.schemas.messages import ChannelName
from api.schemas.shown import Moment, shown
from geofence.delivery.channels import CAMPAIGN_CHANNELS
from geofence.model.campaign import Campaign, CampaignMatches, Plan, Status
from geofence.offers.plan import read_plan

EXAMPLE: dict[str, Any] = {
    "name": "Lunch coffee",
    "trigger": {"event": "entered", "ring": "near", "stores": {"brand": "Example Coffee"}},
    "schedule": {"days": ["mon", "tue"], "between": ["11:00", "14:00"], "only_when_open": True},
    "pressure": {"per_customer": {"count": 1, "window_s": 604_800}, "min_gap_s": 3600},
    "holdout": 0.1,
    "offer": {"title": "2 for 1", "coupon": {"valid_days": 3}},
    "variants": [
        {
            "name": "a",
            "messages": [
                {
                    "channel": "push",
                    "title": "Coffee, {{ customer.first_name | default: 'friend' }}?",
                    "body": "Show {{ coupon.code }} at {{ store.name }}.",
                    "ttl_s": 900,
                }
            ],
        }
    ],
}


class CampaignIn(Plan, frozen=True, kw_only=True):
    """A campaign to insert or replace.

    `id` may repeat the address; `status` is left as it is when absent, `draft` at first.
    """

    id: str | None = None
    status: Status | None = None

    def plan(self) -> Plan:
        """The plan alone."""
        return Plan(**{name: getattr(self, name) for name in Plan.__struct_fields__})


class CampaignOut(Plan, frozen=True, kw_only=True):
    """A campaign: its plan, its id and its status.

    `version` grows with every change of the plan. `matches` is left out of lists.
    """

    id: str
    status: Status
    version: int
    created_at: Moment
    updated_at: Moment
    matches: CampaignMatches | UnsetType = UNSET

    @classmethod
    def of(cls, campaign: Campaign, matches: CampaignMatches | UnsetType = UNSET) -> CampaignOut:
        """The campaign as clients see it."""
        plan = {name: getattr(campaign.plan, name) for name in Plan.__struct_fields__}
        return shown(cls, campaign, matches=matches, **plan)


class CampaignPage(msgspec.Struct, frozen=True):
    """A page of campaigns."""

    data: tuple[CampaignOut, ...]
    next_cursor: str | None


class PreviewIn(Body):
    """Whom a preview is for: a store and a customer of the project; invented where absent."""

    store: Name | None = None
    customer: Name | None = None


class _PreviewOut(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a variant, filled in; each channel has fields of its own."""

    variant: str
    channel: ChannelName


if TYPE_CHECKING:
    PreviewOut = _PreviewOut
else:
    PreviewOut = msgspec.defstruct(
        "PreviewOut",
        [
            (name, str | UnsetType, UNSET)
            for name in dict.fromkeys(
                name for kind in CAMPAIGN_CHANNELS.values() for name in kind.templates
            )
        ],
        bases=(_PreviewOut,),
        module=__name__,
        namespace={"__doc__": _PreviewOut.__doc__},
        frozen=True,
        kw_only=True,
    )


class PreviewPage(msgspec.Struct, frozen=True):
    """Every message of a campaign."""

    data: tuple[PreviewOut, ...]
    next_cursor: None = None


def read_campaign(body: bytes, campaign_id: str, now_ms: int) -> CampaignIn:
    """The campaign in a body. Takes as long as its templates take: up to seconds.

    Raises:
        Refusal: The body is no JSON (400).
        InputError: It is no campaign that can work, or another than the address names.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "malformed", "The body is not one JSON document in UTF-8.") from None
    return _read(found, campaign_id, now_ms)


def patched_campaign(campaign: Campaign, patch: dict[str, Any], now_ms: int) -> CampaignIn:
    """The campaign after a merge patch; raises `InputError` as `read_campaign` does."""
    refuse_unknown_fields(patch, CampaignIn.__struct_encode_fields__)
    return _read(merged(msgspec.to_builtins(campaign.plan), patch), campaign.id, now_ms)


def _read(found: Any, campaign_id: str, now_ms: int) -> CampaignIn:
    read = read_plan(found, now_ms, CampaignIn)
    if read.id not in (None, campaign_id):
        raise invalid(("/id", "Differs from the one in the address."))
    return read


class CampaignFilters(Page):
    """Which campaigns."""

    status: Status | None = None
