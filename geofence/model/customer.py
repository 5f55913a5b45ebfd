"""A customer: where they can be reached, and what they agreed to."""

from __future__ import annotations

from typing import Any

import msgspec

Purpose = str  # `LOCATION`, or the purpose of a channel; see `geofence.delivery.channels.PURPOSES`
LOCATION: Purpose = "location"


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person said about one purpose. `at_ms` epoch ms UTC; `source` where they said it."""

    granted: bool
    at_ms: int
    source: str = ""


class QuietHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Local times `HH:MM` between which nothing is sent; over midnight when `until` is earlier."""

    start: str
    until: str


class Customer(msgspec.Struct, frozen=True):
    """A person of a project.

    Times epoch ms UTC; a purpose missing from `consent` was never granted.
    """

    customer_id: str
    email: str | None = None
    attributes: dict[str, Any] = {}
    tags: tuple[str, ...] = ()
    consent: dict[Purpose, Consent] = {}
    quiet_hours: QuietHours | None = None
    locale: str | None = None
    created_ms: int = 0
    updated_ms: int = 0

    def agreed(self, purpose: Purpose) -> bool:
        """Whether this purpose is granted now."""
        consent = self.consent.get(purpose)
        return consent is not None and consent.granted
