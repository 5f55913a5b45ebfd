"""ZIP archives from untrusted sources.

Everything the directory says is checked before a byte is unpacked, and nothing keeps its name.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from regions.readers.item import BYTES, FileError

ENTRIES = 1_000
RATIO = 200  # unpacked to packed, of what is larger than _SMALL
_SMALL = 10 * 1024 * 1024
_DIRECTORY = 1024 * 1024  # bytes of the list of contents
_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR = b"PK\x06\x07"  # of the directory of an archive of more than 4 GB or 65,535 files
_ARCHIVES = (".zip", ".kmz", ".7z", ".rar", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".zst")
_CHUNK = (
    1 << 16
)  # bytes unpacked at a time; of the methods that are let in, none gives more than it is asked for
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# what the library lets through where the bytes are not what they say
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    OSError,
    LookupError,
    ArithmeticError,
)


class Archive:
    """An archive whose directory was found in order."""

    def __init__(self, opened_zip: zipfile.ZipFile) -> None:
        self._zip = opened_zip
        self._entries = {
            entry.filename: entry for entry in opened_zip.infolist() if not _is_litter(entry)
        }
        self._left = BYTES

    @property
    def names(self) -> tuple[str, ...]:
        """The files in it, without folders and what macOS adds."""
        return tuple(self._entries)

    def unpack(self, name: str, target: Path) -> None:
        """Write one file out under a name of ours.

        Raises `FileError` when it is more than the directory said.
        """
        entry = self._entries[name]
        try:
            with self._zip.open(entry) as source, target.open("xb") as out:
                self._copy(source, out, entry.file_size)
        except _BROKEN as error:
            if isinstance(error, FileError):
                raise
            raise _broken() from error

    def _copy(self, source: IO[bytes], out: IO[bytes], left: int) -> None:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            self._left -= len(chunk)
            if left < 0 or self._left < 0:
                raise FileError("bomb", "the archive holds more than its directory says")
            out.write(chunk)


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """An archive, checked.

    Raises `FileError` `bomb`, `path_traversal`, `nested_archive`, `encrypted`, `unsafe` or
    `broken`.
    """
    try:
        _check_directory(path)
        found = zipfile.ZipFile(path)
    except _BROKEN as error:
        if isinstance(error, FileError):
            raise
        raise _broken() from error
    with found:
        entries = found.infolist()
        for entry in entries:
            _check_entry(entry)
        _check_sizes(entries, path.stat().st_size)
        yield Archive(found)


def _broken() -> FileError:
    return FileError("broken", "the archive is cut off or damaged")


def _check_directory(path: Path) -> None:
    """The size of the directory, before it is read as a whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise _broken()
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if entries > ENTRIES or directory > _DIRECTORY or _LOCATOR in tail[max(0, at - 20) : at]:
        raise FileError("bomb", f"the archive holds more than {ENTRIES:,} files; that is the limit")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    if not entry.filename:
        raise FileError("broken", "the archive holds a file without a name")
    name = entry.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
        raise FileError("path_traversal", "the archive holds a file whose name leads out of it")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise FileError("path_traversal", "the archive holds a link to another file")
    if entry.flag_bits & 0x1:
        raise FileError("encrypted", "the archive is locked with a password")
    # bzip2 and LZMA unpack their whole input, up to a thousand times its size, before it is counted
    if entry.compress_type not in _METHODS:
        raise FileError(
            "unsafe", "the archive is packed by another method than deflate; pack it as a usual zip"
        )
    if name.lower().endswith(_ARCHIVES):
        raise FileError("nested_archive", "the archive holds another archive; unpack it first")


def _check_sizes(entries: list[zipfile.ZipInfo], size: int) -> None:
    if len(entries) > ENTRIES:
        raise FileError(
            "bomb", f"the archive holds {len(entries):,} files; the limit is {ENTRIES:,}"
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > BYTES:
        raise FileError(
            "bomb",
            f"the archive unpacks to {unpacked / 1048576:,.0f} MB; "
            f"the limit is {BYTES // 1048576:,} MB",
        )
    if unpacked > _SMALL and unpacked > RATIO * size:
        raise FileError(
            "bomb",
            f"the archive unpacks to {unpacked // size:,} times its size; "
            f"the limit is {RATIO:,} times",
        )
    if sum(entry.compress_size for entry in entries) > size:
        raise FileError("bomb", "the files of the archive lie over one another")
    if len({entry.filename for entry in entries}) < len(entries):
        raise FileError("broken", "the archive holds two files of the same name")


def _is_litter(entry: zipfile.ZipInfo) -> bool:
    return (
        entry.is_dir()
        or entry.filename.startswith("__MACOSX/")
        or PurePosixPath(entry.filename).name.startswith("._")
    )
