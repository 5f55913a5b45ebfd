"""GeoParquet 1.x, and plain Parquet with columns for latitude and longitude."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers.binary.gdal import copied, items_of, room, written
from regions.readers.binary.spool import spooled
from regions.readers.binary.table_plan import RADIUS, losses, plan_of
from regions.readers.item import Item

NAME = "geoparquet"
SUFFIXES = (".parquet", ".geoparquet")
MEDIA = ("application/vnd.apache.parquet",)
COUNTED: Literal["feature"] = "feature"

_MAGIC = b"PAR1"


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """The format's own first bytes."""
    return head.startswith(_MAGIC)


def read(path: Path) -> Iterator[Item]:
    """The rows of the file, in its order."""
    with room() as folder:
        copy = copied(path, folder, "places.parquet")
        yield from items_of(NAME, copy, folder)


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """GeoParquet 1.1 with the geometry in WKB; circles are points with a column radius_m."""
    with spooled(items) as spool, room() as folder:
        names = spool.names(("geom", RADIUS))
        kinds = sorted({"Point" if kind == "circle" else kind for kind in spool.kinds})
        made = written(
            NAME, spool, {**plan_of(spool, names, path.stem), "geometry_types": kinds}, folder
        )
        shutil.move(made / "places.parquet", path)
        return tuple(losses(spool, names, "GeoParquet"))
