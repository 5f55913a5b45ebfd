"""A project's index on disk, beside the database, so that a start need not compute all covers.

Two files: the index, and one digest for each of its slots. Comparing digests finds later edits, so
a file older than the database is still useful; a file that does not fit is ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from geofence.model.place import Geofence
from regions.index.index import Index

FEWEST = 1_000  # below it building the index is as fast as reading the file
_EMPTY = 0  # the digest of a slot without a geofence


class IndexCache:
    """The index files of one database.

    `stem` is their common beginning; None for a database without a file.
    """

    def __init__(self, stem: Path | None) -> None:
        self._stem = stem

    def load(
        self, project_id: str, fences: Iterable[Geofence]
    ) -> tuple[Index, Mapping[str, int]] | None:
        """The saved index, and uid -> slot of the geofences that it holds unchanged.

        None without a usable file.
        """
        if self._stem is None:
            return None
        index_file, digests_file = self._files(project_id)
        try:
            digests = digests_file.read_bytes()
        except OSError:
            return None
        index = Index.load(index_file, _mark(digests))
        if index is None or len(digests) != 8 * index.slots:
            return None
        slot_of = {
            digest: slot
            for slot, digest in enumerate(np.frombuffer(digests, dtype=np.uint64).tolist())
            if digest != _EMPTY
        }
        found = {fence.uid: slot_of.get(_digest(fence)) for fence in fences if fence.enabled}
        return index, {uid: slot for uid, slot in found.items() if slot is not None}

    def save(self, project_id: str, index: Index, fences: Iterable[Geofence | None]) -> bool:
        """Save the index; `fences` by slot.

        False where it is too small to be worth a file, or the disk refuses it.
        """
        if self._stem is None or len(index) < FEWEST:
            return False
        index_file, digests_file = self._files(project_id)
        digests: NDArray[np.uint64] = np.array(
            [_EMPTY if fence is None else _digest(fence) for fence in fences], dtype=np.uint64
        )
        try:
            index.save(index_file, _mark(digests.tobytes()))
            fresh = digests_file.with_suffix(".fresh")
            fresh.unlink(missing_ok=True)
            with open(fresh, "xb", opener=_for_its_owner) as file:
                file.write(digests.tobytes())
            fresh.replace(digests_file)
        except OSError:
            return False
        return True

    def _files(self, project_id: str) -> tuple[Path, Path]:
        assert self._stem is not None  # noqa: S101  (both callers checked)
        stem = f"{self._stem.name}.{project_id}"
        return self._stem.with_name(f"{stem}.index"), self._stem.with_name(f"{stem}.digests")


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _digest(fence: Geofence) -> int:
    """A hash of the uid and the region of a geofence; never `_EMPTY`."""
    content = msgspec.json.encode([fence.uid, fence.region])
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "little") or 1


def _mark(digests: bytes) -> bytes:
    return blake2b(digests, digest_size=16).digest()
