"""What a gate gets to see: one event, one campaign, one customer, at one moment.

Everything looked up beforehand.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from geofence.model.account import Device
from geofence.model.campaign import Campaign, EmailPlan, InAppPlan, MessagePlan, PushPlan, Variant
from geofence.model.customer import Customer
from geofence.model.decision import Decision
from geofence.model.event import Event
from geofence.model.place import Store


class Case(msgspec.Struct, frozen=True):
    """One event x campaign x customer.

    `now_ms` epoch ms UTC; `local` the same moment on the wall of the store (naive); `store_open`
    None where the hours are unknown; `devices` the customer's, with a push token, last seen first;
    `sent` the customer's send and holdout decisions, oldest first; `rings` the radius (m) of each
    ring of the store by name; `approach` those of `sent` made on this approach.
    """

    event: Event
    campaign: Campaign
    now_ms: int
    local: datetime
    store: Store | None = None
    store_open: bool | None = None
    customer: Customer | None = None
    devices: tuple[Device, ...] = ()
    sent: tuple[Decision, ...] = ()
    approach: tuple[Decision, ...] = ()
    rings: dict[str, float] = {}

    def sendable(self, variant: Variant) -> list[MessagePlan]:
        """The messages of a variant that may go to this customer.

        Consent and an address for each.
        """
        pushes = [
            plan
            for plan in variant.messages
            if isinstance(plan, PushPlan) and self._may("push") and self.devices
        ]
        chosen: list[MessagePlan] = [*pushes]
        for plan in variant.messages:
            mailed = (
                isinstance(plan, EmailPlan)
                and (plan.when == "always" or not pushes)
                and self._may("email")
                and self._email
            )
            if mailed or isinstance(plan, InAppPlan):
                chosen.append(plan)
        return chosen

    def lacking(self, variant: Variant) -> list[str]:
        """What stands between this customer and a variant that has nothing to send.

        `consent:push`, `address:email` ...
        """
        lacks = []
        for plan in variant.messages:
            if isinstance(plan, PushPlan):
                lacks.append("consent:push" if not self._may("push") else "address:push")
            elif isinstance(plan, EmailPlan):
                lacks.append("consent:email" if not self._may("email") else "address:email")
        return lacks

    def _may(self, purpose: str) -> bool:
        return self.customer is not None and self.customer.agreed(purpose)  # type: ignore[arg-type]  # callers name purposes

    @property
    def _email(self) -> str | None:
        return None if self.customer is None else self.customer.email
