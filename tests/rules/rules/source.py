"""Reads a tree's Python once and hands it to the rules."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

FLOORS = ("regions", "geofence", "api")
OURS = (*FLOORS, "tests", "bench")


class Wrong(NamedTuple):
    """One breach: where, and what is to be done about it."""

    path: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.why}"


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    """Every Python file of these folders, in order."""
    for folder in folders or OURS:
        yield from sorted(
            path for path in (root / folder).rglob("*.py") if "__pycache__" not in path.parts
        )


def name_of(root: Path, path: Path) -> str:
    """The module's dotted name: `geofence/model/ping.py` is `geofence.model.ping`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=2048)
def _parse(path: Path, stamp: tuple[int, int]) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def tree_of(path: Path) -> ast.Module:
    """The file's syntax tree, parsed once per content."""
    stat = path.stat()
    return _parse(path, (stat.st_mtime_ns, stat.st_size))


def wrong(root: Path, path: Path, line: int, why: str) -> Wrong:
    """A breach in a file of this tree."""
    return Wrong(path.relative_to(root).as_posix(), line, why)


def texts(root: Path) -> Iterator[Path]:
    """Every text file that is, or is about to be, kept.

    What git tracks, or all of a tree that git does not know.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False
    )
    known = (
        [root / name for name in listed.stdout.split("\0") if name]
        if (root / ".git").exists()
        else sorted(root.rglob("*"))
    )
    for path in known:
        if path.is_file() and b"\0" not in path.read_bytes()[:4096]:
            yield path
