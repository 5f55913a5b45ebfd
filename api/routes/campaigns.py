"""Campaigns: what is offered to whom, when and where."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import (
    Manager,
    OpenServices,
    Reader,
    edit,
    json_body,
    read_one,
    read_page,
    reply,
    services_of,
)
from api.http.auth import Caller
from api.http.body import read_body
from api.http.describe import describe
from api.http.fields import PlainName
from api.http.merge_patch import PatchBody, patched
from api.http.problems import invalid, not_valid
from api.schemas.campaigns import (
    CampaignFilters,
    CampaignIn,
    CampaignOut,
    CampaignPage,
    PreviewIn,
    PreviewOut,
    PreviewPage,
    patched_campaign,
    read_campaign,
)
from api.services import Services
from geofence.errors import NotFound
from geofence.model.campaign import Campaign
from geofence.offers import campaigns
from geofence.offers.edits import DeleteCampaign, PutCampaign, SetCampaignStatus
from geofence.ports.listing import CampaignFilter, CustomerFilter, Listing, StoreFilter

router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"])
T = TypeVar("T")
F = TypeVar("F")
CampaignId = Annotated[PlainName, Path(description="The retailer's id.")]


async def _read(campaign_id: CampaignId, request: Request) -> CampaignIn:
    body, now_ms = await json_body(request), services_of(request).clock.now_ms()
    return await run_in_threadpool(read_campaign, body, campaign_id, now_ms)


async def _asked(request: Request) -> PreviewIn:
    limit = services_of(request).settings.max_body_bytes
    if not (body := await read_body(request, limit)).strip():
        return PreviewIn()
    try:
        return PreviewIn.model_validate_json(body)
    except ValidationError as error:
        raise not_valid(error) from None


@router.put(
    "/{campaign_id}", **describe(CampaignOut, 200, 201, refuses=[404, 409], body=CampaignIn)
)
async def put_campaign(
    campaign_id: CampaignId,
    services: OpenServices,
    caller: Manager,
    body: Annotated[CampaignIn, Depends(_read)],
) -> Response:
    """Insert or replace a campaign.

    What cannot work is refused with the field named; an identical plan changes nothing.
    """
    kept, created = await edit(services, caller.project_id, _put(campaign_id, body))
    return await _answer(services, caller, kept, 201 if created else 200)


@router.patch("/{campaign_id}", **describe(CampaignOut, 200, refuses=[404, 409], patch=CampaignIn))
async def patch_campaign(
    campaign_id: CampaignId, services: OpenServices, caller: Manager, patch: PatchBody
) -> Response:
    """Change some fields of a campaign, by JSON Merge Patch.

    `variants` is replaced as a whole; the result is checked like a body of PUT.
    """
    now_ms = services.clock.now_ms()

    def prepare(old: Campaign) -> PutCampaign:
        return _put(campaign_id, patched_campaign(old, patch, now_ms), old)

    async def read() -> Campaign:
        listing = services.database.queries.campaigns
        return await read_one(listing, caller.project_id, CampaignFilter(id=campaign_id))

    kept, _ = await patched(services, caller.project_id, read, prepare)
    return await _answer(services, caller, kept)


@router.get("/{campaign_id}", **describe(CampaignOut, 200, refuses=[404, 422]))
async def get_campaign(campaign_id: CampaignId, services: OpenServices, caller: Reader) -> Response:
    """One campaign."""
    return await _answer(services, caller, await _campaign(services, caller, campaign_id))


@router.delete("/{campaign_id}", **describe(None, 204, refuses=[404, 422]))
async def delete_campaign(
    campaign_id: CampaignId, services: OpenServices, caller: Manager
) -> Response:
    """Remove a campaign; what it decided, sent and issued stays."""
    await edit(services, caller.project_id, DeleteCampaign(campaign_id=campaign_id))
    return Response(status_code=204)


@router.post("/{campaign_id}/activate", **describe(CampaignOut, 200, refuses=[404, 409, 422]))
async def activate_campaign(
    campaign_id: CampaignId, services: OpenServices, caller: Manager
) -> Response:
    """Activate a campaign, from the next event on. One that matches no store or ring is refused."""
    return await _turn(services, caller, campaign_id, "active")


@router.post("/{campaign_id}/pause", **describe(CampaignOut, 200, refuses=[404, 409, 422]))
async def pause_campaign(
    campaign_id: CampaignId, services: OpenServices, caller: Manager
) -> Response:
    """Pause a campaign: events are decided on, and nothing is sent."""
    return await _turn(services, caller, campaign_id, "paused")


@router.post(
    "/{campaign_id}/preview",
    **describe(PreviewPage, 200, refuses=[404], body=PreviewIn, body_required=False),
)
async def preview_campaign(
    campaign_id: CampaignId,
    services: OpenServices,
    caller: Reader,
    body: Annotated[PreviewIn, Depends(_asked)],
) -> Response:
    """Every message, filled in for a store and a customer. Nothing is sent, no code is issued."""
    queries, campaign = services.database.queries, await _campaign(services, caller, campaign_id)
    store = await _named(queries.stores, caller, StoreFilter(id=body.store), "store")
    customer = await _named(queries.customers, caller, CustomerFilter(id=body.customer), "customer")
    now_ms = services.clock.now_ms()
    shown = await run_in_threadpool(campaigns.preview, campaign, now_ms, store, customer)
    return reply(PreviewPage(tuple(msgspec.convert(shown, tuple[PreviewOut, ...]))))


@router.get("", **describe(CampaignPage, 200, refuses=[400, 422]))
async def list_campaigns(
    services: OpenServices, caller: Reader, filters: Annotated[CampaignFilters, Query()]
) -> Response:
    """Campaigns by id."""
    wanted = filters.wanted(CampaignFilter)
    rows, more = await read_page(
        services.database.queries.campaigns, caller.project_id, wanted, filters
    )
    return reply(CampaignPage(tuple(map(CampaignOut.of, rows)), more))


async def _campaign(services: Services, caller: Caller, campaign_id: str) -> Campaign:
    listing = services.database.queries.campaigns
    return await read_one(listing, caller.project_id, CampaignFilter(id=campaign_id))


async def _named(listing: Listing[T, F], caller: Caller, filters: F, field: str) -> T | None:
    """What a field of the body names; None where it names nothing."""
    if getattr(filters, "id", None) is None:
        return None
    try:
        return await read_one(listing, caller.project_id, filters)
    except NotFound:
        raise invalid((f"/{field}", f"There is no such {field} in this project.")) from None


async def _answer(
    services: Services, caller: Caller, campaign: Campaign, status: int = 200
) -> Response:
    matches = await run_in_threadpool(
        services.database.queries.campaign_matches,
        caller.project_id,
        campaign.plan.trigger,
        services.clock.now_ms() - campaigns.SEEN_MS,
    )
    return reply(CampaignOut.of(campaign, matches), status)


def _put(campaign_id: str, body: CampaignIn, expected: Campaign | None = None) -> PutCampaign:
    return PutCampaign(
        campaign_id=campaign_id, plan=body.plan(), status=body.status, expected=expected
    )


async def _turn(
    services: Services, caller: Caller, campaign_id: str, status: Literal["active", "paused"]
) -> Response:
    change = SetCampaignStatus(campaign_id=campaign_id, status=status)
    kept = await edit(services, caller.project_id, change)
    return await _answer(services, caller, kept)
