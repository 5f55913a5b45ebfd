"""What the process of the binary formats may take.

Small files that say, or hide, that they are large.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from regions import subprocesses
from regions.readers import formats
from regions.readers.binary.gdal import _ENVIRONMENT

BY_NAME = {form.NAME: form for form in formats()}
MEMORY_MB = 600  # of which the libraries take a hundred
CPU_S = 8
FEW = {"lat": [48.25], "lon": [16.5]}
MANY = {"lat": [48.25] * 5_000, "lon": [16.5] * 5_000}
GEO = {
    "version": "1.1.0",
    "primary_column": "geom",
    "columns": {"geom": {"encoding": "WKB", "geometry_types": []}},
}


# asked from a small process: what a process took counts what its parent had when it began
_ASK = """
import json, resource, subprocess, sys
answer = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE).stdout
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([json.loads(answer)[0], used.ru_maxrss / 1024, used.ru_utime + used.ru_stime]))
"""


def judged(path: Path, folder: Path) -> tuple[str, float, float]:
    """The code that the process answers with, its megabytes and its seconds of CPU."""
    command = subprocesses.command(
        "regions.readers.binary.gdal_process",
        "read",
        "geoparquet",
        str(path),
        str(folder / "items"),
        "30",
    )
    done = subprocess.run(
        [sys.executable, "-c", _ASK, *command],
        env=subprocesses.environment() | _ENVIRONMENT,
        capture_output=True,
        check=True,
    )
    code, memory_mb, cpu_s = json.loads(done.stdout)
    return code, memory_mb, cpu_s


def one_text(times: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array([0] * times, pa.int32()), pa.array(["x" * 1_000_000])
    )


def ones(count: int) -> np.ndarray:
    return np.ones(count, np.int8)


def areas(times: int) -> pa.Table:
    area = shapely.to_wkb(shapely.Point(1, 1).buffer(1, 20_000))
    table = pa.table({"id": range(times), "geom": pa.array([area] * times, pa.binary())})
    return table.replace_schema_metadata({"geo": json.dumps(GEO)})


SWELLING: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "one value of 100 MB": (lambda: pa.table({**FEW, "x": [b"\0" * 100_000_000]}), {"bomb"}),
    "one list of 34 million numbers": (
        lambda: pa.table({**FEW, "x": pa.array([ones(34_000_000)], pa.list_(pa.int8()))}),
        {"bomb"},
    ),
    "one list of 20 million": (
        lambda: pa.table({**FEW, "x": pa.array([ones(20_000_000)], pa.list_(pa.int8()))}),
        {"too_large"},
    ),
    "one long list among short ones": (
        lambda: pa.table(
            {**MANY, "x": pa.array([ones(9_000_000)] + [[]] * 4_999, pa.list_(pa.int8()))}
        ),
        {"too_large"},
    ),
    "one text in every row": (lambda: pa.table({**MANY, "x": one_text(5_000)}), {"bomb"}),
    "one text in many lists": (
        lambda: pa.table(
            {**MANY, "x": pa.array([["x" * 1_000_000]] * 150 + [[]] * 4_850, pa.list_(pa.string()))}
        ),
        {"too_large", "bomb"},
    ),
    "one area in every row": (lambda: areas(60), {"bomb"}),
}


@pytest.mark.parametrize("what", SWELLING)
def test_a_parquet_file_that_swells_is_refused_before_it_costs_much(
    what: str, tmp_path: Path
) -> None:
    make, codes = SWELLING[what]
    path = tmp_path / "places.parquet"
    pq.write_table(make(), path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    code, memory_mb, cpu_s = judged(path, tmp_path)
    assert code in codes
    assert memory_mb < MEMORY_MB
    assert cpu_s < CPU_S


def test_a_row_of_nearly_the_limit_is_read_and_one_beyond_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.parquet"
    pq.write_table(pa.table({**FEW, "x": ["x" * 7_000_000]}), path)
    (item,) = BY_NAME["geoparquet"].read(path)
    assert len(item.properties["x"]) == 7_000_000
    pq.write_table(pa.table({**FEW, "x": ["x" * 9_000_000]}), path)
    assert judged(path, tmp_path)[0] == "too_large"


def test_columns_within_columns_are_read_as_before(tmp_path: Path) -> None:
    path = tmp_path / "places.parquet"
    names = pa.array(
        [
            {"primary": f"Store {nth}", "common": [("en", "a"), ("de", "b" * nth)]}
            for nth in range(9_000)
        ],
        pa.struct([("primary", pa.string()), ("common", pa.map_(pa.string(), pa.string()))]),
    )
    found = {
        "names": names,
        "addresses": [[{"city": "Wien", "no": 5}]] * 9_000,
        "raw": [b"\x00\xff", None, b""] * 3_000,
    }
    pq.write_table(pa.table({"lat": [48.25] * 9_000, "lon": [16.5] * 9_000, **found}), path)
    items = list(BY_NAME["geoparquet"].read(path))
    assert len(items) == 9_000
    assert items[2].properties["names"] == {
        "primary": "Store 2",
        "common": [["en", "a"], ["de", "bb"]],
    }
    assert items[8_999].properties["addresses"] == [{"city": "Wien", "no": 5}]
    assert [item.properties["raw"] for item in items[:3]] == ["00ff", None, ""]
