"""The stream of events: live, resumed, filtered, and ended in order."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.rigs.shop import Shop, open_shop, run, until

CIRCLE = {"type": "circle", "lat": 1.0, "lon": 2.0, "radius_m": 100}


def _move(shop: Shop, at_s: int, inside: bool, device_id: str = "phone") -> None:
    body = {
        "device_id": device_id,
        "lat": 1.0 if inside else 5.0,
        "lon": 2.0,
        "ts": shop.now_ms - 600_000 + at_s * 1000,
    }
    assert shop.client.post("/v1/pings", json=body).status_code == 202


def _events(answer: httpx.Response) -> Iterator[tuple[int, dict[str, Any]]]:
    seq = 0
    for line in answer.iter_lines():
        if line.startswith("id: "):
            seq = int(line[4:])
        elif line.startswith("data: "):
            yield seq, json.loads(line[6:])


def _open_streams(shop: Shop) -> float:
    return shop.running.services.metrics.registry.get_sample_value("geofence_event_streams") or 0.0


def test_events_arrive_as_they_happen_and_a_reconnect_misses_none(shop: Shop) -> None:
    shop.client.put("/v1/geofences/g", json={"region": CIRCLE, "profile": "exact"})
    _move(shop, 0, inside=True)  # before a client listens: not sent
    with shop.client.stream("GET", "/v1/events/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        until(lambda: _open_streams(shop) == 1)
        _move(shop, 10, inside=False)
        last_seq, event = next(_events(answer))
        assert event["kind"] == "geofence.exited"
    _move(shop, 20, inside=True)
    _move(shop, 30, inside=False)
    with shop.client.stream(
        "GET", "/v1/events/stream", headers={"Last-Event-ID": str(last_seq)}
    ) as answer:
        events = _events(answer)
        assert [next(events)[1]["kind"] for _ in range(2)] == [
            "geofence.entered",
            "geofence.exited",
        ]
    with shop.client.stream("GET", "/v1/events/stream", params={"since_seq": 0}) as answer:
        events = _events(answer)
        everything = [next(events)[1] for _ in range(4)]
    assert everything == shop.client.get("/v1/events").json()["data"]


def test_a_stream_tells_only_the_kinds_asked_for_and_nothing_of_other_tenants(shop: Shop) -> None:
    other = open_shop(shop.running, "other")
    for one in (shop, other):
        one.client.put("/v1/geofences/g", json={"region": CIRCLE, "profile": "exact"})
    with shop.client.stream(
        "GET", "/v1/events/stream", params={"kind": "geofence.exited"}
    ) as answer:
        events = _events(answer)
        _move(other, 0, inside=True, device_id="stranger")
        _move(other, 1, inside=False, device_id="stranger")
        _move(shop, 2, inside=True)
        _move(shop, 3, inside=False)
        _, event = next(events)
    assert (event["kind"], event["device_id"]) == ("geofence.exited", "phone")


def test_a_place_in_the_stream_that_is_no_number_is_refused(shop: Shop) -> None:
    for wrong in ("x", "-1", str(2**63)):
        assert shop.client.get("/v1/events/stream", params={"since_seq": wrong}).status_code == 422
        assert (
            shop.client.get("/v1/events/stream", headers={"Last-Event-ID": wrong}).status_code
            == 422
        )


def test_a_silent_stream_says_that_it_is_still_there_and_ends_when_its_key_is_revoked(
    tmp_path: Path, sqlite_template: Path
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "record.db")
    running = run(f"sqlite:///{tmp_path}/record.db", sse_keepalive_s=1)
    shop = open_shop(running)
    made = shop.client.post("/v1/keys", json={"kind": "sk", "scopes": ["read"]}).json()
    with shop.with_key(made["secret"]).stream("GET", "/v1/events/stream") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(":")) == ": still here"
        shop.client.delete(f"/v1/keys/{made['key']['id']}")
        assert not any(line.startswith("data") for line in lines)  # and it ends
    running.stop()


def test_an_orderly_end_ends_the_streams_and_answers_what_is_under_way(
    tmp_path: Path, sqlite_template: Path
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "record.db")
    running = run(f"sqlite:///{tmp_path}/record.db")
    shop = open_shop(running)
    ended = threading.Event()

    def listen() -> None:
        with shop.client.stream("GET", "/v1/events/stream") as answer:
            answer.read()
        ended.set()

    listener = threading.Thread(target=listen)
    listener.start()
    until(lambda: _open_streams(shop) == 1)
    running.stop()
    assert ended.wait(10)
    listener.join()
