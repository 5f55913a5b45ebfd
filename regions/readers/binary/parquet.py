"""Parquet with a geometry or with columns for latitude and longitude.

The geometry is the one that GeoParquet 1.x describes in the file's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from regions.readers.binary.arrow import Batch, pieces
from regions.readers.binary.arrow_table import table_of
from regions.readers.item import ITEMS, ONE_ITEM, FileError, too_many
from regions.readers.text.column_names import LAT, LON, place_of, plain_name

_PAGE = 5_000
_CELLS = 1_000_000  # of one page: a file of very many columns has fewer rows in it
_VALUE = 2  # characters that any value has at least once it is written out


def pages(path: Path, limit: int) -> Iterator[Batch]:
    """The rows of a file, page by page.

    Raises `FileError` `bomb` for one that says it unpacks to more than `limit` bytes.
    """
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    # a text or geometry said once for a million rows stays one
    texts = [
        field.name
        for field in schema
        if str(field.type) in ("string", "large_string", "binary", "large_binary")
    ]
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        _check_sizes(file.metadata, limit)
        geo = (file.schema_arrow.metadata or {}).get(b"geo")
        name, crs, encoding = _geometry(geo) if geo else (None, None, "WKB")
        _check_columns(file.schema_arrow, name)
        if encoding != "WKB":
            yield from _native_pages(path)
            return
        for batch in file.iter_batches(_rows_of_page(file.metadata)):
            columns = {
                key: batch.column(nth) for nth, key in enumerate(batch.schema.names) if key != name
            }
            yield Batch(
                columns,
                batch.column(batch.schema.names.index(name)) if name else None,
                crs,
                "the file",
            )


def _rows_of_page(metadata: Any) -> int:
    return max(1, min(_PAGE, _CELLS // max(1, int(metadata.num_columns))))


def _check_sizes(metadata: Any, limit: int) -> None:
    """What the file says of itself, before any of it is unpacked."""
    if metadata.num_rows > ITEMS:
        raise too_many()
    groups = [metadata.row_group(nth) for nth in range(metadata.num_row_groups)]
    chunks = [
        (group.num_rows, group.column(nth)) for group in groups for nth in range(group.num_columns)
    ]
    unpacked = max(
        sum(group.total_byte_size for group in groups),
        sum(chunk.total_uncompressed_size for _, chunk in chunks),
    )
    if max(unpacked, _VALUE * sum(chunk.num_values for _, chunk in chunks)) > limit:
        raise FileError(
            "bomb",
            f"the file unpacks to more than {limit // 1024**2:,} MB; "
            "that is the limit for its size",
        )
    for rows, chunk in chunks:
        one_value, one_row = (
            chunk.total_uncompressed_size / max(1, chunk.num_values),
            _VALUE * chunk.num_values / max(1, rows),
        )
        if max(one_value, one_row) > ONE_ITEM:
            raise FileError(
                "too_large",
                f"one row has more than {ONE_ITEM // 1048576} MB; that is the limit of a row",
            )


def _native_pages(path: Path) -> Iterator[Batch]:
    """A file whose geometry is in Arrow's own columns of coordinates, page by page.

    Each made a small file of its own.
    """
    import geopandas
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_rows_of_page(file.metadata)):
            for piece in pieces(
                Batch(dict(zip(batch.schema.names, batch.columns, strict=True)), None, None, "")
            ):
                small = BytesIO()
                pq.write_table(pa.table(piece.columns, schema=batch.schema), small)
                # whole numbers stay whole where some are missing
                frame = geopandas.read_parquet(
                    small, to_pandas_kwargs={"types_mapper": pd.ArrowDtype}
                )
                table = pa.Table.from_pandas(
                    frame.drop(columns=frame.geometry.name), preserve_index=False
                )
                columns = {key: table.column(key).combine_chunks() for key in table.column_names}
                yield Batch(
                    columns, pa.array(frame.geometry.to_wkb(), "binary"), frame.crs, "the file"
                )


def _geometry(geo: bytes) -> tuple[str, Any, str]:
    """The column, its coordinate system and its encoding.

    No `crs` is OGC:CRS84, `null` is unknown (GeoParquet 1.1, "crs").
    """
    described = json.loads(geo)
    name = described["primary_column"]
    column = described["columns"][name]
    if column.get("edges", "planar") != "planar":
        raise FileError(
            "unknown_format", "the areas have spherical edges; places have straight ones"
        )
    crs = column.get("crs", "OGC:CRS84")
    return (
        name,
        json.dumps(crs) if isinstance(crs, dict) else crs,
        str(column.get("encoding", "WKB")),
    )


def _check_columns(schema: Any, name: str | None) -> None:
    names = [plain_name(each) for each in schema.names]
    if name is not None and name not in schema.names:
        raise FileError("broken", "the column of the geometry is missing")
    if name is None and None in (place_of(names, LAT), place_of(names, LON)):
        raise FileError(
            "unknown_format",
            "the Parquet file has neither a geometry (GeoParquet) nor columns for latitude "
            "and longitude",
        )


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
