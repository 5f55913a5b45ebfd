"""Follows the stream of events (Server-Sent Events, WHATWG HTML section 9.2) and comes back where it was when the line breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import msgspec


class Happening(msgspec.Struct, frozen=True):
    """What a bystander wants to know of an event; the rest is left out."""

    kind: str
    device_id: str
    geofence_id: str
    ts: str
    store_id: str | None = None
    ring: str | None = None
    duration_s: float | None = None


def watch(url: str, key: str, stop: threading.Event) -> Iterator[Happening]:
    """Every event of the project from now on, until `stop` is set. A broken line is picked up again after the last event seen."""
    headers = {"Authorization": f"Bearer {key}"}
    decode = msgspec.json.Decoder(Happening).decode
    place = "0"
    with httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(60.0), trust_env=False) as client:
        while not stop.is_set():
            try:
                for seen, data in _messages(client, place):
                    yield decode(data)
                    place = seen
                    if stop.is_set():
                        return
            except httpx.TransportError:
                stop.wait(0.5)


def _messages(client: httpx.Client, last: str) -> Iterator[tuple[str, str]]:
    seen = last
    with client.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": last}) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "id":
                seen = value
            elif field == "data":
                yield seen, value
