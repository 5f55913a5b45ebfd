"""The people of an invented town as a retailer's app knows them, with their consent.

About half agreed to push and e-mail, a quarter to e-mail only. Some have an account and no consent,
and some are only a phone without an account.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from geofence.model.account import Device
from geofence.model.customer import Consent, Customer, Purpose, QuietHours
from geofence.simulate.walk import Mover

Reach = Literal["push and e-mail", "e-mail", "nothing", "unknown"]

REACHES: tuple[tuple[Reach, int], ...] = (
    ("push and e-mail", 11),
    ("e-mail", 4),
    ("nothing", 3),
    ("unknown", 2),
)
AGREED: dict[Reach, tuple[Purpose, ...]] = {
    "push and e-mail": ("location", "push", "email"),
    "e-mail": ("location", "email"),
    "nothing": (),
    "unknown": (),
}
DOMAIN = "marrowfield.example"  # RFC 2606: no mail ever leaves for it

_FIRST = (
    "Ada", "Bo", "Cleo", "Dara", "Eli", "Fay", "Gus", "Hana", "Ivo", "Juno", "Kai", "Lena", "Milo",
    "Nia", "Otto", "Pia", "Rhea", "Sol", "Tess", "Uma", "Vito", "Wren", "Yara", "Zeno",
)  # fmt: skip
_LAST = (
    "Alder", "Birk", "Croft", "Dale", "Esker", "Fenn", "Garth", "Holt", "Ings", "Knoll", "Lea",
    "Marsh", "Ness", "Pike", "Shaw", "Thorpe",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shopper:
    """A phone and its owner; `customer` is None without a login."""

    device: Device
    customer: Customer | None
    reach: Reach


def shoppers(movers: Sequence[Mover], start_ms: int, seed: int = 1) -> tuple[Shopper, ...]:
    """The shoppers of these movers, in the same order.

    `start_ms` (epoch ms UTC) is the time of their consent.
    """
    return tuple(
        _shopper(mover, start_ms, random.Random(f"shopper {seed} {mover.device_id}"))
        for mover in movers
    )


def _shopper(mover: Mover, start_ms: int, chance: random.Random) -> Shopper:
    number = int(mover.device_id[-3:])
    reach = _reach(number, chance)
    platform = chance.choice(("ios", "android"))
    if reach == "unknown":
        return Shopper(Device(mover.device_id, platform=platform), None, reach)
    token = f"demo-{mover.device_id}" if reach == "push and e-mail" else None
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    customer = Customer(
        customer_id=f"customer-{number:03d}",
        email=f"{first}.{last}.{number}@{DOMAIN}".lower(),
        attributes={"first_name": first, "last_name": last},
        consent={purpose: Consent(True, start_ms, "app") for purpose in AGREED[reach]},
        quiet_hours=QuietHours("22:00", "07:00") if number % 12 == 0 else None,
    )
    return Shopper(Device(mover.device_id, customer.customer_id, platform, token), customer, reach)


def _reach(number: int, chance: random.Random) -> Reach:
    """Movers that start at a store are reachable, by turns by push and by e-mail.

    A demo then shows both channels at once.
    """
    if number % 10 == 1:
        return "e-mail" if number % 20 == 11 else "push and e-mail"
    reaches, weights = zip(*REACHES, strict=True)
    chosen: Reach = chance.choices(reaches, weights)[0]
    return chosen
