"""Which words a field of a struct takes, to be named in a refusal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import inspect


def choices_at(kind: type, value: Any, path: Sequence[str | int]) -> tuple[str, ...]:
    """The words allowed at `path` below a struct, `value` being what was sent.

    Empty where it is no choice of words.
    """
    found = [inspect.type_info(kind)]
    for step in path:
        found = [inner for outer in found for inner in _below(outer, value, step)]
        value = _part(value, step)
    words = [
        word
        for one in found
        for part in _members(one)
        if isinstance(part, inspect.LiteralType)
        for word in part.values
    ]
    return tuple(dict.fromkeys(str(word) for word in words))


def _below(outer: inspect.Type, value: Any, step: str | int) -> Iterator[inspect.Type]:
    for kind in _members(outer):
        if isinstance(kind, inspect.StructType):
            if kind.tag_field == step:
                yield inspect.LiteralType((kind.tag,))
            elif kind.tag_field is None or _part(value, kind.tag_field) == kind.tag:
                yield from (field.type for field in kind.fields if field.encode_name == step)
        elif isinstance(kind, inspect.VarTupleType | inspect.ListType):
            yield kind.item_type


def _members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    if isinstance(kind, inspect.Metadata):
        return _members(kind.type)
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _part(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (TypeError, KeyError, IndexError):
        return None
