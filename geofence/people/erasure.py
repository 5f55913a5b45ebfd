"""Erasing a customer: what is removed, and what stays without a name.

This is the only list; a backend carries it out, and the receipt is written from it.
"""

from __future__ import annotations

from geofence.model.erasure import Blank, Erasure
from geofence.ports.unit import Unit

# Messages take their attempts along.
REMOVED = ("customers", "decisions", "messages")

# Facts of the retailer's that stay anonymised. A device also loses its push token, which is the
# customer's address; a code can no longer be used, and a redeemed single-use code stays redeemed.
BLANKED = (
    Blank("devices", {"customer_id": None, "push_token": None}),
    Blank("visits", {"customer_id": None}),
    Blank("events", {"customer_id": None}),
    Blank("coupons", {"status": "void"}, unless={"single_use": True, "status": "redeemed"}),
    Blank("coupons", {"customer_id": ""}),
)
ANONYMISED = tuple(dict.fromkeys(blank.noun for blank in BLANKED))

# Answers kept for an Idempotency-Key may name the customer. Suppressions stay: they hold a digest,
# and a customer who asks for silence and then for erasure asks for both.
ERASURE = Erasure(REMOVED, BLANKED, mentions=("idempotency",))


def erase(unit: Unit, project_id: str, customer_id: str) -> None:
    """Erase the customer from the record and from hot state."""
    if customer_id:  # the empty id stands for no customer
        unit.customers.erase(project_id, customer_id, ERASURE)
