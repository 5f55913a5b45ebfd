"""Tables of columns, as the binary formats are read.

Rows to items, in the process of `gdal_process`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import IO, Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from regions.readers.geometry import circle, from_shape, point
from regions.readers.item import FLAT, ITEMS, ONE_ITEM, FileError, too_many
from regions.readers.text.column_names import LAT, LON, is_text, place_of, plain_name, radius_of
from regions.readers.values import nested_in, number_in, plain, radius_in, to_json
from regions.region import RegionError

_DEGREE = math.pi / 180.0  # in radians
_LON_FAR = 540.0  # beyond what even an unrolled ring has
_SLOT = 8  # bytes of any value, be it none, once Python holds it


class Batch(NamedTuple):
    """Some rows.

    Their columns by name (Arrow arrays), the geometries as well-known bytes, and the system they
    are in.
    """

    columns: dict[str, Any]
    wkb: Any
    crs: Any
    layer: str
    notes: tuple[str, ...] = ()


class Sink:
    """Takes batches and writes each row as JSON.

    Number, properties, geometry, error, notes; up to `limit` characters.
    """

    def __init__(self, out: IO[str], limit: int) -> None:
        self._out = out
        self._left = limit
        self._number = 0
        self._notes: dict[str, None] = {}
        self._fresh: list[str] = []

    def take(self, batch: Batch) -> None:
        """Write the rows of one batch, some at a time.

        Raises `FileError` for a row, or for a file, beyond its limit.
        """
        for piece in pieces(batch):
            self._take(piece)

    def _take(self, batch: Batch) -> None:
        self._note(batch.notes)
        names = list(batch.columns)
        values = [
            _values(column, _text if is_text(name) else _value)
            for name, column in batch.columns.items()
        ]
        shapes, bad = self._shapes(batch)
        plain_names = [plain_name(name) for name in names]
        radius = radius_of(plain_names)
        places: list[int | None] = [
            place_of(plain_names, words) if batch.wkb is None else None for words in (LAT, LON)
        ]
        for nth, row in enumerate(zip(*values, strict=True) if values else ((),) * len(shapes)):
            self._number += 1
            if self._number > ITEMS:
                raise too_many()
            cells = dict(zip(names, row, strict=True))
            self._row(
                cells,
                shapes[nth] if batch.wkb is not None else None,
                bool(bad[nth]),
                names,
                radius,
                places,
            )

    def finish(self) -> None:
        """After the last batch."""
        self._out.flush()

    def _row(
        self,
        cells: dict[str, Any],
        shape: Any,
        bad: bool,
        names: list[str],
        radius: int | None,
        places: list[int | None],
    ) -> None:
        radius_name = names[radius] if radius is not None else ""
        geometry: dict[str, Any] | None = None
        error: list[str] | None = None
        notes: tuple[str, ...] = ()
        try:
            if bad:
                raise RegionError("not_a_region", "the geometry is damaged")
            geometry, notes = from_shape(shape)
            if None not in places:
                geometry = _named(cells, [names[place] for place in places if place is not None])
            geometry = _rounded(geometry, cells, radius_name)
        except RegionError as wrong:
            error = [wrong.code, wrong.detail]
        fresh, self._fresh = [*self._fresh, *notes], []
        self._write(to_json([self._number, cells, geometry, error, fresh]))

    def _write(self, line: str) -> None:
        self._left -= len(line)
        if len(line) >= ONE_ITEM:
            raise _row_too_large()
        if self._left < 0:
            raise FileError("bomb", "the file unpacks to far more than its size")
        self._out.write(line + "\n")

    def _note(self, notes: Iterable[str]) -> None:
        fresh = [note for note in notes if note not in self._notes]
        self._notes.update(dict.fromkeys(fresh))
        self._fresh += fresh

    def _shapes(self, batch: Batch) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Geometries in WGS84 without altitude, and which of them could not be read."""
        length = (
            len(next(iter(batch.columns.values())))
            if batch.columns
            else 0
            if batch.wkb is None
            else len(batch.wkb)
        )
        if batch.wkb is None:
            return np.full(length, None), np.zeros(length, dtype=bool)
        raw = np.array(_values(batch.wkb, lambda value: value), dtype=object)
        shapes = shapely.from_wkb(raw, on_invalid="ignore")
        bad = np.array(
            [each is not None and shape is None for each, shape in zip(raw, shapes, strict=True)],
            dtype=bool,
        )
        if shapely.has_z(shapes).any():
            self._note([FLAT])
        shapes = shapely.force_2d(shapes)
        found, notes = _in_degrees(shapes, batch.crs, batch.layer)
        self._note(notes)
        return found, bad


def pieces(batch: Batch) -> Iterator[Batch]:
    """The rows of a batch in parts that are small once they are unfolded.

    A text stored once may stand in every row.
    """
    held = [*batch.columns.values(), *([batch.wkb] if batch.wkb is not None else [])]
    if sum(map(_weight, held)) <= ONE_ITEM:
        yield batch
        return
    half = len(held[0]) // 2
    if not half:
        raise _row_too_large()
    for part in (slice(0, half), slice(half, None)):
        columns = {name: column[part] for name, column in batch.columns.items()}
        yield from pieces(
            batch._replace(columns=columns, wkb=None if batch.wkb is None else batch.wkb[part])
        )


