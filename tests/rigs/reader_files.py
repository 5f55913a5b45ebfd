"""Files made of bytes, their items, and the error with which a reader refuses one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regions.readers import FileError, Item, format_of, formats

BY_NAME = {form.NAME: form for form in formats()}


def refused(name: str, path: Path) -> FileError:
    with pytest.raises(FileError) as caught:
        list(BY_NAME[name].read(path))
    return caught.value


def with_bytes(folder: Path, content: bytes, name: str = "upload") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(folder: Path, content: str | bytes, name: str) -> list[Item]:
    path = folder / "upload"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    form = format_of(path, name)
    assert name == form.NAME
    return list(form.read(path))


def resident_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1048576


def kml(body: str, before: str = "") -> bytes:
    document = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'
    return f'<?xml version="1.0"?>{before}{document}'.encode()
