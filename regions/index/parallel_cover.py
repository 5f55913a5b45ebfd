"""Covers of very many regions, by several processes.

H3 answers for one cell at a time, so a million circles would keep one core busy for twenty seconds
while the others wait. Each process covers an even part, this one the first. A part whose process
cannot start, fails or is ended is covered here: then it takes longer, and what cannot be covered is
refused in words.

A pool of concurrent.futures is as fast and was not taken: its processes inherit every secret of the
environment, have no time limit, and import the main module once more, which breaks where that is a
script without a guard.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from regions import subprocesses
from regions.index.cover import Pairs, circle_pairs, covered_area
from regions.region import Area

Arrays = list[NDArray[Any]]

# at least so many for a process of their own: starting it takes half a second
CIRCLES, AREAS = 50_000, 1_000
_LIMIT_S = 600.0


def circles(part: Arrays) -> Arrays:
    """From latitudes, longitudes and radii to cells and rows."""
    return _joined(list(circle_pairs(*part)))


def areas(part: Arrays) -> Arrays:
    """From WKB and where each ends to cells, rows and balls around the areas."""
    whole, ends = part[0].tobytes(), part[1].tolist()
    found = [
        covered_area(Area(cast(Any, shapely.from_wkb(whole[start:end]))), row)
        for row, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
    ]
    balls = np.array([ball for ball, _ in found], dtype=np.float64).reshape(-1, 3)
    return [*_joined([pairs for _, pairs in found]), balls]


def _joined(covers: list[Pairs]) -> Arrays:
    """Cells (m,) and rows (m,) of all covers."""
    row = np.concatenate([np.empty(0, dtype=np.int64), *(each.row for each in covers)])
    return [
        np.concatenate([np.empty(0, dtype=np.uint64), *(each.cell for each in covers)]),
        row.astype(np.int32),
    ]


WORK: dict[str, Callable[[Arrays], Arrays]] = {"circles": circles, "areas": areas}


def processes(count: int, fewest: int) -> int:
    """How many processes some regions are worth.

    One for each core, none for fewer than `fewest`.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(cores, count // fewest))


def run_parts(kind: str, parts: Sequence[Arrays]) -> Iterator[Arrays]:
    """What `WORK[kind]` makes of each part, in order. Raises what the work raises."""
    with ThreadPoolExecutor(max(1, len(parts) - 1)) as threads:
        others = [threads.submit(_in_process, kind, part) for part in parts[1:]]
        yield from map(WORK[kind], parts[:1])
        for part, answer in zip(parts[1:], others, strict=True):
            found = answer.result()
            yield WORK[kind](part) if found is None else found


def _in_process(kind: str, part: Arrays) -> Arrays | None:
    """The work, done by a process of its own; None where that came to nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            subprocesses.command("regions.index.parallel_cover", kind),
            input=_packed(part),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=subprocesses.environment(),
            timeout=_LIMIT_S,
            check=True,
        )
        return _unpacked(done.stdout)
    except (OSError, ValueError, EOFError, subprocess.SubprocessError):
        return None


def _packed(arrays: Arrays) -> bytes:
    out = BytesIO()
    np.save(out, np.array(len(arrays)), allow_pickle=False)
    for each in arrays:
        np.save(out, each, allow_pickle=False)
    return out.getvalue()


def _unpacked(said: bytes) -> Arrays:
    source = BytesIO(said)
    count = int(np.load(source, allow_pickle=False))
    return [np.load(source, allow_pickle=False) for _ in range(count)]


def main(kind: str) -> None:
    """One part, from the standard input to the standard output."""
    subprocesses.end_with_parent()
    sys.stdout.buffer.write(_packed(WORK[kind](_unpacked(sys.stdin.buffer.read()))))


if __name__ == "__main__":
    main(sys.argv[1])
