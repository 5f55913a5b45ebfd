"""Follows the stream of events, and goes on after the last one when the connection breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import msgspec
from httpx_sse import ServerSentEvent, SSEError, connect_sse

RETRY_S = 0.5


class Happening(msgspec.Struct, frozen=True):
    """What the demo shows of an event; the rest is left out."""

    kind: str
    device_id: str
    geofence_id: str
    ts: str
    store_id: str | None = None
    ring: str | None = None
    duration_s: float | None = None


def watch(url: str, key: str, stop: threading.Event) -> Iterator[Happening]:
    """Every event of the project from its first on, until `stop` is set.

    A broken connection is opened again after the last event.
    """
    last_id = "0"
    with _client(url, key) as client:
        while not stop.is_set():
            for event in _until_broken(client, last_id):
                last_id = event.id
                yield _DECODE(event.data)
            stop.wait(0.5)


_DECODE = msgspec.json.Decoder(Happening).decode


def _client(url: str, key: str) -> httpx.Client:
    headers, timeout = {"Authorization": f"Bearer {key}"}, httpx.Timeout(60.0)
    return httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)


def _until_broken(client: httpx.Client, last_id: str) -> Iterator[ServerSentEvent]:
    """The events after `last_id` that one connection brings."""
    after = {"Last-Event-ID": last_id}
    try:
        with connect_sse(client, "GET", "/v1/events/stream", headers=after) as source:
            source.response.raise_for_status()
            # a block without data may hold `retry` alone
            yield from (event for event in source.iter_sse() if event.data)
    except (httpx.TransportError, SSEError):
        return
