"""FlatGeobuf, in the order of the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers.binary.gdal import copied, items_of, room, written
from regions.readers.binary.spool import spooled
from regions.readers.binary.table_plan import RADIUS, losses, plan_of
from regions.readers.item import FileError, Item

NAME = "flatgeobuf"
SUFFIXES = (".fgb",)
MEDIA = ("application/flatgeobuf", "application/vnd.flatgeobuf")
COUNTED: Literal["feature"] = "feature"

_MAGIC = b"fgb\x03fgb"


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """The format's own first bytes, version 3."""
    return head.startswith(_MAGIC)


def read(path: Path) -> Iterator[Item]:
    """The features of the file.

    One that was written with an index has them in the order of the index.
    """
    with room() as folder:
        copy = copied(path, folder, "places.fgb")
        with copy.open("rb") as file:
            if not file.read(8).startswith(_MAGIC):
                raise FileError("broken", "this is no FlatGeobuf")
        yield from items_of(NAME, copy, folder)


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """One layer in the order given, without a spatial index: an index would reorder it.

    Circles are points with radius_m.
    """
    with spooled(items) as spool, room() as folder:
        names = spool.names(("geom", RADIUS))
        made = written(NAME, spool, plan_of(spool, names, path.stem), folder)
        shutil.move(made / "places.fgb", path)
        return tuple(losses(spool, names, "FlatGeobuf"))
