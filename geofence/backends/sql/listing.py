"""A list of one noun, read page by page in the order of its sort key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import engine as engines
from geofence.backends.sql.rows import columns, from_row
from geofence.errors import InputError
from geofence.ports.listing import Among, Key

T = TypeVar("T", bound=msgspec.Struct)
F = TypeVar("F", bound=msgspec.Struct)

Select = sa.Select[Any]


class SqlListing(Generic[T, F]):
    """Implements `ports.listing.Listing`.

    A filter is the column of its name, or of its name with `_id`; `names` says where it is another.
    `time` is the column of `since_ms` and `until_ms`. The columns of `order` are never NULL in a
    listed row: a row where they are is not listed yet. `widen` adds to the select what `read` makes
    an item of.
    """

    def __init__(
        self,
        engine: sa.Engine,
        table: sa.Table,
        kind: type[T],
        order: tuple[str, ...],
        *,
        names: Mapping[str, str] | None = None,
        time: str | None = None,
        widen: Callable[[Select], Select] | None = None,
        read: Callable[[Mapping[Any, Any]], T] | None = None,
    ) -> None:
        self.noun = str(table.name)
        self._engine, self._table, self._order, self._time = engine, table, order, time
        self._names, self._widen = names or {}, widen
        self._read = read or (lambda row: from_row(kind, row))
        self._columns = columns(table, kind)
        types = {field.name: field.type for field in msgspec.structs.fields(kind)}
        self._types: list[type] = [types[name] for name in order]

    def page(
        self, project_id: str | None, filters: F | None, after: Key | None, limit: int
    ) -> list[T]:
        """Up to `limit` items whose sort key comes after `after`."""
        given = {} if filters is None else msgspec.structs.asdict(filters)
        descending = bool(given.pop("descending", False))
        found = self._select(given)
        if project_id is not None:
            found = found.where(self._table.c.project_id == project_id)
        if after is not None:
            found = found.where(self._past(after, descending))
        ordered = self._sorted_by()
        found = found.order_by(*(column.desc() if descending else column for column in ordered))
        with engines.connect(self._engine) as connection:
            rows = connection.execute(found.limit(limit)).mappings().all()
        return [self._read(row) for row in rows]

    def key(self, item: T) -> Key:
        """The item's sort key: a text, a number, or a list of both."""
        values = [getattr(item, name) for name in self._order]
        return values[0] if len(values) == 1 else values

    def is_key(self, key: Key) -> bool:
        """Whether this can be a sort key of this list."""
        several = isinstance(key, list)
        parts = key if isinstance(key, list) else [key]
        return several == (len(self._order) > 1) and [type(part) for part in parts] == self._types

    def _sorted_by(self) -> list[sa.Column[Any]]:
        return [self._table.c[name] for name in self._order]

    def _select(self, given: Mapping[str, Any]) -> Select:
        """The listed rows that these filters let through."""
        found = sa.select(*self._columns)
        found = found if self._widen is None else self._widen(found)
        listed = (column.is_not(None) for column in self._sorted_by() if column.nullable)
        wanted = (
            self._condition(name, value) for name, value in given.items() if value is not None
        )
        return found.where(*listed, *wanted)

    def _past(self, after: Key, descending: bool) -> sa.ColumnElement[bool]:
        if not self.is_key(after):
            raise InputError("The cursor is not one of this list.", code="invalid_cursor")
        parts = after if isinstance(after, list) else [after]
        ordered = self._sorted_by()
        pairs = zip(parts, ordered, strict=True)
        place = sa.tuple_(*ordered)
        bound = sa.tuple_(*(sa.literal(part, column.type) for part, column in pairs))
        return place < bound if descending else place > bound

    def _condition(self, name: str, value: Any) -> sa.ColumnElement[bool]:
        if name == "tag":
            return _has_tag(self._engine.dialect.name, self._table.c.tags, _several(value))
        if name in ("since_ms", "until_ms") and self._time is not None:
            time: sa.ColumnElement[Any] = self._table.c[self._time]
            inside: sa.ColumnElement[bool] = time >= value if name == "since_ms" else time < value
            return inside
        column = self._names.get(name, name if name in self._table.c else f"{name}_id")
        return self._table.c[column].in_(_several(value))


def _several(value: Among) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def _has_tag(
    dialect: str, tags: sa.ColumnElement[Any], wanted: list[str]
) -> sa.ColumnElement[bool]:
    spread = sa.func.jsonb_array_elements_text if dialect == "postgresql" else sa.func.json_each
    held = spread(tags).table_valued("value")
    return sa.exists(sa.select(sa.literal(1)).select_from(held).where(held.c.value.in_(wanted)))
