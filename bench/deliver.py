"""Pushes per second of one channel against the sandbox in a process of its own, at several answer times.

python bench/deliver.py [--count 20000] [--batch 1000] [--slow-ms 100]
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.connection import Connection

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


def run(channel: Fcm, count: int, size: int, token: str) -> tuple[float, dict[str, int]]:
    verdicts: dict[str, int] = {}
    begun = time.perf_counter()
    for start in range(0, count, size):
        for _, outcome in channel.send(batch(start, min(size, count - start), token), NOW_MS):
            verdicts[outcome.verdict] = verdicts.get(outcome.verdict, 0) + 1
    return count / (time.perf_counter() - begun), verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--slow-ms", type=int, default=100)
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipe, far = context.Pipe()
    server = context.Process(target=serve, args=(far,))
    server.start()
    path, endpoint = pipe.recv()
    channel = Fcm(path, endpoint=endpoint)
    run(channel, given.batch, given.batch, "warm")
    cpu = time.process_time()
    for name, token in (("at once", "ok"), (f"after {given.slow_ms} ms", f"slow={given.slow_ms}:")):
        rate, verdicts = run(channel, given.count, given.batch, token)
        used, cpu = time.process_time() - cpu, time.process_time()
        print(
            f"answers {name:<14} {rate:>8,.0f} pushes/s  {used / given.count * 1e6:>5.0f} us CPU each  {verdicts}"
        )
    channel.close()
    pipe.send("done")
    print(f"the sandbox saw {pipe.recv():,}")
    server.join()


if __name__ == "__main__":
    main()
