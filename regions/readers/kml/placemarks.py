"""The Placemarks of a KML document, parsed without entities, one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, iterparse

from regions.readers.geometry import circle, tidy
from regions.readers.item import ITEMS, ONE_ITEM, FileError, Item, too_many
from regions.readers.text.column_names import is_text
from regions.readers.values import nested_in, number_in, own_mark, plain, radius_in
from regions.region import RegionError

_CHUNK = 1 << 16
_TOKEN = (
    1 << 20
)  # bytes of one tag, comment or instruction; the text between tags is not bounded by it
_DEEP = 64  # elements within elements
_GEOMETRIES = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiGeometry",
    "Model",
    "Track",
    "MultiTrack",
)
_KEPT = ("name", "SimpleField", "Schema")  # outside of Placemarks
_ELEMENTS = 100_000  # of one Placemark
_TEXTS = ("name", "description", "address", "phoneNumber")
_RADIUS = ("radius_m", "radius")
_PARTS_PER_PLACE = 10_000


def placemarks(file: IO[bytes], *, build: bool = True) -> Iterator[Item]:
    """The items of a document; without `build` empty ones, only to look it through.

    Raises `FileError` `broken`, `external_entity`, `network_link`, `too_large` or `too_many_items`.
    """
    try:
        parser = DefusedXMLParser(target=TreeBuilder(), forbid_dtd=True)
        yield from _Walk(build).items(
            iterparse(_Handed(file, parser.parser), events=("start", "end"), parser=parser)
        )
    except DefusedXmlException as error:
        raise FileError(
            "external_entity",
            "the document has a DTD or declares XML entities, which may hold or fetch anything",
        ) from error
    except (ParseError, LookupError, ValueError, RecursionError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError("broken", "the document is not XML, or cut off") from error


class _Handed:
    """A document as it is handed to the parser, piece by piece, while it keeps up.

    Expat before 2.6 looks at a token that has not ended from its start again with every piece
    (CVE-2023-52425): a long comment or attribute costs the square of its length.
    """

    def __init__(self, file: IO[bytes], expat: Any) -> None:
        self._file, self._expat = file, expat
        self._handed = 0

    def read(self, length: int = 0, /) -> bytes:  # noqa: ARG002 - pieces are as long as suits us
        """The next piece.

        Raises `FileError` `too_large` when the token that the parser stands before does not end.
        """
        if self._handed - self._expat.CurrentByteIndex > _TOKEN:
            raise FileError(
                "too_large",
                f"one tag or comment has more than {_TOKEN // 1048576} MB; that is the limit",
            )
        piece = self._file.read(_CHUNK)
        self._handed += len(piece)
        return piece


class _Walk:
    """Where in the document the parser is."""

    def __init__(self, build: bool) -> None:
        self._build = build
        self._open_places = 0
        self._path: list[Element] = []
        self._types: dict[str, dict[str, str]] = {}
        self._number = 0
        self._kml = False
        self._inside = 0

    def items(self, events: Any) -> Iterator[Item]:
        """Each Placemark when it ends; what has been read is let go."""
        for event, element in events:
            if event == "start":
                self._enter(element)
                continue
            self._path.pop()
            tag = _tag(element)
            if tag == "Schema":
                self._types.update(_schema(element))
            if tag == "Placemark":
                self._open_places -= 1
                yield self._item(element)
            if not self._open_places and tag not in _KEPT:
                element.clear()
                if self._path:
                    self._path[-1].remove(element)
        if not self._kml:
            raise FileError("unknown_format", "the document is not KML")

    def _enter(self, element: Element) -> None:
        tag = _tag(element)
        if not self._path:
            self._kml = tag in ("kml", "Document", "Folder", "Placemark")
        if tag == "NetworkLink":
            raise FileError(
                "network_link",
                "the document points to another address (NetworkLink); "
                "save what it shows and bring in that",
            )
        self._open_places += tag == "Placemark"
        self._inside = self._inside + 1 if tag != "Placemark" else 0
        if self._inside > _ELEMENTS:
            raise FileError(
                "too_large",
                f"one Placemark or list holds more than {_ELEMENTS:,} elements; that is the limit",
            )
        self._path.append(element)
        if len(self._path) > _DEEP:
            raise FileError("broken", f"the document is nested more than {_DEEP} deep")

    def _item(self, element: Element) -> Item:
        self._number += 1
        if self._number > ITEMS:
            raise too_many()
        if not self._build:
            return Item(self._number, {}, None)
        properties: dict[str, Any] = {}
        try:
            properties = plain(self._properties(element))
            geometry, notes = _geometry(element)
            return Item(
                self._number, *_rounded(properties, geometry), element.get("id"), notes=notes
            )
        except RegionError as error:
            return Item(self._number, properties, None, element.get("id"), error=error)

    def _properties(self, element: Element) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element:
            if _tag(child) in _TEXTS and (child.text or "").strip():
                found[_tag(child)] = (child.text or "").strip()
            elif _tag(child) == "ExtendedData":
                found |= self._extended(child)
        folders = [_named(folder) for folder in self._path if _tag(folder) == "Folder"]
        if any(folders) and "folder" not in found:
            found["folder"] = " / ".join(name for name in folders if name)
        return found

    def _extended(self, data: Element) -> dict[str, Any]:
        """`Data` (name, value), and `SchemaData` whose values have the types of their Schema."""
        found: dict[str, Any] = {}
        for child in data:
            if _tag(child) == "Data":
                value = next((each.text for each in child if _tag(each) == "value"), None)
                found[child.get("name", "")] = (
                    _typed(value, "", child.get("name", "")) if value is not None else None
                )
            elif _tag(child) == "SchemaData":
                types = self._types.get(child.get("schemaUrl", "").rpartition("#")[2], {})
                found |= {
                    each.get("name", ""): _typed(
                        each.text, types.get(each.get("name", ""), ""), each.get("name", "")
                    )
                    for each in child
                }
        return found


def _tag(element: Element) -> str:
    return _local(element.tag)


@lru_cache(1_000)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _named(folder: Element) -> str:
    return next(((child.text or "").strip() for child in folder if _tag(child) == "name"), "")


def _schema(element: Element) -> dict[str, dict[str, str]]:
    types = {
        field.get("name", ""): field.get("type", "")
        for field in element
        if _tag(field) == "SimpleField"
    }
    return {element.get(key, ""): types for key in ("id", "name") if element.get(key)}


def _typed(text: str | None, kind: str, name: str) -> Any:
    if text is None:
        return "" if kind == "string" else None
    if kind in ("int", "uint", "short", "ushort"):
        return int(text) if re.fullmatch(r"\s*[+-]?\d{1,19}\s*", text) else text
    if kind in ("float", "double"):
        found = number_in(text.strip())
        return text if found is None else found
    if kind == "bool":
        return {"1": True, "true": True, "0": False, "false": False}.get(text.strip().lower(), text)
    return text if is_text(name) else nested_in(text)


def _rounded(
    properties: dict[str, Any], geometry: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """A Point whose extended data tell a radius, as our circle."""
    name = next((name for name in _RADIUS if properties.get(name) not in (None, "")), None)
    if (
        name is None
        or "radius_units" in properties
        or geometry is None
        or geometry["type"] != "Point"
    ):
        return properties, geometry
    lon, lat = geometry["coordinates"]
    return {key: each for key, each in properties.items() if key != name}, circle(
        lat, lon, radius_in(properties[name], mark=own_mark(properties[name]))
    )


def _geometry(placemark: Element) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    found = [child for child in placemark if _tag(child) in _GEOMETRIES]
    if not found:
        return None, ()
    return tidy(_shape(found[0]))


def _shape(element: Element) -> dict[str, Any]:
    tag = _tag(element)
    if tag == "MultiGeometry":
        parts = [child for child in element if _tag(child) in _GEOMETRIES]
        if len(parts) > _PARTS_PER_PLACE:
            raise RegionError(
                "too_many_rings", f"the place has more than {_PARTS_PER_PLACE:,} parts"
            )
        shapes = [_shape(part) for part in parts]
        if shapes and all(shape["type"] == "Polygon" for shape in shapes):
            return {
                "type": "MultiPolygon",
                "coordinates": [shape["coordinates"] for shape in shapes],
            }
        return {"type": "GeometryCollection", "geometries": shapes}
    if tag == "Point":
        return {"type": "Point", "coordinates": next(iter(_positions(element)), [])}
    if tag == "Polygon":
        return {"type": "Polygon", "coordinates": [_ring(child) for child in _rings(element)]}
    if tag in ("LineString", "LinearRing"):
        return {"type": "LineString", "coordinates": _positions(element)}
    raise RegionError("not_a_region", f"a {tag} is no place")


def _rings(polygon: Element) -> list[Element]:
    """The outer border first, wherever it stands."""
    outer = [child for child in polygon if _tag(child) == "outerBoundaryIs"]
    return outer + [child for child in polygon if _tag(child) == "innerBoundaryIs"]


def _ring(boundary: Element) -> list[list[float]]:
    ring = next((child for child in boundary if _tag(child) == "LinearRing"), None)
    if ring is None:
        raise RegionError("empty", "a border has no ring")
    return _positions(ring)


def _positions(element: Element) -> list[list[float]]:
    text = next((child.text or "" for child in element if _tag(child) == "coordinates"), "")
    if len(text) > ONE_ITEM:
        raise RegionError("too_many_vertices", "the border is too long")
    if ", " in text or " ," in text:
        text = ",".join(number.strip() for number in text.split(","))
    try:
        return [
            [float(number) for number in position.split(",") if number] for position in text.split()
        ]
    except ValueError:
        raise RegionError(
            "invalid_position", "a coordinate is not a number", "/coordinates"
        ) from None
