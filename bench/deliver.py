"""Pushes per second of one channel to a sandbox in another process, at two answer times.

python -m bench.deliver [--count 20000] [--batch 1000] [--slow-ms 100] [--json FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.report import Clock, write
from geofence.delivery.channels.fcm.channel import Fcm
from geofence.model.message import OutboxMessage

NOW_MS = time.time_ns() // 1_000_000


def serve(pipe: Connection) -> None:
    from api.sandbox import Sandbox

    with Sandbox.start() as sandbox:
        pipe.send((sandbox.credentials_path, sandbox.fcm_endpoint))
        pipe.recv()
        pipe.send(len(sandbox.attempts()))


def batch(start: int, size: int, token: str) -> list[OutboxMessage]:
    content = {
        "title": "2 for 1",
        "body": "Coffee is 120 m away. Code K7QX-9B2M",
        "link": "app://offers/K7QX9B2M",
        "data": {"store": 17},
    }
    return [
        OutboxMessage(
            f"msg_{start + place:026d}",
            "bench",
            "push",
            f"{token}{place}",
            content,
            NOW_MS,
            NOW_MS + 900_000,
        )
        for place in range(size)
    ]


def run(channel: Fcm, count: int, size: int, token: str) -> dict[str, Any]:
    """Send messages in batches; pushes per second, CPU of this process, and their verdicts."""
    verdicts: dict[str, int] = {}
    clock = Clock()
    for start in range(0, count, size):
        for _, outcome in channel.send(batch(start, min(size, count - start), token), NOW_MS):
            verdicts[outcome.verdict] = verdicts.get(outcome.verdict, 0) + 1
    return {
        "pushes_s": count / clock.wall_s(),
        "cpu_us": clock.cpu_s() / count * 1e6,
        "verdicts": verdicts,
    }


def measure(channel: Fcm, count: int, size: int, slow_ms: int) -> list[dict[str, Any]]:
    """A row for each answer time of the provider, in milliseconds."""
    run(channel, size, size, "warm")
    found = []
    for answer_ms, token in ((0, "ok"), (slow_ms, f"slow={slow_ms}:")):
        found.append({"answer_ms": answer_ms, **run(channel, count, size, token)})
        print(line(found[-1]), flush=True)
    return found


def line(row: dict[str, Any]) -> str:
    figures = f"{row['pushes_s']:>8,.0f} pushes/s  {row['cpu_us']:>5.0f} µs CPU each"
    return f"answers after {row['answer_ms']:>4} ms  {figures}  {row['verdicts']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--slow-ms", type=int, default=100)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipe, far = context.Pipe()
    server = context.Process(target=serve, args=(far,))
    server.start()
    path, endpoint = pipe.recv()
    channel = Fcm(path, endpoint=endpoint)
    found = measure(channel, asked.count, asked.batch, asked.slow_ms)
    channel.close()
    pipe.send("done")
    print(f"the sandbox received {pipe.recv():,}")
    server.join()
    write(asked.json, "deliver", rows=found)


if __name__ == "__main__":
    main()
