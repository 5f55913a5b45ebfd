"""3,114,384 real pings over HTTP.

The events equal the brute force exactly, also doubled, also under SIGKILL.

Prints pings per second for orientation. `make test-real` runs it; a cut of it runs with every `make
test`.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.rigs import real_trace
from tests.rigs.running import Service

pytestmark = [
    pytest.mark.skipif(bool(real_trace.MISSING), reason=real_trace.MISSING),
    pytest.mark.timeout(3600),
]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "service.log") as service:
        with service.client() as client:
            assert real_trace.put_stores(client) == 829
        yield service


def compared(service: Service, pings: int, started_s: float) -> None:
    took_s = time.monotonic() - started_s
    with service.client() as client:
        events = real_trace.events(client)
    truth = real_trace.truth(real_trace.cabs())
    enters = sum(transition[3] == "enter" for transition in events)
    print(
        f"\n{pings} pings in {took_s:.0f} s, {pings / took_s:.0f} pings/s;"
        f" {enters} enters, {len(events) - enters} exits"
    )
    assert len(events) == len(set(events)), "an event was reported twice"
    assert set(events) == truth


def test_the_whole_trace_gives_exactly_the_transitions_of_the_brute_force(service: Service) -> None:
    started_s, pings = time.monotonic(), 0
    with service.client() as client:
        for body in real_trace.batches(real_trace.cabs()):
            pings += real_trace.post(client, body)["accepted"]
    compared(service, pings, started_s)


def test_every_batch_posted_twice_gives_the_same(service: Service) -> None:
    started_s, pings, duplicates = time.monotonic(), 0, 0
    with service.client() as client:
        for body in real_trace.batches(real_trace.cabs()):
            for _ in range(2):
                answer = real_trace.post(client, body)
                pings, duplicates = pings + answer["accepted"], duplicates + answer["duplicates"]
    assert duplicates == pings
    compared(service, pings + duplicates, started_s)


def test_ten_kills_on_the_way_and_the_unanswered_batch_again_give_the_same(
    service: Service,
) -> None:
    dice = random.Random(20261122)
    bodies = list(real_trace.batches(real_trace.cabs()))
    deaths = set(dice.sample(range(len(bodies)), 10))
    started_s, pings = time.monotonic(), 0
    with service.client() as client:
        for number, body in enumerate(bodies):
            if number in deaths:
                _die_while_posting(service, client, body, dice)
            pings += real_trace.post(client, body)["accepted"]
    compared(service, pings, started_s)


def _die_while_posting(
    service: Service, client: httpx.Client, body: bytes, dice: random.Random
) -> None:
    """Post, do not wait for the answer, and kill a few milliseconds later."""
    with contextlib.suppress(httpx.TransportError):
        client.post(
            "/v1/pings", content=body, timeout=httpx.Timeout(60, read=dice.uniform(0.001, 0.02))
        )
    service.kill()
    service.start()
