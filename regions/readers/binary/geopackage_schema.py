"""What an SQLite file declares, looked at before anything of it is asked.

Tables hold rows, and all else computes them.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from regions.readers.item import FileError

_STEPS = 1_000_000  # of SQLite's machine, between two looks
_LOOKS = 50
# SQLite writes these words itself, however they were spelled; a row that has others was put in
# behind its back.
_WORDS = {
    "table": ("CREATE TABLE ", "CREATE VIRTUAL TABLE "),
    "index": ("CREATE INDEX ", "CREATE UNIQUE INDEX "),
    "trigger": ("CREATE TRIGGER ",),
}
_TRIGGERS = (
    "rtree_",
    "gpkg_",
    "trigger_insert_feature_count_",
    "trigger_delete_feature_count_",
)  # of the standard, and GDAL's
_TILES = re.compile(r"_(?:zoom|tile_column|tile_row)_(?:insert|update)$")
_RTREE = re.compile(r"\s*using\s+rtree\s*\(", re.IGNORECASE)
_COMPUTED = """
SELECT 1 FROM sqlite_master m, pragma_table_xinfo(m.name) c
WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND c.hidden IN (2, 3) LIMIT 1
"""


def check_schema(path: Path) -> None:
    """Raise `FileError` `unsafe` unless the file holds only tables and indexes.

    What the standard puts beside them is accepted, too.
    """
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as file:
        looks = iter(range(_LOOKS))
        file.set_progress_handler(lambda: next(looks, None) is None, _STEPS)
        file.execute("PRAGMA trusted_schema = OFF")
        for kind, name, sql in file.execute("SELECT type, name, sql FROM sqlite_master"):
            if not _is_harmless(str(kind), str(name), sql):
                raise _unsafe()
        parsed = {str(row[2]) for row in file.execute("PRAGMA table_list")}
        if "view" in parsed or file.execute(_COMPUTED).fetchone():
            raise _unsafe()


def _unsafe() -> FileError:
    return FileError(
        "unsafe", "the file holds views, triggers or computed columns; save the layers as tables"
    )


def _is_harmless(kind: str, name: str, sql: object) -> bool:
    if kind == "index" and sql is None:
        return True  # SQLite's own, of a key
    if not isinstance(sql, str) or not sql.startswith(_WORDS.get(kind, ())):
        return False
    if kind == "trigger":  # never run: the file is only read
        return name.startswith(_TRIGGERS) or _TILES.search(name) is not None
    return not sql.startswith("CREATE VIRTUAL TABLE ") or _is_rtree(
        name, sql.removeprefix("CREATE VIRTUAL TABLE ")
    )


def _is_rtree(name: str, declared: str) -> bool:
    """The index of a layer; its name may hold any words, those of another module among them."""
    doubled = name.replace('"', '""')
    spelled = (f'"{doubled}"', f"'{name}'", f"[{name}]", f"`{name}`", name)
    return any(declared.startswith(one) and _RTREE.match(declared[len(one) :]) for one in spelled)
