"""Saving, starting, stopping and previewing a campaign."""

from __future__ import annotations

import secrets
from typing import Any

from msgspec.structs import replace

from geofence.delivery.channels import CHANNELS
from geofence.errors import Conflict, NotFound
from geofence.model.campaign import Campaign, Plan, Status
from geofence.model.customer import Customer
from geofence.model.decision import Decision
from geofence.model.edit import CampaignChange, EditResult
from geofence.model.place import Store
from geofence.offers.filling import SAMPLE_PAGE, coupon_for, fields_of, sample_case
from geofence.ports.unit import Unit

SEEN_MS = 24 * 3_600_000  # a device counts as seen lately for that long


def put_campaign(
    unit: Unit, project_id: str, campaign_id: str, plan: Plan, now_ms: int
) -> EditResult:
    """Save a plan that `read_plan` has read; the value is (campaign, created).

    An identical plan changes nothing.
    """
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is not None and kept.plan == plan:
        return EditResult((kept, False))
    campaign = Campaign(
        campaign_id, plan, salt=secrets.token_hex(8), created_ms=now_ms, updated_ms=now_ms
    )
    if kept is not None:
        # the salt stays, so that the control group stays the same
        campaign = replace(kept, plan=plan, version=kept.version + 1, updated_ms=now_ms)
    unit.campaigns.put(project_id, campaign)
    return EditResult((campaign, kept is None), campaigns=CampaignChange(kept, campaign))


def set_status(
    unit: Unit, project_id: str, campaign_id: str, status: Status, now_ms: int
) -> EditResult:
    """Activate, pause or return to draft; the value is the campaign.

    Raises:
        NotFound: There is no such campaign.
        Conflict: It would become active and matches no store or no ring (code `matches_nothing`).
    """
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is None:
        raise NotFound
    if kept.status == status:
        return EditResult(kept)
    if status == "active":
        _require_a_match(unit, project_id, kept)
    campaign = replace(kept, status=status, updated_ms=now_ms)
    unit.campaigns.put(project_id, campaign)
    return EditResult(campaign, campaigns=CampaignChange(kept, campaign))


def _require_a_match(unit: Unit, project_id: str, campaign: Campaign) -> None:
    trigger = campaign.plan.trigger
    matches = unit.campaigns.matches(project_id, trigger)
    if not matches.stores:
        raise Conflict(
            "No store matches /trigger/stores, so this campaign could never send anything. "
            "Add the stores first, or widen the filter.",
            code="matches_nothing",
        )
    if not matches.rings:
        ring = "any ring" if trigger.ring is None else f"a ring called {trigger.ring}"
        raise Conflict(
            f"{matches.stores} stores match /trigger/stores and none of them has {ring}, "
            "so this campaign could never send anything.",
            code="matches_nothing",
        )


def delete_campaign(unit: Unit, project_id: str, campaign_id: str) -> EditResult:
    """Remove it; its decisions, messages and coupons stay.

    Raises:
        NotFound: There is no such campaign.
    """
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is None:
        raise NotFound
    unit.campaigns.delete(project_id, campaign_id)
    return EditResult(None, campaigns=CampaignChange(kept, None))


def preview(
    campaign: Campaign, now_ms: int, store: Store | None = None, customer: Customer | None = None
) -> list[dict[str, Any]]:
    """Each variant's messages as they would be written; nothing is sent, and no code is issued.

    A store or customer that is not given is invented.

    Returns:
        `{"variant", "channel"}` and the rendered fields of each message.
    """
    case = sample_case(campaign, now_ms, store, customer)
    fields = fields_of(case, coupon_for(case, _sample_decision(case.event.id, now_ms)), SAMPLE_PAGE)
    shown = []
    for variant in campaign.plan.variants:
        for plan in variant.messages:
            kind = CHANNELS[plan.channel]
            content = kind.content(case, plan, fields)
            written = {name: content[name] for name in kind.templates if content[name] is not None}
            shown.append({"variant": variant.name, "channel": plan.channel, **written})
    return shown


def _sample_decision(event_id: str, now_ms: int) -> Decision:
    return Decision(
        id="",
        project_id="",
        event_id=event_id,
        campaign_id="",
        campaign_version=0,
        customer_id="",
        device_id="",
        store_id=None,
        ring=None,
        geofence_id="",
        visit_id="",
        outcome="send",
        reason="send",
        at_ms=now_ms,
    )
