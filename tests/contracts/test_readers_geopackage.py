"""GeoPackages that compute what they hold, and those with all that their writers put into them."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from regions.readers import FileError, geopackage

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
PLACE = gpd.GeoDataFrame(
    {"ref": ["a"]}, geometry=[shapely.Point(16.3738, 48.2082)], crs="EPSG:4326"
)


def sample(folder: Path) -> Path:
    return Path(shutil.copyfile(SAMPLES / "places.gpkg", folder / "upload"))


def refused(path: Path) -> str:
    with pytest.raises(FileError) as caught:
        list(geopackage.read(path))
    return caught.value.code


COUNTS = (
    "AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT i AS fid, NULL AS geom FROM n"
)
COMPUTING = {
    "a view": ("view", f"CREATE VIEW vw {COUNTS}"),
    "a view with a comment in its words": ("view", f"CREATE/**/VIEW vw {COUNTS}"),
    "a view that calls itself a table": ("table", f"CREATE VIEW vw {COUNTS}"),
    "a view that calls itself a table, with a comment": ("table", f"create\n--x\nview vw {COUNTS}"),
    "another virtual table": ("table", "CREATE VIRTUAL TABLE vw USING fts4(x)"),
    "another virtual table in disguise": (
        "table",
        'CREATE VIRTUAL TABLE vw USING fts4("x USING rtree(")',
    ),
}


@pytest.mark.parametrize("what", COMPUTING)
def test_a_geopackage_that_computes_is_refused_however_it_is_spelled(
    what: str, tmp_path: Path
) -> None:
    kind, sql = COMPUTING[what]
    path = sample(tmp_path)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA writable_schema = ON")
        file.execute(
            "INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql)"
            " VALUES (?, 'vw', 'vw', 0, ?)",
            (kind, sql),
        )
    file.close()
    assert refused(path) in {"unsafe", "broken"}  # some of them SQLite itself does not believe


DECLARED = {
    "a view": f"CREATE VIEW vw {COUNTS}",
    "a trigger": "CREATE TRIGGER vw AFTER INSERT ON places BEGIN SELECT 1; END",
    "a computed column": (
        "CREATE TABLE more (fid INTEGER PRIMARY KEY, x AS (hex(zeroblob(9))) VIRTUAL)"
    ),
    "a computed column that is kept": (
        "CREATE TABLE more (fid INTEGER PRIMARY KEY, x GENERATED ALWAYS AS (fid + 1) STORED)"
    ),
    "a table that searches": "CREATE VIRTUAL TABLE more USING fts4(x)",
}


@pytest.mark.parametrize("what", DECLARED)
def test_a_geopackage_that_declares_more_than_tables_is_refused(what: str, tmp_path: Path) -> None:
    path = sample(tmp_path)
    with sqlite3.connect(path) as file:
        file.execute(DECLARED[what])
    file.close()
    assert refused(path) == "unsafe"


def test_a_geopackage_is_read_with_all_that_its_writers_put_beside_the_layers(
    tmp_path: Path,
) -> None:
    path = tmp_path / "made.gpkg"
    for layer in ("one", 'two "USING" three'):
        pyogrio.write_dataframe(
            PLACE, path, layer=layer, layer_metadata={"a": "b"}, dataset_metadata={"c": "d"}
        )
    with sqlite3.connect(path) as file:
        file.execute(
            "CREATE TABLE layer_styles"
            " (id INTEGER PRIMARY KEY, style TEXT DEFAULT 'create view of it')"
        )
        file.execute("CREATE INDEX by_ref ON one (ref)")
        file.execute("INSERT INTO layer_styles (style) VALUES ('CREATE VIEW x AS SELECT 1')")
    file.close()
    assert [item.properties for item in geopackage.read(path)] == [{"ref": "a"}] * 2
