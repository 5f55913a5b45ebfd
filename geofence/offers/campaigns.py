"""Saving a campaign.

What cannot work is refused here, with the field named, and not at the store's door.
"""

from __future__ import annotations

import secrets
from collections import Counter
from datetime import date
from typing import Any

from msgspec.structs import replace

from geofence.errors import InputError, NotFound
from geofence.model.campaign import Campaign, Plan, Status
from geofence.model.decision import Decision
from geofence.model.edit import CampaignChange, EditResult
from geofence.offers.filling import (
    SAMPLE_PAGE,
    check_templates,
    coupon_for,
    fields_of,
    sample_case,
    templates_of,
)
from geofence.ports.unit import Unit
from geofence.templates import render

Problem = tuple[str, str]


def check_plan(plan: Plan, now_ms: int) -> None:
    """Raises `InputError` (code `invalid_campaign`) with a pointer and words for everything that cannot work.

    It fills in every template, which may take seconds: do it before the unit, so that nobody waits for it.
    """
    campaign = Campaign("", plan)
    wrong = [*_problems(plan), *check_templates(campaign, sample_case(campaign, now_ms))]
    if wrong:
        raise InputError("This campaign cannot work.", code="invalid_campaign", errors=tuple(wrong))


def put_campaign(
    unit: Unit, project_id: str, campaign_id: str, plan: Plan, now_ms: int, *, checked: bool = False
) -> EditResult:
    """Save a plan; the value is (campaign, created).

    An identical plan changes nothing. `checked`: by `check_plan`, just now.

    Raises `InputError` (code `invalid_campaign`) with a pointer and words for everything that
    cannot work.
    """
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is not None and kept.plan == plan:
        return EditResult((kept, False))
    campaign = Campaign(
        campaign_id, plan, salt=secrets.token_hex(8), created_ms=now_ms, updated_ms=now_ms
    )
    if kept is not None:
        # the salt stays: whoever was held out is held out still
        campaign = replace(kept, plan=plan, version=kept.version + 1, updated_ms=now_ms)
    if not checked:
        check_plan(plan, now_ms)
    unit.campaigns.put(project_id, campaign)
    return EditResult((campaign, kept is None), campaigns=CampaignChange(kept, campaign))


def set_status(
    unit: Unit, project_id: str, campaign_id: str, status: Status, now_ms: int
) -> EditResult:
    """Activate, pause or take back; the value is the campaign. Raises `NotFound`."""
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is None:
        raise NotFound
    if kept.status == status:
        return EditResult(kept)
    campaign = replace(kept, status=status, updated_ms=now_ms)
    unit.campaigns.put(project_id, campaign)
    return EditResult(campaign, campaigns=CampaignChange(kept, campaign))


def delete_campaign(unit: Unit, project_id: str, campaign_id: str) -> EditResult:
    """Remove it; what it decided, sent and issued stays. Raises `NotFound`."""
    unit.edit(project_id)
    kept = unit.campaigns.get(project_id, campaign_id)
    if kept is None:
        raise NotFound
    unit.campaigns.delete(project_id, campaign_id)
    return EditResult(None, campaigns=CampaignChange(kept, None))


def preview(campaign: Campaign, now_ms: int) -> list[dict[str, Any]]:
    """Each variant's messages, filled in for somebody who does not exist.

    `{"variant", "channel", fields...}`.
    """
    case = sample_case(campaign, now_ms)
    event = case.event
    decision = Decision(
        "",
        "",
        event.id,
        campaign.id,
        campaign.version,
        "",
        event.device_id,
        event.store_id,
        None,
        "",
        "",
        "send",
        "send",
        now_ms,
    )
    fields = fields_of(case, coupon_for(case, decision), SAMPLE_PAGE)
    return [
        {"variant": variant.name, "channel": plan.channel}
        | {name: render(source, fields, html=name == "html") for name, source in templates_of(plan)}
        for variant in campaign.plan.variants
        for plan in variant.messages
    ]


def _problems(plan: Plan) -> list[Problem]:
    wrong: list[Problem] = []
    trigger, schedule = plan.trigger, plan.schedule
    if (trigger.event == "dwelled") != (trigger.dwell_s is not None):
        wrong.append(("/trigger/dwell_s", "needed for `dwelled`, and only there"))
    if schedule.from_ and schedule.until and schedule.until < schedule.from_:
        wrong.append(("/schedule/until", "lies before `from`"))
    for name, day in (("from", schedule.from_), ("until", schedule.until)):
        if day is not None and not _is_date(day):
            wrong.append((f"/schedule/{name}", "is no day of any year"))
    if schedule.between is not None and schedule.between[0] == schedule.between[1]:
        wrong.append(("/schedule/between", "begins and ends at the same time: that is never"))
    if len(set(schedule.days)) != len(schedule.days):
        wrong.append(("/schedule/days", "names a day twice"))
    return wrong + _variant_problems(plan)


def _variant_problems(plan: Plan) -> list[Problem]:
    names = Counter(variant.name for variant in plan.variants)
    wrong: list[Problem] = [
        (f"/variants/{place}/name", "is the name of another variant")
        for place, variant in enumerate(plan.variants)
        if names[variant.name] > 1
    ]
    for place, variant in enumerate(plan.variants):
        for channel, count in Counter(plan.channel for plan in variant.messages).items():
            if count > 1:
                wrong.append(
                    (
                        f"/variants/{place}/messages",
                        f"has {count} messages on the channel {channel}; one is enough",
                    )
                )
    return wrong


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
