"""KMZ: a zip around one KML document."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers import kml_file
from regions.readers.binary.gdal import room
from regions.readers.item import FileError, Item
from regions.readers.unpack import archive

NAME = "kmz"
SUFFIXES = (".kmz",)
MEDIA = ("application/vnd.google-earth.kmz",)
COUNTED: Literal["feature"] = "feature"


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """A zip in whose list of contents a .kml stands, and no .shp."""
    return (
        head.startswith(b"PK\x03\x04") and b".kml" in head.lower() and b".shp" not in head.lower()
    )


def read(path: Path) -> Iterator[Item]:
    """The Placemarks of the document: doc.kml, or the only .kml of the archive."""
    with room() as folder:
        inside = folder / "doc.kml"
        with archive(path) as opened:
            documents = [name for name in opened.names if name.lower().endswith(".kml")]
            chosen = next(
                (name for name in documents if name.lower() == "doc.kml"),
                documents[0] if len(documents) == 1 else None,
            )
            if chosen is None:
                raise FileError(
                    "unknown_format",
                    f"the archive holds {len(documents)} KML documents, none of them doc.kml",
                )
            opened.unpack(chosen, inside)
        yield from kml_file.read(inside)


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """A zip with doc.kml."""
    with room() as folder:
        losses = kml_file.write(items, folder / "doc.kml")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            out.write(folder / "doc.kml", "doc.kml")
    return losses
