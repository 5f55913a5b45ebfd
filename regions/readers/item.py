"""What every reader yields, what it raises, and the limits they all keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from regions.region import RegionError

ITEMS = 1_000_000
BYTES = 256 * 1024 * 1024  # of a file, and of all that comes out of an archive
ONE_ITEM = 8 * 1024 * 1024  # bytes or characters of one feature, row or line
DEPTH = 32  # of lists and objects within properties


FLAT = "altitudes were dropped"
LENGTHS = "lengths such as"
IN_SYSTEM = "the coordinates are in"
ABOUT_ALL = (
    FLAT,
    LENGTHS,
    IN_SYSTEM,
)  # how notes begin that the first item they are true of has for all
ROW_SWALLOWED = "a quotation mark may be astray"  # the start of a note on what was left as it is


class Item(NamedTuple):
    """One row or feature of a file.

    `properties` are plain JSON values as in the file (dates as ISO text), without the columns that
    became the geometry. `geometry` is a GeoJSON geometry in [lon, lat], or our circle `{"type":
    "circle", "lat", "lon", "radius_m"}`; `None` where the file has none or where `error` says why
    it cannot be read. A Point without a radius stays a Point. Limits on radius, vertices and area
    are `read_region`'s.
    """

    number: int
    """From 1: the line where the format has lines, else the feature's place in the file.

    A CSV header is line 1; a row over several lines counts where it starts."""
    properties: dict[str, Any]
    geometry: dict[str, Any] | None
    id: str | None = None
    """The feature's own id, where the format has one."""
    error: RegionError | None = None
    """Why this item cannot be read; the others can. Never holds a position."""
    notes: tuple[str, ...] = ()
    """Sentences on what reading changed; those on the whole file stand on its first item."""


class FileError(ValueError):
    """A whole file that cannot be read or written.

    `code` is a stable token (`bomb`), `detail` a sentence for a person.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Format(Protocol):
    """One format of places, to read and to write."""

    NAME: str
    SUFFIXES: tuple[str, ...]
    """The file names' ends, in lower case with their dot; the first is the usual one."""
    MEDIA: tuple[str, ...]
    """Media types; the first is the one to answer with."""
    COUNTED: Literal["line", "feature"]
    """What `Item.number` counts."""

    def sniff(self, head: bytes, suffix: str) -> bool:
        """Whether the content may be of this format.

        `head` holds the first 64 KiB (of archives also the last).
        """

    def read(self, path: Path) -> Iterator[Item]:
        """The items of a file in its order, lazily where the format allows.

        Raises `FileError`, and nothing else.
        """

    def write(self, items: Iterable[Item], path: Path) -> tuple[str, ...]:
        """Write a file; answers with a sentence for each thing the format cannot hold.

        Items with an error are left out.
        """


def not_found() -> FileError:
    """The error of a path that cannot be opened."""
    return FileError("not_found", "there is no such file, or it cannot be opened")


def too_many() -> FileError:
    """The file holds more items than one import takes."""
    return FileError(
        "too_many_items",
        f"the file holds more than {ITEMS:,} items; that is the limit of one import",
    )


def bounded(items: Iterable[Item]) -> Iterator[Item]:
    """The items, until there are too many of them; a note that is true of all stands once."""
    said: set[str] = set()
    for count, item in enumerate(items):
        if count >= ITEMS:
            raise too_many()
        yield (
            item._replace(notes=tuple(note for note in item.notes if _is_fresh(note, said)))
            if item.notes
            else item
        )


def _is_fresh(note: str, said: set[str]) -> bool:
    about = next((begins for begins in ABOUT_ALL if note.startswith(begins)), None)
    if about is None:
        return True
    fresh = about not in said
    said.add(about)
    return fresh
