"""From real walks to pushes.

Caps kept, nothing lost, nothing twice but in the one window that is named, also under SIGKILL.

`make test-offers` runs it. The sandbox stands in for the push provider over real sockets; nothing
leaves the machine.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from api.sandbox import Sandbox
from geofence.backends.sql.database import open_database
from geofence.model.decision import Decision
from geofence.model.message import OutboxMessage
from tests.rigs import crowd, real_trace
from tests.rigs.poster import Poster
from tests.rigs.running import Service

DAY_S = 86_400
KILLS = 40
CABS = int(os.environ.get("GEOFENCE_TEST_CABS", "150"))  # fewer for a shorter run

pytestmark = pytest.mark.timeout(3600)


class Found(NamedTuple):
    """What the record holds when everything has come to rest."""

    decisions: list[Decision]
    messages: dict[str, OutboxMessage]
    coupons: list[Any]
    attempts: dict[str, int]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.start(directory=tmp_path / "sandbox") as sandbox:
        yield sandbox


def service_for(sandbox: Sandbox, directory: Path, **more: str) -> Service:
    """The service on a new record, with the sandbox as its provider."""
    settings = {name.removeprefix("GEOFENCE_"): value for name, value in sandbox.settings().items()}
    return Service(
        f"sqlite:///{directory}/record.db", directory / "service.log", **settings, **more
    )


def put_people(client: httpx.Client, devices: list[str]) -> None:
    """Each device belongs to a customer of its own who agrees to everything."""
    agreed = {
        purpose: {"granted": True, "source": "test"} for purpose in ("location", "push", "email")
    }
    for device in devices:
        client.put(
            f"/v1/customers/c-{device}", json={"email": f"{device}@example.org", "consent": agreed}
        ).raise_for_status()
        body = {
            "platform": "android",
            "push_token": f"token-{device}",
            "customer_id": f"c-{device}",
        }
        client.put(f"/v1/devices/{device}", json=body).raise_for_status()


def put_campaign(client: httpx.Client, *, count: int, window_s: int, ttl_s: int) -> None:
    """One campaign for every store, with a coupon and a cap."""
    push = {
        "channel": "push",
        "title": "2 for 1",
        "body": "{{ store.name }}: {{ coupon.code }}",
        "ttl_s": ttl_s,
    }
    plan = {
        "name": "everywhere",
        "trigger": {"event": "entered"},
        "offer": {"title": "2 for 1", "coupon": {"valid_days": 3}},
        "pressure": {"per_customer": {"count": count, "window_s": window_s}},
        "variants": [{"name": "a", "messages": [push]}],
    }
    client.put("/v1/campaigns/everywhere", json=plan).raise_for_status()
    client.post("/v1/campaigns/everywhere/activate").raise_for_status()


def at_rest(client: httpx.Client, within_s: float = 180) -> None:
    """Wait until no message is on its way."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if not client.get("/v1/messages", params={"status": "queued", "limit": 1}).json()["data"]:
            return
        time.sleep(0.2)
    raise AssertionError("messages are still on their way")


def found(directory: Path) -> Found:
    """Everything, read from the record of a stopped service."""
    with contextlib.closing(
        open_database(f"sqlite:///{directory}/record.db", writer=False)
    ) as database:
        [project] = database.queries.projects()
        pages = {
            noun: getattr(database.queries, noun).page(project.id, None, None, 10_000_000)
            for noun in ("decisions", "messages", "coupons")
        }
        attempts = Counter(
            one.message_id
            for one in database.queries.attempts.page(project.id, None, None, 10_000_000)
        )
    return Found(
        pages["decisions"],
        {one.id: one for one in pages["messages"]},
        pages["coupons"],
        dict(attempts),
    )


def check(everything: Found, sandbox: Sandbox) -> Counter[str]:
    """Each fact once; what was sent was seen, what was not was not.

    Returns how often each message was seen.
    """
    decisions, messages, coupons, attempts = everything
    facts = Counter((one.event_id, one.campaign_id, one.customer_id) for one in decisions)
    sends = {one.id for one in decisions if one.outcome == "send"}
    assert max(facts.values()) == 1
    assert {one.decision_id for one in messages.values()} == sends
    assert len(messages) == len(sends), "a decision has two messages"
    assert {one.decision_id for one in coupons} == sends
    assert len({one.code for one in coupons}) == len(coupons) == len(sends)
    seen = Counter(one.message_id for one in sandbox.attempts())
    assert seen.keys() <= messages.keys(), "the provider saw a message that nobody decided"
    sent = {one.id for one in messages.values() if one.status == "sent"}
    assert sent <= seen.keys(), "a message called sent was never seen"
    assert {one.status for one in messages.values()} <= {"sent", "dropped", "expired"}
    # a take whose holder died may have been handed over: only those ended by whoever took them
    # surely were not
    untried = {
        one.id
        for one in messages.values()
        if one.status in ("dropped", "expired") and one.attempt == one.untried
    }
    assert not untried & seen.keys(), "a message was seen although it was dropped or expired"
    for message_id, count in seen.items():
        assert count <= messages[message_id].attempt, "seen more often than it was taken"
    assert all(attempts.get(one, 0) >= 1 for one in sent)
    return seen


