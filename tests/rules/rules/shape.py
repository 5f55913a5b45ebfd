"""The size and form of files and functions."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.rules.rules.source import FLOORS, Wrong, name_of, python_files, tree_of, wrong

FILE_LINES = 400
FUNCTION_LINES = 50
MEDIAN_LINES = 10
NESTING = 3
SYNTAX_NODES = 250
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
_NESTS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
_ASYNC = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)


def functions_of(path: Path) -> Iterator[Function]:
    """Every function and method of a file, nested ones too."""
    yield from (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def length_of(function: Function) -> int:
    """Lines from `def` to the end, the docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def depth_of(node: ast.AST, above: int = 0) -> int:
    """How deep blocks stand within blocks.

    An `elif` stands beside its `if`, an inner function begins anew.
    """
    deepest = above
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(
                child, (*_function_kinds(), ast.Lambda)
            ):
                continue
            beside = isinstance(node, ast.If) and field == "orelse" and isinstance(child, ast.If)
            deeper = isinstance(child, _NESTS) and not beside
            deepest = max(deepest, depth_of(child, above + deeper))
    return deepest


def _function_kinds() -> tuple[type[ast.AST], ...]:
    return ast.FunctionDef, ast.AsyncFunctionDef


def no_file_is_longer_than_the_ceiling(root: Path) -> Iterator[Wrong]:
    """A file over the ceiling holds two things."""
    for path in python_files(root):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES:
            yield wrong(root, path, lines, f"{lines} lines, the ceiling is {FILE_LINES}")


def no_function_is_longer_than_the_ceiling(root: Path) -> Iterator[Wrong]:
    """A function over the ceiling does two things."""
    for path in python_files(root):
        for function in functions_of(path):
            if (lines := length_of(function)) > FUNCTION_LINES:
                yield wrong(
                    root,
                    path,
                    function.lineno,
                    f"{function.name} has {lines} lines, the ceiling is {FUNCTION_LINES}",
                )


def no_function_nests_too_deep(root: Path) -> Iterator[Wrong]:
    """Blocks within blocks within blocks are the limit."""
    for path in python_files(root):
        for function in functions_of(path):
            if (depth := depth_of(function)) > NESTING:
                yield wrong(
                    root,
                    path,
                    function.lineno,
                    f"{function.name} nests {depth} deep, the ceiling is {NESTING}",
                )


def no_function_is_too_dense(root: Path) -> Iterator[Wrong]:
    """A short function can still say too much: syntax nodes are counted, not lines."""
    for path in python_files(root, *FLOORS):
        for function in functions_of(path):
            if (nodes := sum(1 for _ in ast.walk(function))) > SYNTAX_NODES:
                why = f"{function.name} has {nodes} syntax nodes, the ceiling is {SYNTAX_NODES}"
                yield wrong(root, path, function.lineno, why)


def median_length(root: Path) -> float:
    """The median length of the functions on the three floors, 0 without any."""
    lengths = [
        length_of(function)
        for path in python_files(root, *FLOORS)
        for function in functions_of(path)
    ]
    return statistics.median(lengths) if lengths else 0.0


def no_module_has_a_vague_name(root: Path) -> Iterator[Wrong]:
    """A module whose noun says nothing collects everything."""
    for path in python_files(root):
        name = name_of(root, path).rpartition(".")[2]
        if name.rpartition("_")[2] in VAGUE:
            yield wrong(
                root, path, 1, f"a module called {name} will collect what belongs elsewhere"
            )


def nothing_below_the_doors_is_async(root: Path) -> Iterator[Wrong]:
    """One colour of function per floor. A channel may hide a private thread with its own loop."""
    for path in python_files(root, "regions", "geofence"):
        if path.is_relative_to(root / "geofence" / "delivery"):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, _ASYNC):
                yield wrong(root, path, node.lineno, "nothing below api/ is async")
                break


def only_the_command_line_prints(root: Path) -> Iterator[Wrong]:
    """Everything else logs, or answers."""
    for path in python_files(root, *FLOORS):
        if path.relative_to(root).as_posix() in {
            "api/cli/main.py",
            "api/demo/command.py",
            "api/cli/replay.py",
        }:
            continue
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "print"
            ):
                yield wrong(root, path, node.lineno, "print belongs to the command line")


def only_the_clock_asks_the_time(root: Path) -> Iterator[Wrong]:
    """Below the doors the time is passed in.

    `time.monotonic` may measure how long something took.
    """
    asks = {
        ("time", "time"),
        ("time", "time_ns"),
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("date", "today"),
        ("datetime", "today"),
    }
    for path in python_files(root, "regions", "geofence"):
        if path == root / "geofence" / "clock.py":
            continue
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and (node.value.id, node.attr) in asks
            ):
                yield wrong(
                    root,
                    path,
                    node.lineno,
                    f"{node.value.id}.{node.attr} asks the time: only geofence/clock.py may",
                )
