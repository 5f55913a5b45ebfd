"""KML 2.2 (OGC 07-147r2): Placemarks with their names, folders and extended data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers.binary.spool import spooled
from regions.readers.item import Item, bounded, not_found
from regions.readers.kml.placemarks import placemarks
from regions.readers.kml.writer import losses, write_kml
from regions.readers.text.encoding import encoding_of_head

NAME = "kml"
SUFFIXES = (".kml",)
MEDIA = ("application/vnd.google-earth.kml+xml",)
COUNTED: Literal["feature"] = "feature"


def sniff(head: bytes, suffix: str) -> bool:
    """XML whose first element is kml; or any XML that is called so."""
    text = (
        head[:8192]
        .decode(encoding_of_head(head[:4096]) or "latin-1", errors="replace")
        .lstrip("\ufeff \r\n\tï»¿")
    )
    return text.startswith("<") and ("<kml" in text or ":kml" in text or suffix in SUFFIXES)


def read(path: Path) -> Iterator[Item]:
    """The Placemarks of a document, in its order.

    Looked through as a whole before the first is given.
    """
    try:
        with path.open("rb") as file:
            for _ in bounded(placemarks(file, build=False)):
                pass  # a document that breaks off, or that points elsewhere, yields nothing
        with path.open("rb") as file:
            yield from bounded(placemarks(file))
    except OSError as error:
        raise not_found() from error


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """A document of Placemarks whose properties are typed by a Schema.

    Circles are points with a radius_m.
    """
    with (
        spooled(items, keeps_ids=True) as spool,
        path.open("w", encoding="utf-8", newline="\n") as out,
    ):
        write_kml(spool, out)
        return tuple(losses(spool))
