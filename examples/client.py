"""A phone's walk past a store: create both, post two pings, read what happened.

python examples/client.py http://127.0.0.1:8000 sk_try_me
"""

from __future__ import annotations

import sys
import time
from typing import Any

import httpx

STORE = {
    "name": "Example bakery",
    "lat": 48.2082,
    "lon": 16.3738,
    "rings": [{"name": "near", "radius_m": 150}],
}
# Nothing was stored, or the answer was lost: the same request again has one effect.
SEND_AGAIN = {429, 502, 503, 504}
ATTEMPTS = 5


def call(client: httpx.Client, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request, which is repeated unchanged while the service is busy."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.2 * 2**attempt)
        try:
            answer = client.request(method, path, json=body)
        except httpx.TransportError as error:
            print(f"no answer ({error}); sending the same again", file=sys.stderr)
            continue
        if answer.status_code in SEND_AGAIN:
            continue
        if answer.is_error:
            problem = answer.json()  # RFC 9457: a stable `code`, and pointers to the fields
            raise SystemExit(f"{problem['code']}: {problem['detail']} {problem.get('errors', '')}")
        return dict(answer.json())
    raise SystemExit(f"no answer after {ATTEMPTS} attempts")


def walk(url: str, key: str) -> None:
    """Outside, then inside five minutes later; prints one line for each event, and the hint."""
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10
    ) as client:
        call(client, "PUT", "/v1/stores/example-bakery", STORE)
        device = f"python-{time.time_ns()}"
        call(client, "PUT", f"/v1/devices/{device}", {"platform": "android"})
        now_ms = time.time_ns() // 1_000_000
        for lat, ts_ms in ((48.2120, now_ms - 300_000), (48.2085, now_ms)):
            ping = {"lat": lat, "lon": 16.3738, "accuracy_m": 10, "ts": ts_ms}
            answer = call(client, "POST", f"/v1/devices/{device}/ping?wake=circle", ping)
            for event in answer["events"]:
                print(f"{event['kind']} {event['geofence_id']} {-event['edge_m']:.0f} m inside")
            for offer in answer["offers"]:
                print(f"offer: {offer['title']}")
            hint = answer["hint"]
            print(f"may move {hint['safe_radius_m']} m and sleep {hint['next_ping_s']} s")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    walk(sys.argv[1], sys.argv[2])
