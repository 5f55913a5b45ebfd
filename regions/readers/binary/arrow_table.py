"""Items as Arrow tables, for the process of `gdal_process` that writes binary formats."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import shapely
from shapely.errors import ShapelyError

from regions.readers.item import FileError

_TYPES = {"text": "string", "int": "int64", "float": "float64", "bool": "bool"}


def table_of(
    rows: Iterable[tuple[dict[str, Any], dict[str, Any] | None]], layer: dict[str, Any]
) -> Any:
    """An Arrow table of a layer's rows.

    `layer` has `columns` (name, kind, property), `radius` (a column's name) and `select`.
    """
    import pyarrow as pa

    columns: list[list[Any]] = [[] for _ in layer["columns"]]
    radii: list[float | None] = []
    shapes: list[bytes | None] = []
    for properties, geometry in _selected(rows, layer["select"]):
        _append_cells(columns, layer["columns"], properties)
        radii.append(_radius_of(geometry))
        shapes.append(_wkb_of(geometry, layer["geometry"]))
    table = {
        name: pa.array(values, _TYPES[kind])
        for values, (name, kind, _) in zip(columns, layer["columns"], strict=True)
    }
    if layer["radius"]:
        table[layer["radius"]] = pa.array(radii, "float64")
    return pa.table({**table, "geom": pa.array(shapes, "binary")})


def _append_cells(
    columns: list[list[Any]], specs: list[tuple[str, str, str]], properties: dict[str, Any]
) -> None:
    """Append a row to the columns, whose `specs` are name, kind and property."""
    for values, (_, kind, name) in zip(columns, specs, strict=True):
        values.append(cell_of(properties.get(name), kind))


def _radius_of(geometry: dict[str, Any] | None) -> float | None:
    """The radius of a circle in metres, None for any other geometry."""
    return geometry["radius_m"] if geometry is not None and geometry["type"] == "circle" else None


def _selected(
    rows: Iterable[tuple[dict[str, Any], dict[str, Any] | None]], select: list[str | None] | None
) -> Iterator[Any]:
    for properties, geometry in rows:
        if select is None or (geometry["type"] if geometry else None) in select:
            yield properties, geometry


def cell_of(value: Any, kind: str) -> Any:
    """A value as its column holds it.

    Text for everything in a column of text, a decimal in one of decimals.
    """
    if value is None:
        return None
    if kind == "text":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return float(value) if kind == "float" else value


def _wkb_of(geometry: dict[str, Any] | None, wanted: str) -> bytes | None:
    if geometry is None:
        return None
    found: bytes = shapely.to_wkb(_shape(geometry, wanted))
    return found


def _shape(geometry: dict[str, Any], wanted: str) -> Any:
    if geometry["type"] == "circle":
        return shapely.Point(geometry["lon"], geometry["lat"])
    try:
        shape = shapely.geometry.shape(geometry)
    except (ShapelyError, ValueError, TypeError) as error:
        raise FileError("not_writable", "an item's geometry is no geometry") from error
    return (
        shapely.MultiPolygon([shape])
        if wanted == "MultiPolygon" and shape.geom_type == "Polygon"
        else shape
    )
