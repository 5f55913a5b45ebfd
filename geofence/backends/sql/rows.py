"""Structs of the model as rows of a table, and back; the same for every noun."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
V = TypeVar("V")

Row = dict[str, Any]

CHUNK = 4000  # values in one IN list; SQLite takes 32,766
COUNTED = {"preserve_rowcount": True}  # without it SQLAlchemy says -1 for an INSERT on PostgreSQL


def chunks(values: Sequence[V], size: int = CHUNK) -> Iterator[Sequence[V]]:
    """The values, at most `size` at once."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def to_row(table: sa.Table, struct: msgspec.Struct, **more: object) -> Row:
    """The struct's fields that are columns of the table, and `more`.

    Two numbers differ on purpose: no `dwell_s` is stored as 0 (it is part of a unique key), no
    `stream_seq` as NULL (it is unique once given).
    """
    fields = (
        msgspec.structs.asdict(struct) | more
    )  # documents within are made JSON where they are written
    row = {name: fields[name] for name in _names(table) if name in fields}
    if row.get("dwell_s", 0) is None:
        row["dwell_s"] = 0
    if row.get("stream_seq", 1) == 0:
        row["stream_seq"] = None
    return row


@cache
def _names(table: sa.Table) -> tuple[str, ...]:
    return tuple(
        table.c.keys()
    )  # it makes a new list each time, which is felt where every row asks


def from_row(kind: type[T], row: Mapping[Any, Any]) -> T:
    """The struct of a row; NULL leaves a field at its default, and is None where there is none."""
    bare = _without_default(kind)  # type: ignore[arg-type]  # a class is hashable, whatever an unbound T may be
    given = {
        str(name): value
        for name, value in row.items()
        if (value is not None or name in bare) and (value or name != "dwell_s")
    }
    return msgspec.convert(given, kind)


@cache
def _without_default(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if field.required)


def columns(table: sa.Table, kind: type[msgspec.Struct]) -> list[sa.Column[Any]]:
    """The columns of a table that a struct has fields for."""
    return [table.c[name] for name in kind.__struct_fields__ if name in table.c]


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    keep: Collection[str] = ("created_ms",),
) -> int:
    """Insert rows, or replace by primary key those that exist, except their columns in `keep`.

    How many were written.

    All rows have the same columns. A row whose primary key belongs to another project is left as it
    is, and not counted.
    """
    if not rows:
        return 0
    statement = _upsert(connection.dialect.name, table, tuple(rows[0]), frozenset(keep))
    return connection.execute(statement, list(rows), execution_options=COUNTED).rowcount


@cache
def _upsert(
    dialect: str, table: sa.Table, names: tuple[str, ...], keep: frozenset[str]
) -> sa.Insert:
    key = [column.name for column in table.primary_key]
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    replaced = {
        name: insert.excluded[name] for name in names if name not in keep and name not in key
    }
    if not replaced:
        return insert.on_conflict_do_nothing(index_elements=key)
    same_project = (
        table.c.project_id == insert.excluded.project_id if "project_id" in table.c else None
    )
    return insert.on_conflict_do_update(index_elements=key, set_=replaced, where=same_project)
