"""Which messages of a variant may go to a customer, and what is lacking for the others."""

from __future__ import annotations

from geofence.delivery.channels import CHANNELS
from geofence.model.campaign import MessagePlan, Variant
from geofence.model.case import Case


def sendable(case: Case, variant: Variant) -> list[MessagePlan]:
    """The messages of a variant for which there are consent and an address.

    A message with `when: no_push` is left out where the variant can push to this customer, and
    likewise for every other channel.
    """
    able = [plan for plan in variant.messages if lack(case, plan.channel) is None]
    channels = {plan.channel for plan in able}
    return [plan for plan in able if plan.when.removeprefix("no_") not in channels]


def lacking(case: Case, variant: Variant) -> list[str]:
    """What keeps this customer from every message of a variant: `consent:push`, `address:email`."""
    lacks = (lack(case, plan.channel) for plan in variant.messages)
    return [found for found in lacks if found is not None]


def lack(case: Case, channel: str) -> str | None:
    """What is missing to reach the customer of a case by a channel; None where nothing is."""
    kind = CHANNELS[channel]
    if case.customer is None or not case.customer.agreed(kind.purpose):
        return f"consent:{channel}"
    return None if kind.address(case) is not None else f"address:{channel}"
