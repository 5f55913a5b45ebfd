"""Follows the stream of events, and goes on after the last one when the connection breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import msgspec
from httpx_sse import SSEError, connect_sse


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
    decode = msgspec.json.Decoder(Happening).decode
    last_id = "0"
    with httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(60.0),
        trust_env=False,
    ) as client:
        while not stop.is_set():
            after = {"Last-Event-ID": last_id}
            try:
                with connect_sse(client, "GET", "/v1/events/stream", headers=after) as source:
                    source.response.raise_for_status()
                    for event in source.iter_sse():
                        if event.data:  # a block may hold `retry` alone
                            yield decode(event.data)
                            last_id = event.id
            except (httpx.TransportError, SSEError):
                stop.wait(0.5)
