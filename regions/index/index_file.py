"""An index's arrays in one file: a line of JSON that names them, the arrays, a digest over all.

The file is trusted no further than its digest and its header: nothing in it is executed or
unpickled, and a file that does not fit counts as absent. It is written beside its place and moved
there, so that a crash leaves the old one.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator
from glob import escape
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

import h3
import numpy as np
import shapely
from numpy.typing import NDArray

from regions.region import Area

FORMAT = 2  # 1 held a bit beside each slot that nothing read
MAGIC = b"geofence index\n"
Arrays = dict[str, NDArray[Any]]

_TYPES = {"<f8", "<i8", "<i4", "<u8", "|b1", "|u1"}
_DIGEST = 32
_HEAD_LIMIT = 1 << 20


def save(path: Path, mark: bytes, arrays: Arrays) -> None:
    """Write the arrays, atomically; what a crash left of an earlier try is removed.

    Raises OSError.
    """
    for half in path.parent.glob(f".{escape(path.name)}.*"):
        half.unlink(missing_ok=True)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    parts: list[bytes | memoryview] = [MAGIC, _head(whole, mark), *map(_bytes, whole.values())]
    digest = blake2b(digest_size=_DIGEST)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            for part in parts:
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _head(arrays: Arrays, mark: bytes) -> bytes:
    """The line that says what kind of file this is and which arrays follow, in their order."""
    specs = [[name, each.dtype.str, list(each.shape)] for name, each in arrays.items()]
    return json.dumps({"kind": _kind(mark), "arrays": specs}).encode() + b"\n"


def load(path: Path, mark: bytes) -> Arrays | None:
    """The arrays of a file, writable and owned.

    None when it is absent, damaged or of another kind.
    """
    try:
        with path.open("rb") as file:
            return _read(file, mark)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _read(file: BufferedReader, mark: bytes) -> Arrays | None:
    magic, line = file.read(len(MAGIC)), file.readline(_HEAD_LIMIT)
    if magic != MAGIC:
        return None
    head = json.loads(line)
    if head["kind"] != _kind(mark):
        return None
    specs = [(str(name), str(kind), tuple(map(int, shape))) for name, kind, shape in head["arrays"]]
    left = os.fstat(file.fileno()).st_size - file.tell()
    if left != _size(specs) + _DIGEST:
        return None
    digest = blake2b(magic + line, digest_size=_DIGEST)
    arrays = {name: np.empty(shape, dtype=kind) for name, kind, shape in specs}
    for array in arrays.values():
        whole = _bytes(array)
        file.readinto(whole)
        digest.update(whole)
    return arrays if file.read() == digest.digest() else None


def _size(specs: list[tuple[str, str, tuple[int, ...]]]) -> int:
    """Bytes of arrays of these names, types and shapes. Raises ValueError for other types."""
    if any(kind not in _TYPES for _, kind, _ in specs):
        raise ValueError("a type that no index has")
    return sum(np.dtype(kind).itemsize * math.prod(shape) for _, kind, shape in specs)


def _bytes(array: NDArray[Any]) -> memoryview:
    """The array's own memory."""
    return memoryview(cast(Any, array.reshape(-1).view(np.uint8)))


def _kind(mark: bytes) -> list[Any]:
    """What must be equal for a file to fit.

    Format, byte order, where h3 lays its cells, and what it was built from.
    """
    return [FORMAT, sys.byteorder, h3.__version__.split(".")[:2], mark.hex()]


def numbered(arrays: Arrays, *names: str) -> Iterator[tuple[NDArray[Any], ...]]:
    """The arrays called name0, name1, ... side by side."""
    nth = 0
    while all(f"{name}{nth}" in arrays for name in names):
        yield tuple(arrays[f"{name}{nth}"] for name in names)
        nth += 1


def packed_areas(areas: dict[int, Area]) -> Arrays:
    """Slots of areas and their shapes as WKB, one after the other."""
    shapes = [shapely.to_wkb(area.shape) for area in areas.values()]
    return {
        "area_slot": np.array(list(areas), dtype=np.int64),
        "area_end": np.cumsum([len(shape) for shape in shapes], dtype=np.int64),
        "area_wkb": np.frombuffer(b"".join(shapes), dtype=np.uint8),
    }


def unpacked_areas(arrays: Arrays) -> dict[int, Area]:
    """The areas that were packed."""
    whole, ends = arrays["area_wkb"].tobytes(), arrays["area_end"].tolist()
    parts = [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    shapes = shapely.from_wkb(np.array(parts, dtype=object)) if parts else []
    return {
        slot: Area(cast(Any, shape))
        for slot, shape in zip(arrays["area_slot"].tolist(), shapes, strict=True)
    }
