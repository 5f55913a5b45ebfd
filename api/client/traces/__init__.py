"""Readers of recorded walks, one file per format.

A module with `SUFFIXES` and `read(path)` is found by being here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from api.client.traces.columns import Columns, TraceError


class Reader(Protocol):
    """What a file of this drawer offers.

    `read` raises `TraceError` in words a person can act on.
    """

    SUFFIXES: tuple[str, ...]

    def read(self, path: Path) -> Iterator[Columns]:
        """The points of a file, batch by batch, in the order of the file."""


def readers() -> dict[str, Reader]:
    """Every reader by the suffixes it takes."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    return {
        suffix: module
        for module in modules
        if hasattr(module, "read")
        for suffix in module.SUFFIXES
    }


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
