"""GeoPackage (OGC 12-128r19): every layer of the file, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers.binary.gdal import copied, items_of, room, written
from regions.readers.binary.spool import spooled
from regions.readers.binary.table_plan import RADIUS, losses, plan_of
from regions.readers.item import FileError, Item, not_found

NAME = "geopackage"
SUFFIXES = (".gpkg",)
MEDIA = ("application/geopackage+sqlite3",)
COUNTED: Literal["feature"] = "feature"

_SQLITE = b"SQLite format 3\0"


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """An SQLite database."""
    return head.startswith(_SQLITE)


def read(path: Path) -> Iterator[Item]:
    """The features of all layers with a geometry.

    A file with views is refused: what they compute is not bounded.
    """
    _check(path)
    with room() as folder:
        yield from items_of(NAME, copied(path, folder, "places.gpkg"), folder)


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except OSError as error:
        raise not_found() from error
    if head != _SQLITE:
        raise FileError("broken", "this is no GeoPackage")


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """One layer called as the file is; circles are points with a column radius_m."""
    with spooled(items) as spool, room() as folder:
        names = spool.names(("fid", "geom", RADIUS))
        made = written(NAME, spool, plan_of(spool, names, path.stem), folder)
        shutil.move(made / "places.gpkg", path)
        return tuple(losses(spool, names, "GeoPackage"))
