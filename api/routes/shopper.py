"""The shopper's page behind every message: who wrote, why, and one button that ends it.

It needs no log-in and no script.

Its address holds the message's id, which cannot be guessed. GET changes nothing: mail scanners
follow links.
"""

from __future__ import annotations

import re
from html import escape
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.dependencies import OpenServices, edit
from api.http.body import read_body
from api.http.describe import refusal
from api.services import Services
from geofence.delivery.channels import CAMPAIGN_CHANNELS
from geofence.model.message import OutboxMessage
from geofence.people.edits import WithdrawConsent
from geofence.ports.listing import (
    CampaignFilter,
    CustomerFilter,
    DecisionFilter,
    Listing,
    MessageFilter,
    StoreFilter,
)
from geofence.ports.queries import Queries

router = APIRouter(prefix="/p", tags=["shopper"])
MAX_FORM_BYTES = 65_536
T = TypeVar("T")
F = TypeVar("F")
_ID = re.compile(r"msg_[0-9A-Z]{26}")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto;
  padding: 0 1rem; color: #1c1c1c; background: #fff }}
button {{ font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: .4rem; color: #fff;
  background: #1f4e8c; cursor: pointer }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_BUTTON = (
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    "<button>Stop {what}</button></form>"
)
_HTML = {"content": {"text/html": {"schema": {"type": "string"}}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _HTML | {"description": "A page to read."},
    404: _HTML | {"description": "No message has this address (any more)."},
    "default": refusal(503),
}
_FORM = {
    "required": False,
    "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
}
MessageId = Annotated[str, Path(description="As in the link of the message.")]


class Letter(NamedTuple):
    """A message with what its page tells of it; empty where that is no more."""

    message: OutboxMessage
    sender: str
    campaign: str
    store: str
    stopped: bool


@router.get(
    "/{message_id}", response_class=HTMLResponse, responses=_ANSWERS, openapi_extra={"security": []}
)
async def why(message_id: MessageId, services: OpenServices) -> Response:
    """Who wrote, why, and a button that ends it."""
    letter = await run_in_threadpool(_letter, services.database.queries, message_id)
    return _nothing() if letter is None else _page(f"A message from {letter.sender}", _why(letter))


@router.post(
    "/{message_id}",
    response_class=HTMLResponse,
    responses=_ANSWERS,
    openapi_extra={"security": [], "requestBody": _FORM},
)
async def stop(message_id: MessageId, request: Request, services: OpenServices) -> Response:
    """Withdraw the consent behind the message.

    The button of the page, or a mail program's one click (RFC 8058).
    """
    await read_body(request, MAX_FORM_BYTES)  # the form itself says nothing more
    letter = await run_in_threadpool(_letter, services.database.queries, message_id)
    if letter is None:
        return _nothing()
    await _withdraw(services, letter.message)
    what = CAMPAIGN_CHANNELS[letter.message.channel].stops
    return _page("Done", f"<p>{escape(letter.sender)} will not send you {what} any more.</p>")


async def _withdraw(services: Services, message: OutboxMessage) -> None:
    purpose = CAMPAIGN_CHANNELS[message.channel].purpose

    change = WithdrawConsent(
        customer_id=message.customer_id, purpose=purpose, source=f"the page of {message.id}"
    )
    await edit(services, message.project_id, change)


def _letter(queries: Queries, message_id: str) -> Letter | None:
    if not _ID.fullmatch(message_id):
        return None
    # every project: the id is the only secret of the page's address
    message = _first(queries.messages, None, MessageFilter(id=message_id))
    if message is None or message.channel not in CAMPAIGN_CHANNELS:
        return None
    project_id = message.project_id
    project = queries.project(project_id)
    campaign = _first(queries.campaigns, project_id, CampaignFilter(id=message.campaign_id))
    customer = _first(queries.customers, project_id, CustomerFilter(id=message.customer_id))
    decision = _first(queries.decisions, project_id, DecisionFilter(id=message.decision_id))
    store_id = decision.store_id if decision else None
    store = _first(queries.stores, project_id, StoreFilter(id=store_id)) if store_id else None
    return Letter(
        message,
        sender=project.name if project else "",
        campaign=campaign.plan.name if campaign else "",
        store=store.name if store else "",
        stopped=customer is None or not customer.agreed(CAMPAIGN_CHANNELS[message.channel].purpose),
    )


def _first(listing: Listing[T, F], project_id: str | None, filters: F) -> T | None:
    found = listing.page(project_id, filters, None, 1)
    return found[0] if found else None


def _why(letter: Letter) -> str:
    near = f" near <b>{escape(letter.store)}</b>" if letter.store else ""
    part = (
        f" It was part of the campaign <b>{escape(letter.campaign)}</b>." if letter.campaign else ""
    )
    what = CAMPAIGN_CHANNELS[letter.message.channel].stops
    sender = f"<b>{escape(letter.sender)}</b>"
    text = (
        f"<p>You were{near or ' near a store'}, and you agreed to {what} from {sender}.{part}</p>"
    )
    end = f"<p>You get no {what} any more.</p>" if letter.stopped else _BUTTON.format(what=what)
    return text + end


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, _HEADERS)


def _nothing() -> Response:
    return _page("Nothing here", "<p>No message has this address, or it was erased.</p>", 404)
