"""Posts pings to a running service as a careful client does.

What was not answered is sent again, unchanged.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import httpx
import msgspec

from api.client.traces.columns import Columns

AGAIN = {429, 502, 503, 504}
SHORTEST_S, LONGEST_S = 0.1, 5.0


class PostError(Exception):
    """The service refuses, or cannot be reached.

    The text is for a person and holds no key and no position.
    """


class Posted(msgspec.Struct, omit_defaults=True):
    """A ping as the wire carries it; None is left out."""

    device_id: str
    ts: int
    lat: float | None
    lon: float | None
    accuracy_m: float | None = None
    speed_mps: float | None = None


class _Item(msgspec.Struct):
    code: str


class _Answer(msgspec.Struct):
    accepted: int = 0
    duplicates: int = 0
    rejected: list[_Item] = []
    code: str = ""
    detail: str = ""


class Tally:
    """What became of everything posted so far."""

    def __init__(self) -> None:
        self.accepted = self.duplicates = self.resent = self.pings = 0
        self.rejected: Counter[str] = Counter()
        self._began = time.monotonic()
        self._ended = self._began

    def add(self, pings: int, accepted: int, duplicates: int, codes: Sequence[str]) -> None:
        """Count one answered batch."""
        self.pings += pings
        self.accepted += accepted
        self.duplicates += duplicates
        self.rejected.update(codes)
        self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """From the start to the newest answer."""
        return self._ended - self._began

    def facts(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "pings": self.pings,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": dict(self.rejected),
            "resent_batches": self.resent,
            "seconds": round(self.seconds, 3),
            "pings_per_second": round(self.pings / self.seconds) if self.seconds > 0 else None,
        }


class PingClient:
    """One connection to a service.

    `patience_s` bounds how long one batch is sent again before giving up.
    """

    def __init__(self, url: str, key: str, patience_s: float = 120.0) -> None:
        self.tally = Tally()
        self._url = url.rstrip("/")
        self._patience_s = patience_s
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._client = httpx.Client(
            base_url=self._url,
            headers=headers,
            timeout=httpx.Timeout(30.0, connect=5.0),
            trust_env=False,
        )
        self._decode = msgspec.json.Decoder(_Answer).decode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, pings: Sequence[Posted]) -> None:
        """Post a batch until it is answered.

        Raises `PostError` when it is refused, or patience ends.
        """
        response = self.send("POST", "/v1/pings", msgspec.json.encode(pings))
        answer = self._read(response)
        if response.status_code == 422 and answer.rejected:
            self.tally.add(len(pings), 0, 0, [item.code for item in answer.rejected])
        elif response.is_success:
            self.tally.add(
                len(pings),
                answer.accepted,
                answer.duplicates,
                [item.code for item in answer.rejected],
            )
        else:
            why = f"{answer.code}: {answer.detail or 'no reason given'}"
            raise PostError(f"{self._url} answers {response.status_code} {why}")

    def put(self, path: str, value: Any) -> None:
        """Create or replace a thing. Raises `PostError`."""
        response = self.send("PUT", path, msgspec.json.encode(value))
        if not response.is_success:
            answer = self._read(response)
            raise PostError(
                f"PUT {path} answers {response.status_code} {answer.code}: {answer.detail}"
            )

    def send(self, method: str, path: str, body: bytes) -> httpx.Response:
        """One request, sent again while the service is away or busy, at growing intervals.

        Raises `PostError`.
        """
        began, wait_s = time.monotonic(), SHORTEST_S
        while True:
            why, asked_s = "", 0.0
            try:
                response = self._client.request(method, path, content=body)
                if response.status_code not in AGAIN:
                    return response
                why, asked_s = f"answers {response.status_code}", _asked_s(response)
            except httpx.TransportError as error:
                why = f"does not answer ({type(error).__name__})"
            pause_s = max(asked_s, wait_s * random.uniform(0.5, 1.0))  # noqa: S311 jitter is no secret
            if time.monotonic() + pause_s - began > self._patience_s:
                raise PostError(f"{self._url} {why}, for {self._patience_s:g} s now")
            self.tally.resent += 1
            time.sleep(pause_s)
            wait_s = min(LONGEST_S, 2 * wait_s)

    def _read(self, response: httpx.Response) -> _Answer:
        try:
            return self._decode(response.content)
        except msgspec.DecodeError:
            raise PostError(
                f"{self._url} answers {response.status_code} with something that is not ours"
            ) from None


def posted(columns: Columns) -> list[Posted]:
    """The points of a walk as the wire carries them."""
    rows = zip(
        columns.device_id,
        columns.ts_ms.tolist(),
        columns.lat.tolist(),
        columns.lon.tolist(),
        columns.accuracy_m.tolist(),
        columns.speed_mps.tolist(),
        strict=True,
    )
    return [
        Posted(device, ts_ms, lat, lon, _known(accuracy_m), _known(speed_mps))
        for device, ts_ms, lat, lon, accuracy_m, speed_mps in rows
    ]


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _asked_s(response: httpx.Response) -> float:
    try:
        return min(LONGEST_S, float(response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
