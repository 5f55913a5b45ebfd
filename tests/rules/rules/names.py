"""Units in names, and the order of lat and lon."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.rules.rules.shape import functions_of
from tests.rules.rules.source import FLOORS, Wrong, python_files, tree_of, wrong

MEASURES = {
    "radius", "distance", "timeout", "accuracy", "altitude", "speed", "heading", "duration",
    "dwell", "delay", "interval", "tolerance",
    "margin", "ttl", "latency", "backoff",
}  # fmt: skip
# What other people's clients call things is theirs.
FOREIGN = ("api/wire", "api/client/traces", "regions/readers", "api/routes/ingest.py")
LON_FIRST = ("regions/geojson.py", "regions/readers")
_LAT = {"lat", "latitude"}
_LON = {"lon", "lng", "longitude"}


def _in(root: Path, path: Path, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(root / place) for place in places)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _is_bool(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "bool"


def measures_carry_their_unit(root: Path) -> Iterator[Wrong]:
    """A parameter or field called `radius` does not say of what: `radius_m` does."""
    for path in python_files(root, *FLOORS):
        if _in(root, path, FOREIGN):
            continue
        named = [
            (a.arg, a.lineno, a.annotation)
            for function in functions_of(path)
            for a in _parameters(function)
        ]
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                named += [
                    (f.target.id, f.lineno, f.annotation)
                    for f in node.body
                    if isinstance(f, ast.AnnAssign) and isinstance(f.target, ast.Name)
                ]
        for name, line, annotation in named:
            if name.strip("_").split("_")[-1] in MEASURES and not _is_bool(annotation):
                yield wrong(
                    root, path, line, f"{name} has no unit in its name (_m, _s, _ms, _mps, _deg)"
                )


def lat_stands_before_lon(root: Path) -> Iterator[Wrong]:
    """In every signature and, above the ground floor, in every pair.

    [lon, lat] is GeoJSON's and stays in its reader.
    """
    for path in python_files(root, *FLOORS):
        if _in(root, path, LON_FIRST):
            continue
        rows = [
            ([a.arg for a in _parameters(function)], function.lineno)
            for function in functions_of(path)
        ]
        if not _in(root, path, ("regions",)):
            rows += list(_pairs(tree_of(path)))
        for names, line in rows:
            if _lon_first([name.strip("_") for name in names]):
                yield wrong(root, path, line, "lat comes before lon, everywhere but in GeoJSON")


def _pairs(tree: ast.Module) -> Iterator[tuple[list[str], int]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Tuple, ast.List)):
            yield [_word(element) for element in node.elts], node.lineno


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _lon_first(names: list[str]) -> bool:
    lat = next((i for i, name in enumerate(names) if name in _LAT), None)
    lon = next((i for i, name in enumerate(names) if name in _LON), None)
    return lat is not None and lon is not None and lon < lat
