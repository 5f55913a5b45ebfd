"""Shapefiles in a zip.

Every layer of the archive, each with the .shx, .dbf, .prj and .cpg that lie beside its .shp.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from regions.readers.binary.gdal import items_of, room, written
from regions.readers.binary.spool import Spool, spooled
from regions.readers.binary.table_plan import RADIUS, column_kind, layer_of, losses
from regions.readers.item import FileError, Item
from regions.readers.unpack import Archive, archive
from regions.readers.values import to_json

NAME = "shapefile"
SUFFIXES = (".zip",)
MEDIA = ("application/zip", "application/x-zip-compressed", "application/x-shapefile")
COUNTED: Literal["feature"] = "feature"

LAYERS = 20
_MAGIC = (9994).to_bytes(4, "big")
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SMALL_PARTS = {".prj": 64 * 1024, ".cpg": 64}  # bytes; more is not what it says
_FIELD = 10  # characters of a field's name, and bytes of a text: dBASE III
_TEXT = 254
_DIGITS = 10**18
_KINDS: dict[str, tuple[str, list[str | None]]] = {
    "points": ("Point", ["Point", "circle", None]),
    "areas": ("MultiPolygon", ["Polygon", "MultiPolygon"]),
}


def sniff(head: bytes, suffix: str) -> bool:  # noqa: ARG001 - all formats have this signature
    """A zip in whose list of contents a .shp stands."""
    return head.startswith(b"PK\x03\x04") and b".shp" in head.lower()


def read(path: Path) -> Iterator[Item]:
    """The features of all layers, in the order of their names."""
    with room() as folder:
        inside = folder / "layers"
        inside.mkdir()
        with archive(path) as opened:
            notes = _unpacked(opened, inside)
        yield from items_of(NAME, inside, folder, notes)


def _unpacked(opened: Archive, folder: Path) -> tuple[str, ...]:
    """Write each layer out as layer_1.shp and so on; notes on them."""
    stems = sorted({_stem(name) for name in opened.names if name.lower().endswith(".shp")})
    if not stems:
        raise FileError("unknown_format", "the archive holds no Shapefile (.shp)")
    if len(stems) > LAYERS:
        raise FileError(
            "too_large", f"the archive holds {len(stems)} layers; the limit is {LAYERS}"
        )
    notes = []
    if len(stems) > 1:
        notes.append(
            f"the archive holds {len(stems)} layers, read one after the other: "
            f"{', '.join(_shown(stem) for stem in stems)}"
        )
    for nth, stem in enumerate(stems, 1):
        found = {
            PurePosixPath(name).suffix.lower(): name for name in opened.names if _stem(name) == stem
        }
        for suffix in (part for part in _PARTS if part in found):
            opened.unpack(found[suffix], folder / f"layer_{nth:02}{suffix}")
        notes += _checked(folder / f"layer_{nth:02}.shp", _shown(stem))
    return tuple(notes)


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")).lower() if path.suffix.lower() in _PARTS else ""


def _shown(stem: str) -> str:
    return PurePosixPath(stem).name[:80]


def _checked(shp: Path, name: str) -> list[str]:
    """Notes on what is missing beside a .shp; finds the text encoding that no file names."""
    with shp.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise FileError("broken", f"{name}.shp is no Shapefile")
    for suffix, limit in _SMALL_PARTS.items():
        part = shp.with_suffix(suffix)
        if part.exists() and part.stat().st_size > limit:
            raise FileError("broken", f"{name}{suffix} is too long to be one")
    dbf, cpg = shp.with_suffix(".dbf"), shp.with_suffix(".cpg")
    if not dbf.exists():
        return [f"{name} has no .dbf: its features have no properties"]
    if cpg.exists() and not re.fullmatch(r"[\w .-]+", cpg.read_text(encoding="latin-1").strip()):
        cpg.unlink()
    if not cpg.exists():
        cpg.write_text(_encoding_of(dbf), encoding="ascii")
    return []


def _encoding_of(dbf: Path) -> str:
    """UTF-8 where all of the records are, else Windows-1252.

    What dBASE files without a word about it hold in practice.
    """
    with dbf.open("rb") as file:
        head = file.read(32)
        file.seek(int.from_bytes(head[8:10], "little"))
        records = file.read()
    try:
        records.decode()
    except UnicodeDecodeError:
        return "1252"
    return "UTF-8"


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """A zip of the layers points (with a column radius_m for circles) and areas, UTF-8, WGS84."""
    with spooled(items) as spool, room() as folder:
        names = _short(spool)
        plan = {"layers": _layers(spool, names)}
        made = written(NAME, spool, plan, folder)
        cut = _cut(spool, names)
        with zipfile.ZipFile(folder / "made.zip", "w", zipfile.ZIP_DEFLATED) as out:
            for part in sorted(made.iterdir()):
                out.write(part, part.name)
        shutil.move(folder / "made.zip", path)
        return (*_losses(spool, names, len(plan["layers"])), *cut)


def _layers(spool: Spool, names: dict[str, str]) -> list[dict[str, Any]]:
    wanted = [name for name, (_, select) in _KINDS.items() if spool.kinds & set(select)]
    if spool.without_geometry and "points" not in wanted:
        wanted.insert(0, "points")
    layers = [layer_of(spool, names, name, *_KINDS[name]) for name in wanted or ["points"]]
    for layer in layers:  # ten digits of a decimal number are not enough for a number of eighteen
        layer["columns"] = [
            [name, "text" if _too_long(spool, old, kind) else kind, old]
            for name, kind, old in layer["columns"]
        ]
    return layers


def _too_long(spool: Spool, name: str, kind: str) -> bool:
    return kind == "int" and spool.largest.get(name, 0) >= _DIGITS


def _short(spool: Spool) -> dict[str, str]:
    """Names of at most ten ASCII letters, digits and `_`, each once, that the format can hold."""
    taken = {RADIUS, ""}
    found = {}
    for name in spool.columns:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "field"
        fresh, count = plain[:_FIELD], 2
        while fresh.lower() in taken:
            fresh, count = f"{plain[: _FIELD - 1 - len(str(count))]}_{count}", count + 1
        taken.add(fresh.lower())
        found[name] = fresh
    return found


def _cut(spool: Spool, names: dict[str, str]) -> list[str]:
    """Texts beyond the 254 bytes of a field, counted by column."""
    long: Counter[str] = Counter()
    texts = [name for name in names if column_kind(spool, name) == "text"]
    for item in spool:
        long.update(
            name for name in texts if len(_text(item.properties.get(name)).encode()) > _TEXT
        )
    return [
        f"Shapefile cuts texts to {_TEXT} bytes: {count:,} in {names[name]}"
        for name, count in long.items()
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else to_json(value)


def _losses(spool: Spool, names: dict[str, str], layers: int) -> Iterator[str]:
    if layers > 1:
        yield (
            "Shapefile holds one type of geometry in a layer: "
            "points and areas are two layers, one after the other"
        )
    if others := spool.kinds - {"Point", "circle", "Polygon", "MultiPolygon"}:
        yield (
            "Shapefile holds points and areas here: "
            f"items with other geometries were left out ({', '.join(sorted(others))})"
        )
    renamed = {
        name: fresh for name, fresh in names.items() if name != fresh and name != spool.id_column
    }
    for name, fresh in renamed.items():
        yield (
            f"Shapefile cuts names of fields to {_FIELD} letters: "
            f"{name or 'one without a name'} became {fresh}"
        )
    yield from _value_losses(spool, names)
    if "MultiPolygon" in spool.kinds:
        yield (
            "Shapefile does not tell a MultiPolygon of one part from a Polygon: "
            "it comes back as a Polygon"
        )
    own_names = {name: name for name in names}
    if spool.id_column:
        own_names[spool.id_column] = names[spool.id_column]
    yield from losses(spool, own_names, NAME.title())


def _value_losses(spool: Spool, names: dict[str, str]) -> Iterator[str]:
    """Sentences on values that no field of the format can hold."""
    if any(column_kind(spool, name) == "float" for name in names) or "circle" in spool.kinds:
        yield "Shapefile holds decimal numbers with 15 places: smaller differences are lost"
    if spool.has_empty_text:
        yield "Shapefile does not tell an empty text from no value: both come back as no value"
    if spool.has_trailing_blanks:
        yield "Shapefile drops the blanks at the end of a text"
    if any(_too_long(spool, name, column_kind(spool, name)) for name in names):
        yield "Shapefile holds whole numbers of 18 digits; longer ones are text"
