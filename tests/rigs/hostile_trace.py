"""Random requests as bad clients and bad networks make them, for comparing two ways of one street.

Phones that walk, drive, jump and lie; duplicates, late and repeated pings, ids that come again with
other content, customers that change, times and positions that cannot be, requests in bursts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile

T0 = 1_760_000_000_000
PHONES = 60
_SOUTH, _NORTH, _WEST, _EAST = 48.0, 48.06, 11.0, 11.09
_METRE_DEG = 1 / 111_195


def fences(dice: random.Random, profile: str) -> list[Geofence]:
    """Forty circles; `mixed` gives each a profile of its own."""
    found = []
    for nth in range(40):
        name: Any = dice.choice(["exact", "balanced", "strict"]) if profile == "mixed" else profile
        region = {
            "type": "circle",
            "lat": dice.uniform(_SOUTH, _NORTH),
            "lon": dice.uniform(_WEST, _EAST),
            "radius_m": dice.choice([30, 80, 150, 300]),
        }
        dwell_s = (60, 300) if nth % 3 == 0 else ()
        found.append(
            Geofence(f"gf_{nth}", f"f{nth}", region, profile=Profile(name, dwell_s=dwell_s))
        )
    return found


@dataclass
class _Phone:
    name: str
    lat: float
    lon: float
    turn: float
    speed_mps: float
    ts_ms: int
    sends_ids: bool
    has_customer: bool


class HostileTrace:
    """Requests, one after the other; `seed` makes them again."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.sent: list[PingIn] = []
        self.phones = [self._phone(nth) for nth in range(PHONES)]

    def requests(self, count: int) -> Iterator[list[PingIn]]:
        """`count` requests of 1 to 120 pings; now and then one comes twice."""
        dice, last = self.dice, list[PingIn]()
        for _ in range(count):
            if last and dice.random() < 0.05:
                yield last
                continue
            live = dice.sample(self.phones, dice.choice([1, 5, 20, PHONES]))
            last = [
                self._item(dice.choice(live)) for _ in range(dice.choice([1, 1, 1, 5, 40, 120]))
            ]
            if dice.random() < 0.3:
                dice.shuffle(last)
            yield last

    def _phone(self, nth: int) -> _Phone:
        dice = self.dice
        return _Phone(
            f"d{nth}",
            dice.uniform(_SOUTH, _NORTH),
            dice.uniform(_WEST, _EAST),
            dice.uniform(0, 2 * math.pi),
            dice.choice([0.0, 1.4, 1.4, 8.0, 20.0]),
            T0 + dice.randrange(60_000),
            dice.random() < 0.2,
            dice.random() < 0.2,
        )

    def _item(self, phone: _Phone) -> PingIn:
        """A new ping, or one of the last 300 again: as it was, late, or changed under its id."""
        chance = self.dice.random()
        if self.sent and chance < 0.065:
            old = self.dice.choice(self.sent[-300:])
            if chance < 0.04 or not isinstance(old.ts, int):
                return old
            if chance < 0.06:
                late_ms = self.dice.choice([1, 1000, 30_000])
                return _changed(old, id=None, ts=old.ts - late_ms)
            return _changed(old, lat=min(old.lat + 0.001, 90.0))
        self.sent.append(self._ping(phone))
        return self.sent[-1]

    def _ping(self, phone: _Phone) -> PingIn:
        self._move(phone)
        dice = self.dice
        ping = PingIn(
            round(phone.lat + dice.gauss(0, 1e-4), 6),
            round(phone.lon + dice.gauss(0, 1e-4), 6),
            phone.ts_ms,
            phone.name,
            id=f"i{len(self.sent)}" if phone.sends_ids else None,
            accuracy_m=dice.choice([5, 10, 20, 65, 150, 300]) if dice.random() < 0.8 else None,
            customer_id=self._customer(phone),
        )
        return self._spoilt(ping)

    def _move(self, phone: _Phone) -> None:
        dice = self.dice
        gap_s = dice.choice([5, 15, 30, 60, 110, 200])
        gap_s = dice.choice([4000, 9000]) if dice.random() < 0.03 else gap_s
        phone.ts_ms += gap_s * 1000 + dice.randrange(1000)
        phone.turn += dice.gauss(0, 0.6)
        moved_deg = phone.speed_mps * min(gap_s, 300) * _METRE_DEG
        phone.lat += math.cos(phone.turn) * moved_deg
        phone.lon += math.sin(phone.turn) * moved_deg / math.cos(math.radians(phone.lat))
        if dice.random() < 0.01:
            phone.lat += dice.choice([-0.02, 0.02])
        if not (_SOUTH < phone.lat < _NORTH and _WEST < phone.lon < _EAST):
            phone.turn += math.pi
        phone.lat = min(max(phone.lat, _SOUTH), _NORTH)
        phone.lon = min(max(phone.lon, _WEST), _EAST)

    def _customer(self, phone: _Phone) -> str | None:
        if not phone.has_customer or self.dice.random() < 0.5:
            return None
        return f"c-{phone.name}" if self.dice.random() < 0.95 else f"c-{phone.name}-other"

    def _spoilt(self, ping: PingIn) -> PingIn:
        """Some pings are mocked, wild, at 0,0, or cannot be true."""
        chance = self.dice.random()
        for bound, change in (
            (0.02, {"mocked": True}),
            (0.04, {"lat": ping.lat + self.dice.choice([0.5, 3.0])}),
            (0.045, {"lat": 0.0, "lon": 0.0}),
            (0.05, {"lat": 91.0}),
            (0.055, {"accuracy_m": -1.0}),
            (0.06, {"ts": 5}),
            (0.065, {"device_id": ""}),
        ):
            if chance < bound:
                return _changed(ping, **change)
        return ping


def _changed(ping: PingIn, **fields: Any) -> PingIn:
    from msgspec.structs import replace

    return replace(ping, **fields)
