"""The other side of `gdal`: a process that reads or writes one file and ends.

Nothing else imports it.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from regions import subprocesses
from regions.readers.binary.arrow import Batch, Sink
from regions.readers.item import FileError, too_many

# Of addresses; the libraries themselves take 450 MB. A hundred thousand rows of any format take 200
# MB more, a million the same, page by page, and 64 MB of large areas 450; what is written is held
# as a whole, and is our own.
_MEMORY_BYTES = {"read": 1024**3, "write": 3 * 1024**3}
_OUTPUT_BYTES = 2 * 1024**3
DRIVERS = {"geopackage": "GPKG", "flatgeobuf": "FlatGeobuf", "shapefile": "ESRI Shapefile"}
_FILES = {"geopackage": "places.gpkg", "flatgeobuf": "places.fgb"}
# characters of JSON, and so many times the size of the file: a list of places packs no better
_OUTPUT_MIN = 64 * 1024**2
_OUTPUT_TIMES = 20
_PAGE = 10_000


def main(arguments: Sequence[str]) -> int:
    """`read|write KIND SOURCE TARGET SECONDS`.

    Says a `FileError` on its output as JSON and ends with 1.
    """
    verb, kind, source, target, seconds = arguments
    subprocesses.end_with_parent()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES[verb], _MEMORY_BYTES[verb]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_OUTPUT_BYTES, _OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        (_read if verb == "read" else _write)(kind, Path(source), Path(target))
    except FileError as error:
        return _say(error.code, error.detail)
    except MemoryError:
        return _say("too_large", f"the file needs more memory than a {kind} file may")
    except Exception:  # noqa: BLE001 - whatever the libraries raise, the file is at fault; words of theirs may hold positions
        return _say("broken", f"the file is cut off, damaged, or no {kind} file")
    return 0


def _say(code: str, detail: str) -> int:
    sys.stdout.write(json.dumps([code, detail]) + "\n")
    return 1


def _read(kind: str, source: Path, target: Path) -> None:
    with target.open("w", encoding="utf-8") as out:
        files = [source] if source.is_file() else source.iterdir()
        limit = _OUTPUT_MIN + _OUTPUT_TIMES * sum(file.stat().st_size for file in files)
        sink = Sink(out, limit)
        if kind == "geoparquet":
            from regions.readers.binary.parquet import pages

            for batch in pages(source, limit):
                sink.take(batch)
        else:
            if kind == "geopackage":
                from regions.readers.binary.geopackage_schema import check_schema

                check_schema(source)
            for batch in _layers(kind, source):
                sink.take(batch)
        sink.finish()


def _layers(kind: str, source: Path) -> Iterator[Batch]:
    """All layers with a geometry, page by page."""
    import pyogrio

    files = sorted(source.glob("*.shp")) if kind == "shapefile" else [source]
    layers = [
        (file, str(name), geometry)
        for file in files
        for name, geometry in pyogrio.list_layers(file)
    ]
    if not layers:
        raise FileError("broken", f"the file is cut off or damaged, or holds no layer of {kind}")
    spatial = [(file, name) for file, name, geometry in layers if geometry is not None]
    notes = (
        _layer_notes([name for _, name in spatial], len(layers) - len(spatial))
        if kind == "geopackage"
        else ()
    )
    for file, name in spatial or [(file, name) for file, name, _ in layers]:
        for batch in _pages(file, name):
            yield batch._replace(notes=notes)
            notes = ()


def _layer_notes(names: list[str], without: int) -> tuple[str, ...]:
    notes = []
    if len(names) > 1:
        notes.append(
            f"the file holds {len(names)} layers, read one after the other: "
            f"{', '.join(name[:80] for name in names[:20])}"
        )
    if without and names:
        notes.append(
            f"{without} {'table' if without == 1 else 'tables'} without a geometry left aside"
        )
    return tuple(notes)


def _pages(file: Path, layer: str) -> Iterator[Batch]:
    import pyarrow as pa
    from pyogrio import read_info
    from pyogrio.raw import open_arrow

    stated = int(read_info(file, layer=layer)["features"])
    count = 0
    with open_arrow(
        file, layer=layer, batch_size=_PAGE, use_pyarrow=True, datetime_as_string=True
    ) as (meta, reader):
        geometry = meta["geometry_name"] or "wkb_geometry"
        for page in reader:
            columns = {
                name: page.column(nth)
                for nth, name in enumerate(page.schema.names)
                if name != geometry
            }
            wkb = (
                page.column(page.schema.names.index(geometry))
                if geometry in page.schema.names
                else pa.nulls(page.num_rows, pa.binary())
            )
            count += page.num_rows
            yield Batch(columns, wkb, meta["crs"], "the file")
    if count < stated:
        raise FileError(
            "broken",
            f"the file is cut off: it says that it holds {stated:,} features, "
            f"and {count:,} are there",
        )


def _write(kind: str, source: Path, target: Path) -> None:
    with source.open(encoding="utf-8") as spool:
        plan = json.loads(spool.readline())
        target.mkdir()
        if kind == "geoparquet":
            from regions.readers.binary.parquet import write

            write(_rows(spool), plan, target / "places.parquet")
            return
        for layer in plan["layers"]:
            spool.seek(0)
            spool.readline()
            _write_layer(
                kind, layer, _rows(spool), target / _FILES.get(kind, f"{layer['name']}.shp")
            )


def _rows(spool: IO[str]) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    for count, line in enumerate(spool):
        if count > 1_000_000:
            raise too_many()
        properties, geometry = json.loads(line)
        yield properties, geometry


def _write_layer(kind: str, layer: dict[str, Any], rows: Iterator[Any], file: Path) -> None:
    from pyogrio.raw import write_arrow

    from regions.readers.binary.arrow_table import table_of

    table = table_of(rows, layer)
    options: dict[str, Any] = (
        {"layer_options": {"SPATIAL_INDEX": "NO"}} if kind == "flatgeobuf" else {}
    )
    options |= {"encoding": "UTF-8"} if kind == "shapefile" else {}
    write_arrow(
        table,
        file,
        layer=layer["name"],
        driver=DRIVERS[kind],
        geometry_name="geom",
        geometry_type=layer["geometry"],
        crs="EPSG:4326",
        **options,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