def most_in_window(decisions: list[Decision], handed: set[str], window_ms: int) -> int:
    """The most decisions of one customer in any window whose message was handed over."""
    by_customer: dict[str, list[int]] = defaultdict(list)
    for one in decisions:
        if one.id in handed:
            by_customer[one.customer_id].append(one.at_ms)
    most = 0
    for times in by_customer.values():
        times.sort()
        most = max(
            [
                most,
                *(
                    sum(at < other + window_ms for at in times[place:])
                    for place, other in enumerate(times)
                ),
            ]
        )
    return most


@pytest.mark.skipif(bool(real_trace.MISSING), reason=real_trace.MISSING)
@pytest.mark.parametrize("kills", [0, 20])
def test_real_cabs_hear_at_most_once_a_day_and_everything_is_there_once(
    kills: int, tmp_path: Path, sandbox: Sandbox
) -> None:
    names = real_trace.cabs(CABS)
    bodies = list(real_trace.batches(names))
    deaths = set(random.Random(kills).sample(range(len(bodies)), kills))
    with service_for(sandbox, tmp_path, CLOCK="pings") as service, service.client() as client:
        real_trace.put_stores(client)
        put_people(client, names)
        put_campaign(client, count=1, window_s=DAY_S, ttl_s=DAY_S)
        started_s = time.monotonic()
        for number, body in enumerate(bodies):
            if number in deaths:
                die(service, client, body)
            real_trace.post(client, body)
        took_s = time.monotonic() - started_s
        at_rest(client)
    everything = found(tmp_path)
    seen = check(everything, sandbox)
    handed = {everything.messages[one].decision_id for one in seen}
    statuses = Counter((one.status, one.reason) for one in everything.messages.values())
    twice = sum(count > 1 for count in seen.values())
    print(
        f"\n{kills} kills, {took_s:.0f} s: {len(everything.decisions)} decisions,"
        f" {len(everything.messages)} messages {dict(statuses)}"
    )
    print(f"{len(seen)} seen by the provider, {twice} more than once")
    assert len(handed) > 5 * len(names)
    assert most_in_window(everything.decisions, handed, DAY_S * 1000) == 1
    for one in everything.messages.values():
        assert one.status != "sent" or (one.finished_ms or 0) >= one.created_ms
    if not kills:
        assert twice == 0


def die(service: Service, client: httpx.Client, body: bytes) -> None:
    """Post, wait for no answer, and kill."""
    with contextlib.suppress(httpx.TransportError):
        client.post("/v1/pings", content=body, timeout=httpx.Timeout(60, read=0.01))
    service.kill()
    service.start()


def test_forty_kills_under_load_lose_no_message_and_repeat_only_with_the_same_id(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    steps, lanes, devices = 170, 6, 20  # 14 minutes: what is older than 15 is stale
    names = [
        f"lane{lane}-{number}" for lane, number in itertools.product(range(lanes), range(devices))
    ]
    dice = random.Random(41)
    with service_for(sandbox, tmp_path) as service, service.client() as client:
        put_rings(client)
        put_people(client, names)
        put_campaign(client, count=1000, window_s=60, ttl_s=DAY_S)
        # never older than 15 minutes, which would be stale, nor more than 5 ahead, however long the
        # killing takes
        start_ms = int(time.time() * 1000) - 640_000
        bodies = [crowd.batches(lane, devices, steps, 5, start_ms) for lane in range(lanes)]
        posters = [Poster(service, lane) for lane in bodies]
        for poster in posters:
            poster.start()
        kills = 0
        while kills < KILLS and any(poster.is_alive() for poster in posters):
            time.sleep(dice.uniform(0.1, 0.8))
            service.kill()
            kills += 1
            service.start()
        for poster in posters:
            poster.join(600)
        at_rest(client)
    everything = found(tmp_path)
    seen = check(everything, sandbox)
    statuses = Counter((one.status, one.reason) for one in everything.messages.values())
    twice = {message_id: count for message_id, count in seen.items() if count > 1}
    print(
        f"\n{kills} kills: {len(everything.decisions)} decisions,"
        f" {len(everything.messages)} messages {dict(statuses)}"
    )
    print(dict(Counter(one.reason for one in everything.decisions)))
    print(
        f"{len(seen)} seen by the provider, {len(twice)} of them {sum(twice.values())} times,"
        " each with one id"
    )
    assert [poster.wrong for poster in posters] == [[] for _ in posters]
    assert kills == KILLS, "the load ended before the killing did"
    assert len(seen) > 100


def put_rings(client: httpx.Client) -> None:
    """The crowd's fences as rings of stores, since campaigns speak of stores."""
    for name, body in crowd.fences().items():
        region = body["region"]
        ring = {"name": "near", "radius_m": region["radius_m"], "profile": body["profile"]}
        store = {"name": name, "lat": region["lat"], "lon": region["lon"], "rings": [ring]}
        client.put(f"/v1/stores/{name}", json=store).raise_for_status()
