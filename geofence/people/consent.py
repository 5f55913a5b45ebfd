"""What a customer agreed to, after new statements: a refusal is never lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from geofence.model.customer import Consent, Purpose


class Statement(NamedTuple):
    """What a customer said about one purpose.

    `at_ms` (epoch ms UTC) is None where no time was given; `source` is where they said it.
    """

    granted: bool
    at_ms: int | None = None
    source: str = ""


def merge(
    known: Mapping[Purpose, Consent], said: Mapping[Purpose, Statement], now_ms: int
) -> dict[Purpose, Consent]:
    """The consents after statements that replace those before.

    A grant that is not repeated is gone; a refusal stays even when it is not mentioned any more.
    """
    refused = {purpose: consent for purpose, consent in known.items() if not consent.granted}
    return refused | {
        purpose: latest(known.get(purpose), statement, now_ms)
        for purpose, statement in said.items()
    }


def latest(known: Consent | None, said: Statement, now_ms: int) -> Consent:
    """The consent that holds after a statement, which was made at `now_ms` where it has no time.

    The same statement repeated without a time keeps the time of the first. An old grant does not
    undo a newer refusal.
    """
    consent = Consent(said.granted, now_ms if said.at_ms is None else said.at_ms, said.source)
    if known is None:
        return consent
    if said.at_ms is None and replace(known, at_ms=now_ms) == consent:
        return known
    older_grant = consent.granted and not known.granted and consent.at_ms < known.at_ms
    return known if older_grant else consent


def withdraw(
    consents: Mapping[Purpose, Consent], purpose: Purpose, now_ms: int, source: str
) -> dict[Purpose, Consent]:
    """The consents without this one: it is refused from `now_ms` on."""
    return {**consents, purpose: Consent(False, now_ms, source)}
