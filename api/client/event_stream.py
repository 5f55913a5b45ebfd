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
    """Every event of the project from its first on, until `stop` is set.

    A broken line is picked up again after the last one.
    """
    headers = {"Authorization": f"Bearer {key}"}
    decode = msgspec.json.Decoder(Happening).decode
    bookmark = _Bookmark()
    with httpx.Client(
        base_url=url, headers=headers, timeout=httpx.Timeout(60.0), trust_env=False
    ) as client:
        while not stop.is_set():
            try:
                yield from map(decode, _messages(client, bookmark))
            except httpx.TransportError:
                stop.wait(0.5)


class _Bookmark:
    """The place in the stream after the last event that was handed on."""

    last = "0"


def _messages(client: httpx.Client, bookmark: _Bookmark) -> Iterator[str]:
    seen = bookmark.last
    with client.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": seen}) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "id":
                seen = value
            elif field == "data":
                yield value
                bookmark.last = seen
