"""Puts a recorded walk into the order of time, without holding all of it in memory.

Files are often sorted by device, then time. Runs of rows are sorted and laid aside on disk, then
merged block by block (external merge sort, Knuth, The Art of Computer Programming 3, 5.4).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from api.client.traces.columns import Columns
from regions.temp_folder import scratch

ROW = np.dtype(
    [
        ("ts_ms", "i8"),
        ("device", "i4"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("accuracy_m", "f8"),
        ("speed_mps", "f8"),
    ]
)
Rows = NDArray[Any]


class Timeline:
    """The points of a walk in the order of time; those of one moment stay in the order of the file.

    A context manager: what was laid aside is removed at its end. `len()` is the number of points.
    """

    def __init__(
        self,
        batches: Iterable[Columns],
        run_rows: int = 1_000_000,
        block_rows: int = 50_000,
        folder: Path | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="replay-", dir=folder or scratch())
        self._devices: dict[str, int] = {}
        self._block_rows = block_rows
        self._runs: list[Rows] = []
        self._length = 0
        try:
            self._lay_aside(batches, run_rows)
        except BaseException:
            self._folder.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runs.clear()
        self._folder.cleanup()

    def __len__(self) -> int:
        return self._length

    @property
    def devices(self) -> int:
        """How many devices were seen."""
        return len(self._devices)

    def __iter__(self) -> Iterator[Columns]:
        names = list(self._devices)
        for rows in _merged(self._runs, self._block_rows):
            ids = [names[code] for code in rows["device"].tolist()]
            yield Columns(
                ids,
                *(
                    np.ascontiguousarray(rows[name])
                    for name in ("ts_ms", "lat", "lon", "accuracy_m", "speed_mps")
                ),
            )

    def _lay_aside(self, batches: Iterable[Columns], run_rows: int) -> None:
        waiting: list[Rows] = []
        for batch in batches:
            waiting.append(self._rows(batch))
            self._length += len(batch)
            if sum(map(len, waiting)) >= run_rows:
                self._runs.append(self._on_disk(_sorted(waiting)))
                waiting = []
        if waiting:
            self._runs.append(_sorted(waiting))

    def _rows(self, batch: Columns) -> Rows:
        rows = np.empty(len(batch), ROW)
        rows["device"] = [
            self._devices.setdefault(name, len(self._devices)) for name in batch.device_id
        ]
        for name in ("ts_ms", "lat", "lon", "accuracy_m", "speed_mps"):
            rows[name] = getattr(batch, name)
        return rows

    def _on_disk(self, rows: Rows) -> Rows:
        path = Path(self._folder.name) / f"{len(self._runs)}.npy"
        np.save(path, rows)
        mapped: Rows = np.load(path, mmap_mode="r")
        return mapped


def _sorted(parts: list[Rows]) -> Rows:
    rows = np.concatenate(parts)
    return rows[np.argsort(rows["ts_ms"], kind="stable")]


def _merged(runs: list[Rows], block_rows: int) -> Iterator[Rows]:
    places = [0] * len(runs)
    while any(place < len(run) for place, run in zip(places, runs, strict=True)):
        blocks = [run[place : place + block_rows] for place, run in zip(places, runs, strict=True)]
        taken = _known(
            blocks,
            [
                place + len(block) < len(run)
                for block, place, run in zip(blocks, places, runs, strict=True)
            ],
        )
        yield _sorted([block[:n] for block, n in zip(blocks, taken, strict=True)])
        places = [place + n for place, n in zip(places, taken, strict=True)]


def _known(blocks: list[Rows], has_more: list[bool]) -> list[int]:
    """How many rows of each block can be given out.

    Those that nothing still on disk comes before.
    """
    ends = [
        (int(block["ts_ms"][-1]), run)
        for run, (block, more) in enumerate(zip(blocks, has_more, strict=True))
        if more
    ]
    if not ends:
        return [len(block) for block in blocks]
    end_ms, first = min(ends)
    # rows of that very moment in later runs wait for those that the first run still holds
    return [
        int(np.searchsorted(block["ts_ms"], end_ms, side="right" if run <= first else "left"))
        for run, block in enumerate(blocks)
    ]
