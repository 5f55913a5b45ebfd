"""Readers of recorded walks, one file per format.

A module with `NAME`, `SUFFIXES` and `read(path)` is found by scanning this package.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from api.client.traces.columns import Columns, TraceError
from geofence.plugins import discover


class Reader(Protocol):
    """What a reader offers.

    `read` raises `TraceError` in words a person can act on.
    """

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path) -> Iterator[Columns]:
        """The points of a file, batch by batch, in the order of the file."""


def readers() -> dict[str, Reader]:
    """Every reader by the suffixes it takes."""
    found = (cast("Reader", module) for module in discover(sys.modules[__name__]).values())
    return {suffix: reader for reader in found for suffix in reader.SUFFIXES}


def read(path: Path) -> Iterator[Columns]:
    """The points of a recorded walk, by the reader for its suffix. Raises `TraceError`."""
    found = readers()
    reader = found.get(path.suffix.lower())
    if reader is None:
        raise TraceError(
            path,
            f"no reader for {path.suffix or 'a file without a suffix'}; "
            f"there are readers for {', '.join(sorted(found))}",
        )
    if not path.is_file():
        raise TraceError(path, "there is no such file")
    return reader.read(path)
