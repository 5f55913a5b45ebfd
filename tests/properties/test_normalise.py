"""A group of requests becomes the columns and refusals that each request becomes by itself."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from math import inf, nan

import pytest

from geofence.model.ping import PingIn
from geofence.street.normalise import normalise

NOW_MS = 1_760_000_000_000


def _ping(dice: random.Random) -> PingIn:
    ts = dice.choice([NOW_MS, NOW_MS - 5, NOW_MS + 10**9, 5, 2**63, -(2**70), 1_760_000_000])
    when = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    return PingIn(
        lat=dice.choice([48.0, 48.1, 0.0, 91.0, nan]),
        lon=dice.choice([16.0, -180.0, 0.0, 181.0, inf]) if dice.random() < 0.3 else 16.0,
        ts=when if dice.random() < 0.3 else ts if dice.random() < 0.5 else NOW_MS,
        device_id=dice.choice(["a", "b", "c" * 128, "", "d" * 129, "x\x07"]),
        id=dice.choice([None, None, "i1"]),
        accuracy_m=dice.choice([None, 8.0, -1.0, inf, nan, 0.0]),
        mocked=dice.random() < 0.1,
        customer_id=dice.choice([None, None, "kim"]),
    )


def _same(one: list[float], other: list[float]) -> bool:
    return [str(value) for value in one] == [str(value) for value in other]


@pytest.mark.parametrize("seed", range(60))
def test_a_group_is_what_its_requests_are_one_by_one(seed: int) -> None:
    dice = random.Random(seed)
    sizes = [dice.choice([0, 1, 1, 5, 40]) for _ in range(dice.choice([1, 3, 30]))]
    requests = [[(2 * nth, _ping(dice)) for nth in range(size)] for size in sizes]
    now_ms = dice.choice([None, NOW_MS])
    group, refused = normalise(requests, now_ms)
    alone = [normalise([items], now_ms) for items in requests]
    assert refused == [some for _, [some] in alone]
    assert len(group) == sum(len(pings) for pings, _ in alone)
    for number, (pings, _) in enumerate(alone):
        part = group.at((group.request == number).nonzero()[0])
        assert part.device_id == pings.device_id
        assert part.index == pings.index
        assert part.ts_ms.tolist() == pings.ts_ms.tolist()
        assert part.lat.tolist() == pings.lat.tolist()
        assert part.lon.tolist() == pings.lon.tolist()
        assert _same(part.accuracy_m.tolist(), pings.accuracy_m.tolist())
        assert part.suspect.tolist() == pings.suspect.tolist()
        assert (part.id or [None] * len(part)) == (pings.id or [None] * len(part))
        assert (part.customer_id or [None] * len(part)) == (pings.customer_id or [None] * len(part))
