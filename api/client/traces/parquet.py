"""Apache Parquet: only the columns that are needed, one batch at a time.

Without a device column, the file is one device.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

try:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
except ImportError:  # it comes with geofence[formats]
    pa = None

from api.client.traces.columns import (
    BATCH,
    Columns,
    TraceError,
    choose,
    epoch_ms,
    moment_ms,
    unknown,
)
from geofence.model.ping import Floats, Times

NAME = "parquet"
SUFFIXES = (".parquet", ".pq")


def read(path: Path) -> Iterator[Columns]:
    """The rows of a Parquet file, in its order. Raises `TraceError` for what cannot be read."""
    if pa is None:
        raise TraceError(path, "Parquet needs an extra: pip install 'geofence[formats]'")
    try:
        with pq.ParquetFile(path) as file:
            names = choose(path, file.schema_arrow.names)
            row = 0
            for batch in file.iter_batches(BATCH, columns=list(names.values())):
                yield _columns(path, batch, names, row)
                row += batch.num_rows
    except pa.ArrowException as error:
        raise TraceError(path, "is not a Parquet file that can be read") from error


def _columns(path: Path, batch: pa.RecordBatch, names: dict[str, str], row: int) -> Columns:
    length = batch.num_rows
    column = {
        what: batch.column(batch.schema.get_field_index(name)) for what, name in names.items()
    }
    return Columns(
        device_id=[str(name) for name in column["device"].to_pylist()]
        if "device" in column
        else [path.stem] * length,
        ts_ms=_times(path, column["time"], row),
        lat=_numbers(path, column["lat"], names["lat"]),
        lon=_numbers(path, column["lon"], names["lon"]),
        accuracy_m=_numbers(path, column["accuracy"], names["accuracy"])
        if "accuracy" in column
        else unknown(length),
        speed_mps=_numbers(path, column["speed"], names["speed"])
        if "speed" in column
        else unknown(length),
    )


def _numbers(path: Path, column: pa.Array, name: str) -> Floats:
    try:
        numbers: Floats = (
            pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
        )
    except pa.ArrowException:
        raise TraceError(path, f"the column {name} does not hold numbers") from None
    return numbers


def _times(path: Path, column: pa.Array, row: int) -> Times:
    if column.null_count:
        missing = pc.index(column.is_null(), True).as_py()
        raise TraceError(path, "has no time", f"row {row + missing + 1}")
    if pa.types.is_timestamp(column.type):
        if column.type.tz is None:
            raise TraceError(
                path,
                "its times have no time zone; "
                "store them as timestamps with UTC, or as a number since 1970",
            )
        times: Times = (
            pc.cast(column, pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64()).to_numpy()
        )
        return times
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return epoch_ms(_numbers(path, column, "of times"))
    try:
        return np.array([moment_ms(str(text)) for text in column.to_pylist()], dtype=np.int64)
    except ValueError as error:
        raise TraceError(
            path, str(error) if "offset" in str(error) else "its times cannot be read"
        ) from None
