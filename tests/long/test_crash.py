"""Forty deaths at random moments under load: nothing acknowledged is lost, nothing happens twice."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.servers import crowd
from tests.servers.postgres import running_postgres
from tests.servers.running import Service

KILLS = 40
LANES = 6
DEVICES = 20
SIZE = 25

pytestmark = pytest.mark.timeout(3600)


class Poster(threading.Thread):
    """Posts its bodies in order, each again until it is answered."""

    def __init__(self, service: Service, bodies: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.service, self.bodies = service, bodies
        self.answered = 0
        self.again = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        with self.service.client() as client:
            for body in self.bodies:
                while not self._answered(client, body):
                    self.again += 1
                self.answered += 1

    def _answered(self, client: httpx.Client, body: bytes) -> bool:
        try:
            answer = client.post("/v1/pings", content=body)
        except httpx.TransportError:
            time.sleep(0.1)
            return False
        if answer.status_code == httpx.codes.ACCEPTED:
            if answer.json()["rejected"]:
                self.wrong.append(answer.text)
            return True
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.wrong.append(f"{answer.status_code} {answer.text}")
        return answer.status_code != httpx.codes.SERVICE_UNAVAILABLE


def facts(client: httpx.Client) -> list[crowd.Fact]:
    """Every event the service tells."""
    told: list[crowd.Fact] = []
    cursor: str | None = None
    while True:
        page = client.get("/v1/events", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})).json()
        for event in page["data"]:
            ts_ms = round(datetime.fromisoformat(event["ts"]).timestamp() * 1000)
            told.append((event["kind"], event["device_id"], event["geofence_id"], ts_ms))
        cursor = page["next_cursor"]
        if cursor is None:
            return told


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_forty_kills_under_load_lose_nothing_and_double_nothing(backend: str, tmp_path: Path) -> None:
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
            told = facts(client)
    again = sum(poster.again for poster in posters)
    print(f"\n{backend}: {kills} kills, {sum(map(len, bodies))} batches, {again} posted again, {len(told)} events of {len(expected)}")
    assert [poster.wrong for poster in posters] == [[] for _ in posters]
    assert len(told) == len(set(told)), "an event was told twice"
    assert set(told) == expected
    assert kills == KILLS, "the load ended before the killing did"
