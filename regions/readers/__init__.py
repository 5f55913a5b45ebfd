"""Readers and writers of places, one file per format, found by scanning this package.

A member has `NAME`, `read` and `write`. No reader knows stores or geofences; it yields what is in
the file. The format of a file is decided by its content first and its name second, and nothing in a
file makes a reader open another file or an address.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import cast

from regions.plugins import discover
from regions.readers.item import BYTES, FileError, Format, Item, not_found

__all__ = ["FileError", "Format", "Item", "format_of", "formats"]

_HEAD = 64 * 1024
_ZIP_END = b"PK\x05\x06"
_EXCEL = (b"xl/workbook.xml", b"xl/worksheets")


@cache
def formats() -> tuple[Format, ...]:
    """Every format, by name."""
    members = discover(sys.modules[__name__], nested=False)
    return tuple(cast("Format", member) for member in members.values())


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of a file, by its content; where that leaves a choice, by `name`.

    `name` is the file name, the name of a format or the media type that the client said; without it
    the path's own name is used. Raises `FileError` `unknown_format`, `empty`, `too_large` or
    `not_found`.
    """
    head = _head(path)
    named = _named(name) if name else None
    suffix = named.SUFFIXES[0] if named else Path(name or path.name).suffix.lower()
    fitting = [member for member in formats() if member.sniff(head, suffix)]
    if not fitting and head.startswith(b"PK\x03\x04") and _ZIP_END not in head:
        raise FileError(
            "broken",
            "the archive is cut off: its list of contents, which stands at the end, is missing",
        )
    if not fitting:
        raise FileError("unknown_format", _strange(head))
    return next((member for member in fitting if suffix in member.SUFFIXES), fitting[0])


def _named(name: str) -> Format | None:
    word = name.partition(";")[0].strip().lower()
    return next(
        (member for member in formats() if word == member.NAME or word in member.MEDIA), None
    )


def _head(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if head.startswith(b"PK") and size > _HEAD:
                file.seek(max(_HEAD, size - _HEAD))
                head += file.read(_HEAD)
    except OSError as error:
        raise not_found() from error
    if not head.strip():
        raise FileError("empty", "the file is empty")
    if size > BYTES:
        raise FileError(
            "too_large",
            f"the file has {size / 1048576:,.0f} MB; the limit is {BYTES // 1048576:,} MB",
        )
    return head


def _strange(head: bytes) -> str:
    known = ", ".join(member.NAME for member in formats())
    if head.startswith(b"PK"):
        if any(word in head for word in _EXCEL):
            return "this is an Excel workbook; save the sheet as CSV and bring in that"
        return (
            "the archive holds neither a Shapefile (.shp) nor a KML document (.kml); "
            "other files come unpacked"
        )
    return f"the content is of no format that can be read; there are readers for {known}"
