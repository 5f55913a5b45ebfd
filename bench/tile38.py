"""Tile38 in the same run, where `tile38-server` is on PATH.

The same circles become fences, the same pings become pipelined SETs. Its configuration is the usual
one, with the append-only file.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report import Clock

Places = tuple[NDArray[np.float64], NDArray[np.float64]]

SERVER = "tile38-server"
BATCH = 1_000
DEVICES = 1_000
MOST_PINGS = 5_000  # enough for a figure at some thousands a second
PATIENCE_S = 120.0


class Server(NamedTuple):
    """A server that this process started."""

    port: int
    pid: int


def measured(fences: Places, radius_m: float, pings: Places) -> dict[str, float]:
    """Pings per second (`tile38`) and CPU of the server per ping (`tile38_cpu_us`).

    Empty where there is no such server.
    """
    count = min(MOST_PINGS, len(pings[0]))
    with tempfile.TemporaryDirectory() as name, serving(fences, radius_m, Path(name)) as server:
        if server is None:
            return {}
        sets = [
            command("SET", "fleet", f"d{nth % DEVICES}", "POINT", pings[0][nth], pings[1][nth])
            for nth in range(count)
        ]
        with _connected(server.port) as connection:
            clock = Clock(server.pid)
            for batch in _batches(iter(sets)):
                _sent(connection, batch)
            return {"tile38": count / clock.wall_s(), "tile38_cpu_us": clock.cpu_s() / count * 1e6}


@contextmanager
def serving(fences: Places, radius_m: float, folder: Path) -> Iterator[Server | None]:
    """A server that knows these circles and has a subscriber; None where it is not installed."""
    binary = shutil.which(SERVER)
    if binary is None:
        yield None
        return
    port = _free_port()
    process = subprocess.Popen(
        [binary, "-h", "127.0.0.1", "-p", str(port), "-d", str(folder), "-q"]
    )
    try:
        with _connected(port) as connection:
            lat, lon = fences[0], fences[1]
            for batch in _batches(
                _fence(nth, lat[nth], lon[nth], radius_m) for nth in range(len(lat))
            ):
                _sent(connection, batch)
        subscriber = _connected(port)
        subscriber.sendall(command("PSUBSCRIBE", "*"))
        threading.Thread(target=_drain, args=(subscriber,), daemon=True).start()
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _drain(subscriber: socket.socket) -> None:
    with subscriber:
        subscriber.settimeout(None)
        while subscriber.recv(1 << 16):
            continue


def _fence(nth: int, lat: float, lon: float, radius_m: float) -> bytes:
    words = ("NEARBY", "fleet", "FENCE", "DETECT", "enter,exit", "POINT", lat, lon, radius_m)
    return command("SETCHAN", f"f{nth}", *words)


def command(*words: object) -> bytes:
    """One command in RESP, the protocol Tile38 shares with Redis."""
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(
        b"$%d\r\n%s\r\n" % (len(part), part) for part in parts
    )


def _batches(commands: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for one in commands:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _sent(connection: socket.socket, batch: list[bytes]) -> None:
    """Send a pipeline and read its answers, one line each; raises where one is an error."""
    connection.sendall(b"".join(batch))
    answers = b""
    while answers.count(b"\r\n") < len(batch):
        got = connection.recv(1 << 16)
        if not got:
            raise ConnectionError("the server closed the connection")
        answers += got
    if any(line.startswith(b"-") for line in answers.split(b"\r\n")):
        raise RuntimeError(answers.split(b"\r\n", 1)[0].decode())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int) -> socket.socket:
    until_s = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        except ConnectionRefusedError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)
