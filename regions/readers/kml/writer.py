"""KML written: one document, one Schema, one Placemark an item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr

from regions.readers.binary.spool import Spool
from regions.readers.binary.table_plan import RADIUS, column_kind
from regions.readers.item import Item
from regions.readers.values import to_json

_TYPES = {"text": "string", "int": "int", "float": "double", "bool": "bool"}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN = ("name", "description")  # elements of KML itself, where they are text


def write_kml(spool: Spool, out: IO[str]) -> None:
    """The document, item by item."""
    kinds = {name: column_kind(spool, name) for name in spool.columns}
    out.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
        '<Schema name="places" id="places">'
    )
    fields = {name: kind for name, kind in kinds.items() if not _is_element(name, spool)}
    for name, kind in {**fields, **({RADIUS: "float"} if "circle" in spool.kinds else {})}.items():
        out.write(f'<SimpleField type="{_TYPES[kind]}" name={_attribute(name)}/>')
    out.write("</Schema>\n")
    for item in spool:
        out.write(_placemark(item, kinds))
    out.write("</Document></kml>\n")


def _is_element(name: str, spool: Spool) -> bool:
    """Whether the property is an element of KML itself in every Placemark and needs no field."""
    return (
        name in _OWN
        and spool.columns[name] <= {"str", "null"}
        and not spool.has_empty_text
        and not spool.has_outer_blanks
    )


def losses(spool: Spool) -> Iterator[str]:
    """What KML cannot hold."""
    kinds = {name: column_kind(spool, name) for name in spool.columns}
    mixed = [
        name
        for name, kind in kinds.items()
        if kind == "text" and spool.columns[name] - {"null", "str", "json"}
    ]
    if mixed:
        yield f"KML holds one kind of value in a field; as text: {', '.join(mixed[:20])}"
    if any("null" in found for found in spool.columns.values()):
        yield "KML does not tell no value from no such property: it comes back as no property"
    if spool.has_json_text:
        yield (
            "KML does not tell a text that is written as JSON from the list or object itself: "
            "it comes back as that"
        )
    if spool.has_unprintable:
        yield "KML, as all XML, holds no control characters: they were dropped"
    if spool.has_outer_blanks:
        yield "KML drops the blanks around names and descriptions"
    if "circle" in spool.kinds:
        yield f"KML shows a circle as a point; its radius is in the field {RADIUS}"
    if RADIUS in spool.columns and "circle" in spool.kinds:
        yield f"the property {RADIUS} of circles gave way to the circle's own"
    yield from spool.renamed({})


def _placemark(item: Item, kinds: dict[str, str]) -> str:
    properties = {name: value for name, value in item.properties.items() if value is not None}
    own = "".join(
        f"<{name}>{_text(properties.pop(name))}</{name}>"
        for name in _OWN
        if isinstance(properties.get(name), str) and properties[name].strip()
    )
    data = "".join(
        f"<SimpleData name={_attribute(name)}>{_text(_cell(value, kinds[name]))}</SimpleData>"
        for name, value in properties.items()
    )
    if item.geometry is not None and item.geometry["type"] == "circle":
        data += f'<SimpleData name="{RADIUS}">{item.geometry["radius_m"]!r}</SimpleData>'
    extended = (
        f'<ExtendedData><SchemaData schemaUrl="#places">{data}</SchemaData></ExtendedData>'
        if data
        else ""
    )
    own_id = f" id={_attribute(item.id)}" if item.id is not None else ""
    return f"<Placemark{own_id}>{own}{extended}{_shape(item.geometry)}</Placemark>\n"


def _cell(value: Any, kind: str) -> str:
    if isinstance(value, str):
        return value
    return repr(float(value)) if kind == "float" else to_json(value)


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("", value), {"\r": "&#13;"})


def _attribute(value: str) -> str:
    return quoteattr(_NOT_XML.sub("", value), {"\r": "&#13;"})


def _shape(geometry: dict[str, Any] | None) -> str:
    if geometry is None:
        return ""
    kind = geometry["type"]
    if kind == "circle":
        return _point([geometry["lon"], geometry["lat"]])
    if kind == "GeometryCollection":
        return f"<MultiGeometry>{''.join(map(_shape, geometry['geometries']))}</MultiGeometry>"
    found = geometry["coordinates"]
    if kind.startswith("Multi"):
        parts = (_shape({"type": kind[5:], "coordinates": part}) for part in found)
        return f"<MultiGeometry>{''.join(parts)}</MultiGeometry>"
    if kind == "Point":
        return _point(found)
    if kind == "LineString":
        return f"<LineString><coordinates>{_positions(found)}</coordinates></LineString>"
    rings = [
        f"<LinearRing><coordinates>{_positions(ring)}</coordinates></LinearRing>" for ring in found
    ]
    outer, inner = rings[:1], rings[1:]
    borders = [f"<outerBoundaryIs>{ring}</outerBoundaryIs>" for ring in outer] + [
        f"<innerBoundaryIs>{ring}</innerBoundaryIs>" for ring in inner
    ]
    return f"<Polygon>{''.join(borders)}</Polygon>"


def _point(position: list[float]) -> str:
    return f"<Point><coordinates>{_positions([position])}</coordinates></Point>"


def _positions(positions: list[list[float]]) -> str:
    return " ".join(f"{position[0]!r},{position[1]!r}" for position in positions)
