"""Decisions: why an offer was made, or not."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from api.http.fields import Name
from api.http.filters import By, TimedPage
from api.schemas.shown import Moment, shown
from geofence.model.decision import Decision, GateResult, Outcome


class DecisionOut(msgspec.Struct, frozen=True):
    """What was decided for one event, campaign and customer.

    `trace` holds what each gate found, up to the first gate that refused.
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
        return shown(cls, decision)


class DecisionPage(msgspec.Struct, frozen=True):
    """A page of decisions, by time."""

    data: tuple[DecisionOut, ...]
    next_cursor: str | None


class DecisionFilters(TimedPage):
    """Which decisions."""

    customer: By = None
    campaign: By = None
    store: By = None
    device: By = None
    event: By = None
    outcome: Outcome | None = None
    reason: Annotated[
        Name | None, Field(description="The whole reason, such as `send` or `holdout`.")
    ] = None
