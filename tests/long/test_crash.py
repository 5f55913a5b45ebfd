"""Forty deaths at random moments under load.

Nothing acknowledged is lost, nothing happens twice.
"""

from __future__ import annotations

import contextlib
import random
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.rigs import crowd
from tests.rigs.poster import Poster
from tests.rigs.postgres import running_postgres
from tests.rigs.running import Service

KILLS = 40
LANES = 6
DEVICES = 20
SIZE = 25

pytestmark = pytest.mark.timeout(3600)


def facts(client: httpx.Client) -> list[crowd.Fact]:
    """Every event the service tells."""
    events: list[crowd.Fact] = []
    cursor: str | None = None
    while True:
        page = client.get(
            "/v1/events", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})
        ).json()
        for event in page["data"]:
            ts_ms = round(datetime.fromisoformat(event["ts"]).timestamp() * 1000)
            events.append((event["kind"], event["device_id"], event["geofence_id"], ts_ms))
        cursor = page["next_cursor"]
        if cursor is None:
            return events


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_forty_kills_under_load_lose_nothing_and_double_nothing(
    backend: str, tmp_path: Path
) -> None:
    steps = 600  # 50 minutes, just under the silence that ends a presence
    start_ms = int(time.time() * 1000) - (steps + 10) * crowd.STEP_MS
    bodies = [crowd.batches(lane, DEVICES, steps, SIZE, start_ms) for lane in range(LANES)]
    expected = crowd.expected(bodies, tmp_path)
    dice = random.Random(40)
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/record.db"
        if backend == "postgresql":
            url = stack.enter_context(running_postgres()).fresh()
        service = stack.enter_context(Service(url, tmp_path / "service.log"))
        with service.client() as client:
            crowd.put_fences(client)
        posters = [Poster(service, lane) for lane in bodies]
        for poster in posters:
            poster.start()
        kills = 0
        while kills < KILLS and any(poster.is_alive() for poster in posters):
            time.sleep(dice.uniform(0.05, 0.6))
            service.kill()
            kills += 1
            service.start()
        for poster in posters:
            poster.join(600)
        with service.client() as client:
            found = facts(client)
    again = sum(poster.again for poster in posters)
    print(
        f"\n{backend}: {kills} kills, {sum(map(len, bodies))} batches, {again} posted again,"
        f" {len(found)} events of {len(expected)}"
    )
    assert [poster.wrong for poster in posters] == [[] for _ in posters]
    assert len(found) == len(set(found)), "an event was reported twice"
    assert set(found) == expected
    assert kills == KILLS, "the load ended before the killing did"