def _row_too_large() -> FileError:
    return FileError(
        "too_large", f"one row has more than {ONE_ITEM // 1048576} MB; that is the limit of a row"
    )


def _weight(array: Any) -> int:
    """Bytes of a column, each value counted wherever it stands, before any of them is unfolded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, own = array.type, _SLOT * len(array)
    if pa.types.is_dictionary(kind):
        return own + int(
            pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0
        )
    if pa.types.is_map(kind):  # the only one that Arrow does not flatten
        first, end = (array.offsets[at].as_py() for at in (0, -1))
        return own + _weight(array.keys[first:end]) + _weight(array.items[first:end])
    if pa.types.is_nested(kind):  # flattening heeds slices, which the buffers do not
        inner = array.flatten()
        return own + sum(map(_weight, inner if isinstance(inner, list) else [inner]))
    return own + int(array.nbytes)


def _values(column: Any, read: Callable[[Any], Any]) -> list[Any]:
    if hasattr(column, "dictionary"):
        used = column.indices.unique().drop_null()
        found = map(read, column.dictionary.take(used).to_pylist())
        known = dict(zip([None, *used.to_pylist()], [None, *found], strict=True))
        return [known[nth] for nth in column.indices.to_pylist()]
    return [read(value) for value in column.to_pylist()]


def _text(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return nested_in(plain(value))
    if isinstance(value, Decimal):
        return (
            plain(int(value) if value == value.to_integral_value() else float(value))
            if value.is_finite()
            else None
        )
    try:
        return plain(value)
    except RegionError as error:
        raise FileError("broken", error.detail) from error


def _named(cells: dict[str, Any], names: list[str]) -> dict[str, Any] | None:
    """A Point from two columns, which are taken out."""
    lat, lon = (cells.pop(name) for name in names)
    if lat is None and lon is None:
        return None
    try:
        return point(_degrees(lat), _degrees(lon))
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, RegionError):
            raise
        raise RegionError(
            "invalid_position", "the latitude or the longitude is missing or not a number"
        ) from error


def _degrees(cell: Any) -> float:
    """A number, or a text that holds one, also with a decimal comma. Raises `ValueError`."""
    found = number_in(cell) if isinstance(cell, str) else float(cell)
    if found is None:
        raise ValueError("not a number")
    return found


def _rounded(
    geometry: dict[str, Any] | None, cells: dict[str, Any], name: str
) -> dict[str, Any] | None:
    """A Point with a radius as our circle, the radius taken out.

    An empty radius is taken out of any row.
    """
    if not name:
        return geometry
    if cells[name] is None:
        cells.pop(name)
        return geometry
    if geometry is None or geometry["type"] != "Point":
        return geometry
    lon, lat = geometry["coordinates"]
    return circle(lat, lon, radius_in(cells.pop(name)))


def _in_degrees(shapes: NDArray[Any], crs: Any, layer: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Shapes on WGS84.

    Raises `FileError` `crs_unknown` where the file names no system and its numbers are no degrees.
    """
    if crs is None:
        _check_degrees(shapes, layer)
        return shapes, ()
    from pyproj import CRS
    from pyproj.exceptions import ProjError

    try:
        system = CRS.from_user_input(crs)
        if _is_wgs84(system):
            return shapes, ()
        import geopandas

        if any(axis.unit_name.lower() == "radian" for axis in system.axis_info[:2]):
            shapes = shapely.transform(shapes, np.degrees)  # which is what pyproj takes radians for
        moved = geopandas.GeoSeries(shapes, crs=system).to_crs(epsg=4326)
    except ProjError as error:
        raise FileError(
            "crs_unknown", f"the coordinates of {layer} are in an unknown system"
        ) from error
    return np.asarray(moved.array, dtype=object), (
        f"the coordinates were converted from {system.name[:80]} to WGS84",
    )


def _is_wgs84(system: Any) -> bool:
    """Whether numbers in this system are degrees of WGS84 from Greenwich.

    A name alone does not say so: there are files whose
    system is WGS84 but for its prime meridian (Ferro, Paris) or its unit (gradians, radians).
    """
    if not (
        system.to_epsg(20) in (4326, 4979)
        or (system.to_authority(min_confidence=20) or ("", ""))[1] == "CRS84"
    ):
        return False
    meridian = system.prime_meridian
    axes = system.axis_info[:2]
    return (meridian is None or meridian.longitude == 0.0) and all(
        abs(axis.unit_conversion_factor - _DEGREE) < 1e-9 for axis in axes
    )


def _check_degrees(shapes: NDArray[Any], layer: str) -> None:
    bounds = shapely.bounds(shapes)
    known = bounds[np.isfinite(bounds).all(axis=1)]
    far = (np.abs(known[:, [0, 2]]) > _LON_FAR).any(axis=1) | (np.abs(known[:, [1, 3]]) > 90.0).any(
        axis=1
    )
    if far.sum() * 2 > len(known):
        raise FileError(
            "crs_unknown",
            f"{layer} does not say in which system its coordinates are, "
            "and they are not degrees; give it its .prj or convert it",
        )
