"""Items laid aside on disk before they are written.

Most formats must know all columns before the first row.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from regions.readers.item import Item, bounded
from regions.readers.text.column_names import is_text, plain_name
from regions.readers.values import nested_in, plain, to_json

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_IN_MEMORY = 8 * 1024 * 1024


class Spool:
    """Items without error, in their order, with what is known of all of them together.

    `columns` are the property names in the order met, each with the kinds of value met under it
    (`str`, `int`, `float`, `bool`, `null`, `json`); `kinds` the types of geometry, `None` left out.
    Iterating again reads again.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.columns: dict[str, set[str]] = {}
        self.kinds: set[str] = set()
        self.count = 0
        self.left_out = 0
        self.without_geometry = 0
        self.has_ids = False
        self.id_column = ""
        self.has_empty_text = False
        self.has_json_text = False
        self.has_trailing_blanks = False
        self.has_outer_blanks = False
        self.has_unprintable = False
        self.has_absent = False
        self.largest: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def take(self, item: Item) -> None:
        """Lay one aside."""
        if item.error is not None:
            self.left_out += 1
            return
        properties = plain(item.properties)
        for name, value in properties.items():
            self._look(name, value)
        if item.geometry is None:
            self.without_geometry += 1
        else:
            self.kinds.add(str(item.geometry["type"]))
        self.has_ids = self.has_ids or item.id is not None
        self.count += 1
        self._file.write(to_json([item.number, properties, item.geometry, item.id]) + "\n")

    def _look(self, name: str, value: Any) -> None:
        kind = kind_of(value)
        self.columns.setdefault(name, set()).add(kind)
        self._counts[name] = self._counts.get(name, 0) + 1
        if kind == "int":
            self.largest[name] = max(self.largest.get(name, 0), abs(value))
        if kind == "str":
            self.has_empty_text = self.has_empty_text or not value
            self.has_trailing_blanks = self.has_trailing_blanks or value.endswith(" ")
            self.has_outer_blanks = self.has_outer_blanks or value != value.strip()
            self.has_unprintable = self.has_unprintable or (
                not value.isprintable() and _UNPRINTABLE.search(value) is not None
            )
            self.has_json_text = self.has_json_text or (
                nested_in(value) is not value and not is_text(name)
            )

    def close_books(self, *, keeps_ids: bool) -> None:
        """After the last item."""
        self.has_absent = any(count < self.count for count in self._counts.values())
        if self.has_ids and not keeps_ids:
            self.id_column = next(
                name for name in ("id", "feature_id", "feature_id_2") if name not in self.columns
            )
            self.columns[self.id_column] = {"str"}

    def __iter__(self) -> Iterator[Item]:
        self._file.flush()
        self._file.seek(0)
        for line in self._file:
            number, properties, geometry, own_id = json.loads(line)
            if self.id_column:
                properties[self.id_column] = own_id
            yield Item(number, properties, geometry, own_id)

    @property
    def types(self) -> set[str]:
        """The kinds of value in all columns."""
        return {kind for kinds in self.columns.values() for kind in kinds}

    def names(
        self, own: Iterable[str], avoid: Iterable[str] = (), *, folded: bool = True
    ) -> dict[str, str]:
        """Each property and its column.

        Its own name, unless the format's own columns or one of `avoid` are called so.

        With `folded`, no two names differ by small and capital letters only.
        """
        reserved = {plain_name(name) for name in (*own, *avoid)}
        fold = str.lower if folded else str
        taken: set[str] = set()
        found: dict[str, str] = {}
        for name in self.columns:
            fresh, count = name or "column", 2
            while (
                fold(fresh) in taken
                or plain_name(fresh) in reserved
                or (fresh != name and fresh in self.columns)
            ):
                fresh, count = f"{name or 'column'}_{count}", count + 1
            taken.add(fold(fresh))
            found[name] = fresh
        return found

    def renamed(self, names: dict[str, str]) -> Iterator[str]:
        """A sentence for each renamed property, and for what the file cannot hold at all."""
        for name, fresh in names.items():
            if name != fresh:
                yield (
                    f"the property {name or 'without a name'} became {fresh}, "
                    "because that name is taken in such a file"
                )
        if self.id_column:
            yield (
                f"the format has no ids of features; they became the column {names[self.id_column]}"
            )
        if self.left_out:
            yield (
                f"{self.left_out:,} {'item' if self.left_out == 1 else 'items'} that could not "
                "be read were left out"
            )


def kind_of(value: object) -> str:
    """`str`, `int`, `float`, `bool`, `null`, or `json` for lists and objects."""
    return {str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}.get(
        type(value), "json"
    )


@contextmanager
def spooled(items: Iterable[Item], *, keeps_ids: bool = False) -> Iterator[Spool]:
    """All items, laid aside; removed at the end.

    Where the format does not keep ids, they are a column.
    """
    with tempfile.SpooledTemporaryFile(_IN_MEMORY, mode="w+", encoding="utf-8") as file:
        spool = Spool(file)
        for item in bounded(items):
            spool.take(item)
        spool.close_books(keeps_ids=keeps_ids)
        yield spool
