"""Tile38 in the same run, where `tile38-server` is on PATH.

The same circles become fences, the same pings become pipelined SETs. Its configuration is the usual
one, with the append-only file.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from bench.report import Clock

Places = tuple[NDArray[np.float64], NDArray[np.float64]]

SERVER = "tile38-server"
BATCH = 1_000
DEVICES = 1_000
MOST_PINGS = 5_000  # enough for a figure at some thousands a second
PATIENCE_S = 120.0


def measured(fences: Places, radius_m: float, pings: Places) -> dict[str, float]:
    """Pings per second (`tile38`) and CPU of the server per ping (`tile38_cpu_us`).

    Empty where there is no such server.
    """
    binary = shutil.which(SERVER)
    if binary is None:
        return {}
    count = min(MOST_PINGS, len(pings[0]))
    with _running(binary) as (connection, pid):
        for batch in _batches(
            _fence(nth, lat, lon, radius_m)
            for nth, (lat, lon) in enumerate(zip(*fences, strict=True))
        ):
            _sent(connection, batch)
        sets = [
            _command("SET", "fleet", f"d{nth % DEVICES}", "POINT", pings[0][nth], pings[1][nth])
            for nth in range(count)
        ]
        clock = Clock(pid)
        for batch in _batches(iter(sets)):
            _sent(connection, batch)
        return {"tile38": count / clock.wall_s(), "tile38_cpu_us": clock.cpu_s() / count * 1e6}


def _fence(nth: int, lat: float, lon: float, radius_m: float) -> bytes:
    return _command(
        "SETCHAN",
        f"f{nth}",
        "NEARBY",
        "fleet",
        "FENCE",
        "DETECT",
        "enter,exit",
        "POINT",
        lat,
        lon,
        radius_m,
    )


def _command(*words: object) -> bytes:
    """One command in RESP, the protocol Tile38 shares with Redis."""
    parts = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(
        b"$%d\r\n%s\r\n" % (len(part), part) for part in parts
    )


def _batches(commands: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for command in commands:
        batch.append(command)
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


@contextmanager
def _running(binary: str) -> Iterator[tuple[socket.socket, int]]:
    """A connection to a server on a free port of this machine, and the server's process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([binary, "-h", "127.0.0.1", "-p", str(port), "-d", folder, "-q"])
        try:
            with _connected(port) as connection:
                yield connection, server.pid
        finally:
            server.terminate()
            server.wait(10)


def _connected(port: int) -> socket.socket:
    until_s = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        except ConnectionRefusedError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.05)
