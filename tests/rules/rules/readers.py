"""Who reads a field: attribute reads in the code that acts on it.

A read under the field's own name as a keyword or key (`Device(locale=device.locale)`) passes the
field on and is no reading; nor is what a layer of translation does (schemas, wire formats, rows of
the database). Where several classes have a field of one name, the thing that is read must be named
after its class (`store.time_zone` is no reading of a device's).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.rules.rules.source import tree_of

TRANSLATION = (
    "api/schemas",
    "api/wire",
    "api/cli",
    "api/client",
    "api/demo",
    "api/sandbox",
    "geofence/backends",
    "geofence/model",
    "geofence/simulate",
)


class Read(NamedTuple):
    """One attribute read: the attribute, and the last name of what it is read from."""

    attribute: str
    of: str


def sources(root: Path, leave_out: Iterable[str] = TRANSLATION) -> dict[str, ast.Module]:
    """The product's modules that act on fields, by path."""
    left_out = tuple(leave_out)
    found = {}
    for folder in ("api", "geofence", "regions"):
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not name.startswith(left_out):
                found[name] = tree_of(path)
    return found


def reads(modules: Mapping[str, ast.Module]) -> set[Read]:
    """Every read of an attribute that does more than pass it on under its own name."""
    return {read for tree in modules.values() for read in _reads(tree, None)}


def unread(
    fields: Mapping[str, Iterable[str]], nouns: Mapping[str, Iterable[str]], found: set[Read]
) -> Iterator[tuple[str, str]]:
    """(class, field) of every field without a reading.

    Args:
        fields: The fields of each class. A field may be read under its own name, or under the
            name that the model gives it (`_ms`, `_id`).
        nouns: The words after which things of a class are named, where it is not the class's own.
        found: The reads of the code.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for kind, names in fields.items():
        for name in names:
            owners[name].add(kind)
    receivers: dict[str, set[str]] = defaultdict(set)
    for read in found:
        receivers[read.attribute].add(read.of)
    for kind, names in sorted(fields.items()):
        words = {kind.lower(), *nouns.get(kind, ())}
        for name in names:
            of = set().union(*(receivers[one] for one in (name, f"{name}_ms", f"{name}_id")))
            alone = len(owners[name]) == 1
            if not (of if alone else any(word in one.lower() for word in words for one in of)):
                yield kind, name


def _reads(node: ast.AST, under: str | None) -> Iterator[Read]:
    """The reads below a node that stands under a keyword or key of that name."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr != under:
        yield Read(node.attr, _last_name(node.value))
    if isinstance(node, ast.keyword):
        under = node.arg
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            named = key.value if isinstance(key, ast.Constant) else None
            yield from _reads(value, named if isinstance(named, str) else under)
        return
    for child in ast.iter_child_nodes(node):
        yield from _reads(child, under)


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Attribute():
            return node.attr
        case ast.Name():
            return node.id
        case ast.Call() | ast.Subscript():
            return _last_name(node.func if isinstance(node, ast.Call) else node.value)
    return ""
