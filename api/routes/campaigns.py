"""Campaigns: what is offered to whom, when and where."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import (
    AtHouse,
    Cursor,
    Limit,
    Manager,
    Reader,
    edit,
    json_body,
    read_one,
    read_page,
    reply,
)
from api.http.auth import Caller
from api.http.describe import describe
from api.http.fields import PlainName
from api.schemas.campaigns import (
    CampaignIn,
    CampaignOut,
    CampaignPage,
    PreviewOut,
    PreviewPage,
    read_plan,
)
from api.services import Services
from geofence.model.campaign import Campaign, Status
from geofence.offers import campaigns
from geofence.offers.edits import DeleteCampaign, PutCampaign, SetCampaignStatus
from geofence.ports.listing import CampaignFilter

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
CampaignId = Annotated[PlainName, Path(description="The retailer's id.")]


async def _plan(campaign_id: CampaignId, request: Request) -> CampaignIn:
    return read_plan(await json_body(request), campaign_id)


@router.put(
    "/{campaign_id}", **describe(CampaignOut, 200, 201, refuses=[404, 409], body=CampaignIn)
)
async def put_campaign(
    campaign_id: CampaignId,
    services: AtHouse,
    caller: Manager,
    body: Annotated[CampaignIn, Depends(_plan)],
) -> Response:
    """Insert or replace a campaign.

    What cannot work is refused with the field named; an identical plan changes nothing.
    """
    plan, now_ms = body.plan(), services.clock.now_ms()
    await run_in_threadpool(campaigns.check_plan, plan, now_ms)

    kept, created = await edit(
        services,
        caller.project_id,
        PutCampaign(campaign_id=campaign_id, plan=plan, status=body.status),
    )
    return reply(CampaignOut.of(kept), 201 if created else 200)


@router.get("/{campaign_id}", **describe(CampaignOut, 200, refuses=[404, 422]))
async def get_campaign(campaign_id: CampaignId, services: AtHouse, caller: Reader) -> Response:
    """One campaign."""
    return reply(CampaignOut.of(await _campaign(services, caller, campaign_id)))


@router.delete("/{campaign_id}", **describe(None, 204, refuses=[404, 422]))
async def delete_campaign(campaign_id: CampaignId, services: AtHouse, caller: Manager) -> Response:
    """Remove a campaign; what it decided, sent and issued stays."""
    await edit(services, caller.project_id, DeleteCampaign(campaign_id=campaign_id))
    return Response(status_code=204)


@router.post("/{campaign_id}/activate", **describe(CampaignOut, 200, refuses=[404, 409, 422]))
async def activate_campaign(
    campaign_id: CampaignId, services: AtHouse, caller: Manager
) -> Response:
    """Let a campaign run, from the next event on."""
    return await _turn(services, caller, campaign_id, "active")


@router.post("/{campaign_id}/pause", **describe(CampaignOut, 200, refuses=[404, 409, 422]))
async def pause_campaign(campaign_id: CampaignId, services: AtHouse, caller: Manager) -> Response:
    """Let a campaign rest: events are decided, and nobody is told."""
    return await _turn(services, caller, campaign_id, "paused")


@router.post("/{campaign_id}/preview", **describe(PreviewPage, 200, refuses=[404, 422]))
async def preview_campaign(campaign_id: CampaignId, services: AtHouse, caller: Reader) -> Response:
    """Every message, filled in for somebody who does not exist. Nothing is sent."""
    campaign = await _campaign(services, caller, campaign_id)
    shown = await run_in_threadpool(campaigns.preview, campaign, services.clock.now_ms())
    return reply(PreviewPage(tuple(msgspec.convert(shown, tuple[PreviewOut, ...]))))


@router.get("", **describe(CampaignPage, 200, refuses=[400, 422]))
async def list_campaigns(
    services: AtHouse,
    caller: Reader,
    status: Annotated[Status | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Campaigns by id."""
    listing, filters = services.database.queries.campaigns, CampaignFilter(status=status)
    rows, more = await read_page(listing, caller.project_id, filters, cursor, limit)
    return reply(CampaignPage(tuple(map(CampaignOut.of, rows)), more))


async def _campaign(services: Services, caller: Caller, campaign_id: str) -> Campaign:
    listing = services.database.queries.campaigns
    return await read_one(listing, caller.project_id, CampaignFilter(id=campaign_id))


async def _turn(
    services: Services, caller: Caller, campaign_id: str, status: Literal["active", "paused"]
) -> Response:
    change = SetCampaignStatus(campaign_id=campaign_id, status=status)
    kept = await edit(services, caller.project_id, change)
    return reply(CampaignOut.of(kept))
