"""A load generator that costs little: prepared bytes over raw sockets, one process, no threads.

    python -m bench.loader PLAN

It reads a plan (JSON: address, connections, how an answer ends) and the requests beside it, keeps
one request in flight per connection, and prints one JSON line: seconds, its own CPU seconds, and
the answer times.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

Ending = Literal["http", "lines"]
_LENGTH = struct.Struct("<II")
_TAKE = 1 << 18


def write_requests(path: Path, lanes: Iterable[Sequence[tuple[int, bytes]]]) -> None:
    """Store what each connection sends, as (pings, request) in order."""
    with path.open("wb") as file:
        for number, lane in enumerate(lanes):
            for pings, request in lane:
                file.write(_LENGTH.pack(number << 16 | pings, len(request)))
                file.write(request)


def _read_requests(path: Path, connections: int) -> list[list[tuple[int, bytes]]]:
    lanes: list[list[tuple[int, bytes]]] = [[] for _ in range(connections)]
    data, at = path.read_bytes(), 0
    while at < len(data):
        head, size = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        lanes[head >> 16].append((head & 0xFFFF, data[at : at + size]))
        at += size
    return lanes


def run(
    port: int, lanes: Sequence[Sequence[tuple[int, bytes]]], folder: Path, ending: Ending
) -> dict[str, Any]:
    """Start the generator as a process of its own against 127.0.0.1 and return what it measured."""
    requests, plan = folder / "requests.bin", folder / "plan.json"
    write_requests(requests, lanes)
    plan.write_text(
        json.dumps(
            {"port": port, "connections": len(lanes), "ending": ending, "requests": str(requests)}
        )
    )
    command = [sys.executable, "-m", "bench.loader", str(plan)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return dict(json.loads(done.stdout))


class _Connection:
    """One socket, its requests, and the answer that is coming in."""

    def __init__(self, port: int, requests: list[tuple[int, bytes]], ending: Ending) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests, self.ending = iter(requests), ending
        self.answer, self.pings, self.sent_s = b"", 0, 0.0

    def send_next(self) -> bool:
        """Send the next request; False when there is none."""
        found = next(self.requests, None)
        if found is None:
            return False
        self.pings, request = found
        self.answer, self.sent_s = b"", time.perf_counter()
        self.socket.setblocking(True)
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Take what has come; True when the answer is whole. Raises where it is a refusal."""
        got = self.socket.recv(_TAKE)
        if not got:
            raise ConnectionError("the service closed a connection")
        self.answer += got
        return self._whole_http() if self.ending == "http" else self._whole_lines()

    def _whole_http(self) -> bool:
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return False
        if b" 202 " not in head[:16]:
            raise RuntimeError(self.answer[:500].decode(errors="replace"))
        at = head.lower().index(b"content-length:") + 15
        return len(body) >= int(head[at : at + 12].split(b"\r\n", 1)[0])

    def _whole_lines(self) -> bool:
        if self.answer[:1] == b"-":
            raise RuntimeError(self.answer[:200].decode(errors="replace"))
        return self.answer.count(b"\r\n") >= self.pings


def _drive(connections: list[_Connection]) -> Iterator[float]:
    """Answer times in seconds, until every connection has sent all it has."""
    with selectors.DefaultSelector() as ready:
        for one in connections:
            if one.send_next():
                ready.register(one.socket, selectors.EVENT_READ, one)
        while ready.get_map():
            yield from _answered(ready)


def _answered(ready: selectors.BaseSelector) -> Iterator[float]:
    """Take what has come; for each whole answer its time, and the next request is sent."""
    for key, _ in ready.select(60):
        one: _Connection = key.data
        if not one.receive():
            continue
        yield time.perf_counter() - one.sent_s
        if not one.send_next():
            ready.unregister(one.socket)


def main() -> None:
    """Send everything and print what it took."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    lanes = _read_requests(Path(plan["requests"]), plan["connections"])
    connections = [_Connection(plan["port"], lane, plan["ending"]) for lane in lanes]
    cpu_s, begun_s = time.process_time(), time.perf_counter()
    answers_s = sorted(_drive(connections))
    took_s = time.perf_counter() - begun_s
    print(
        json.dumps(
            {
                "took_s": took_s,
                "loader_cpu_s": time.process_time() - cpu_s,
                "pings": sum(pings for lane in lanes for pings, _ in lane),
                "p50_ms": 1000 * answers_s[len(answers_s) // 2],
                "p99_ms": 1000 * answers_s[int(len(answers_s) * 0.99)],
            }
        )
    )


if __name__ == "__main__":
    main()
