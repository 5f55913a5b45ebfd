"""Parquet, with the geometry that GeoParquet 1.x describes in the file's own notes, or with columns for latitude and longitude."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from regions.readers.arrow import Batch, table_of
from regions.readers.column_names import LAT, LON, place_of, plain_name
from regions.readers.item import ITEMS, FileError, too_many

_PAGE = 5_000
_UNPACKED = 2 * 1024**3


def pages(path: Path) -> Iterator[Batch]:
    """The rows of a file, page by page."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    # a text said once for a million rows stays one text
    texts = [field.name for field in schema if str(field.type) in ("string", "large_string")]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        if file.metadata.num_rows > ITEMS:
            raise too_many()
        if sum(file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups)) > _UNPACKED:
            raise FileError("bomb", f"the file unpacks to more than {_UNPACKED // 1024**2:,} MB; that is the limit")
        geo = (file.schema_arrow.metadata or {}).get(b"geo")
        name, crs, encoding = _geometry(geo) if geo else (None, None, "WKB")
        _check_columns(file.schema_arrow, name)
        if encoding != "WKB":
            yield from _native_pages(path)
            return
        for batch in file.iter_batches(_PAGE):
            columns = {key: batch.column(nth) for nth, key in enumerate(batch.schema.names) if key != name}
            yield Batch(columns, batch.column(batch.schema.names.index(name)) if name else None, crs, "the file")


def _native_pages(path: Path) -> Iterator[Batch]:
    """A file whose geometry is in Arrow's own columns of coordinates, page by page."""
    import geopandas
    import pandas as pd
    import pyarrow as pa

    frame = geopandas.read_parquet(
        path, to_pandas_kwargs={"types_mapper": pd.ArrowDtype}
    )  # whole numbers stay whole where some are missing
    name = frame.geometry.name
    for start in range(0, len(frame), _PAGE):
        page = frame.iloc[start : start + _PAGE]
        table = pa.Table.from_pandas(page.drop(columns=name), preserve_index=False)
        columns = {key: table.column(key).combine_chunks() for key in table.column_names}
        yield Batch(columns, pa.array(page.geometry.to_wkb(), "binary"), frame.crs, "the file")


def _geometry(geo: bytes) -> tuple[str, Any, str]:
    """The column, its coordinate system and its encoding; none told is OGC:CRS84, `null` is unknown (GeoParquet 1.1, "crs")."""
    told = json.loads(geo)
    name = told["primary_column"]
    column = told["columns"][name]
    if column.get("edges", "planar") != "planar":
        raise FileError("unknown_format", "the areas have spherical edges; places have straight ones")
    crs = column.get("crs", "OGC:CRS84")
    return name, json.dumps(crs) if isinstance(crs, dict) else crs, str(column.get("encoding", "WKB"))


def _check_columns(schema: Any, name: str | None) -> None:
    names = [plain_name(each) for each in schema.names]
    if name is not None and name not in schema.names:
        raise FileError("broken", "the column of the geometry is missing")
    if name is None and None in (place_of(names, LAT), place_of(names, LON)):
        raise FileError("unknown_format", "the Parquet file has neither a geometry (GeoParquet) nor columns for latitude and longitude")


def write(rows: Iterable[Any], plan: dict[str, Any], path: Path) -> None:
    """GeoParquet 1.1, geometry in WKB on OGC:CRS84; lists and objects are JSON text."""
    import geopandas
    import pandas as pd

    (layer,) = plan["layers"]
    table = table_of(rows, layer)
    shapes = geopandas.GeoSeries.from_wkb(table.column("geom").to_pylist(), crs="OGC:CRS84")
    columns = table.drop_columns("geom").to_pandas(types_mapper=pd.ArrowDtype)
    frame = geopandas.GeoDataFrame(columns, geometry=shapes).rename_geometry("geom")
    frame.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0")
