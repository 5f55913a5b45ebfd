"""Decisions, with the coupons and messages that they lead to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from geofence.model.decision import Coupon, Decision
from geofence.model.message import OutboxMessage


@dataclass(slots=True)
class NewDecisions:
    """What `decide` and `compose` add to a unit: decisions, their coupons and their messages."""

    decisions: list[Decision] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)


class Decisions(Protocol):
    """What was decided about customers, within a unit that has locked them."""

    def sent(self, project_id: str, customer_ids: Iterable[str], since_ms: int) -> list[Decision]:
        """Decisions `send` and `holdout` of these customers since then (inclusive), oldest first.

        Released decisions are left out: a `send` whose messages all ended without any attempt.
        """

    def caused_by(
        self, project_id: str, event_ids: Iterable[str], now_ms: int
    ) -> list[tuple[str, OutboxMessage]]:
        """(event id, message) of every unexpired message that these events led to, oldest first."""

    def save(self, new_decisions: NewDecisions) -> None:
        """Write decisions, coupons and messages."""
