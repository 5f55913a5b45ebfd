"""GeoJSON (RFC 7946), and JSON lists of places as Radar, Amazon Location and Tile38 answer them.

Read piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from regions.readers.item import FileError, Item, bounded
from regions.readers.text.crs_member import crs_notes
from regions.readers.text.dialects import item_of
from regions.readers.text.encoding import encoding_of_head
from regions.readers.text.json_stream import Piece, is_lines, opened, pieces
from regions.readers.values import plain, to_json

NAME = "geojson"
SUFFIXES = (".geojson", ".json")
MEDIA = ("application/geo+json", "application/json", "application/vnd.geo+json")
COUNTED: Literal["feature"] = "feature"

_ALONE = (
    "Feature",
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
)


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """Text that starts with a JSON object or array, and goes on with it on the next line."""
    text = head[:4096].decode(encoding_of_head(head[:4096]) or "latin-1", errors="replace")
    return text.lstrip("\ufeff \r\n\tï»¿")[:1] in ("{", "[") and not is_lines(head)


def read(path: Path) -> Iterator[Item]:
    """The items of a file.

    Looked through as a whole before the first is given, so that a broken file yields nothing.
    """
    with opened(path) as file:
        whole, notes = _survey(pieces(file))
    if whole is not None:
        yield from _alone(whole, notes)
        return
    with opened(path) as file:
        yield from bounded(_items(pieces(file), notes))


def _survey(found: Iterator[Piece]) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The outermost object where it holds no list of places, and notes."""
    members: dict[str, Any] = {}
    lists = 0
    for piece in found:
        if piece.nth is not None:
            lists += piece.nth == 0
        else:
            members[piece.name] = piece.value
    notes = _crs(members.get("crs"))
    if members.get("type") == "Topology":
        raise FileError("unknown_format", "this is TopoJSON; convert it to GeoJSON first")
    return (None if lists else members), notes


def _crs(crs: object) -> tuple[str, ...]:
    """Nothing where the file says WGS84 or nothing; refuses every other system by its name."""
    notes, refused = crs_notes(crs)
    if refused is not None:
        raise FileError("crs_unsupported", refused)
    return notes


def _alone(whole: dict[str, Any], notes: tuple[str, ...]) -> Iterator[Item]:
    """A Feature, a geometry or a circle.

    Each member of a GeometryCollection is a place of its own.
    """
    listed = whole.get("geometries")
    if whole.get("type") == "GeometryCollection" and isinstance(listed, list):
        first_notes = (
            *notes,
            "the file is a bare collection of geometries; each is an item without properties",
        )
        for number, geometry in enumerate(listed, 1):
            item = item_of(number, geometry)
            yield item._replace(notes=(*first_notes, *item.notes))
            first_notes = ()
        return
    item = item_of(1, whole)
    if item.geometry is None and item.error is None and whole.get("type") not in _ALONE:
        raise FileError("unknown_format", "the JSON is neither GeoJSON nor a list of places")
    yield item._replace(notes=(*notes, *item.notes))


def _items(found: Iterator[Piece], notes: tuple[str, ...]) -> Iterator[Item]:
    fields: object = None
    number = 0
    for piece in found:
        if piece.nth is None:
            fields = piece.value if piece.name == "fields" else fields
        if not piece.nth:
            continue
        number += 1
        item = item_of(number, piece.value, fields)
        yield item._replace(notes=(*notes, *item.notes)) if notes else item
        notes = ()


def feature_out(item: Item) -> dict[str, Any]:
    """The Feature of an item; a circle as Azure Maps and `write_feature` have it."""
    geometry, properties = item.geometry, plain(item.properties)
    if geometry is not None and geometry["type"] == "circle":
        properties = {**properties, "subType": "Circle", "radius": geometry["radius_m"]}
        geometry = {"type": "Point", "coordinates": [geometry["lon"], geometry["lat"]]}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    return feature if item.id is None else {"type": "Feature", "id": item.id, **feature}


def losses_of(item: Item) -> Iterator[str]:
    """What a Feature cannot hold."""
    if item.geometry is not None and item.geometry["type"] == "circle":
        yield from (
            f"the property {name} of circles gave way to the circle's own"
            for name in ("subType", "radius")
            if name in item.properties
        )


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """A FeatureCollection of RFC 7946, one feature a line, without `crs`."""
    losses: dict[str, None] = {}
    left_out = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write('{"type":"FeatureCollection","features":[')
        between = "\n"
        for item in bounded(items):
            if item.error is not None:
                left_out += 1
                continue
            losses.update(dict.fromkeys(losses_of(item)))
            file.write(between + to_json(feature_out(item)))
            between = ",\n"
        file.write("\n]}\n")
    return (*losses, *left_out_notes(left_out))


def left_out_notes(count: int) -> tuple[str, ...]:
    """A sentence for items with errors."""
    return (
        (f"{count:,} {'item' if count == 1 else 'items'} that could not be read were left out",)
        if count
        else ()
    )
