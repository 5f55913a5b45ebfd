"""The content of an offer that an app shows: title, body, link and data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from geofence.model.case import Case
from geofence.templates import render


class AppPlan(Protocol):
    """The plan of a channel whose offers an app shows."""

    @property
    def title(self) -> str:
        """A template."""

    @property
    def body(self) -> str:
        """A template."""

    @property
    def link(self) -> str | None:
        """A template, where there is one."""


def app_content(case: Case, plan: AppPlan, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The rendered offer. `near` is False for one that is meant for a customer who has left."""
    data = {
        "campaign_id": case.campaign.id,
        "store_id": case.event.store_id or "",
        "why": fields["unsubscribe_url"],
    }
    if fields["coupon"]["code"]:
        data["coupon"] = fields["coupon"]["code"]
    content: dict[str, Any] = {
        "title": render(plan.title, fields),
        "body": render(plan.body, fields),
        "link": None if plan.link is None else render(plan.link, fields),
        "data": data,
    }
    if case.event.kind == "geofence.exited":
        content["near"] = False
    return content
