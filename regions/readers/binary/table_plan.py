"""What the columns of a binary format will be, decided from all items together.

And what that loses, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from regions.readers.binary.spool import Spool

RADIUS = "radius_m"
_PLAIN = re.compile("[A-Za-z][A-Za-z0-9_]{0,39}")
_INT64 = 2**63


def plan_of(spool: Spool, names: dict[str, str], name: str) -> dict[str, Any]:
    """One layer that holds everything, called as the file is where a layer can be.

    Of one type where all places are.
    """
    alike = {"Point" if kind == "circle" else kind for kind in spool.kinds}
    geometry = alike.pop() if alike in ({"Point"}, {"Polygon"}, {"MultiPolygon"}) else "Unknown"
    return {
        "layers": [
            layer_of(spool, names, name if _PLAIN.fullmatch(name) else "places", geometry, None)
        ]
    }


def layer_of(
    spool: Spool, names: dict[str, str], name: str, geometry: str, select: list[str | None] | None
) -> dict[str, Any]:
    """A layer of the items whose geometry is of one of the `select` types (all for `None`)."""
    columns = [[fresh, column_kind(spool, old), old] for old, fresh in names.items()]
    wanted = "circle" in spool.kinds and (select is None or "circle" in select)
    return {
        "name": name,
        "geometry": geometry,
        "columns": columns,
        "radius": RADIUS if wanted else "",
        "select": select,
    }


def column_kind(spool: Spool, name: str) -> str:
    """`int`, `float`, `bool` or `text`, which holds everything else."""
    kinds = spool.columns[name] - {"null"}
    if kinds == {"int"}:
        return "int" if spool.largest.get(name, 0) < _INT64 else "text"
    if kinds and kinds <= {"int", "float"}:
        return "float"
    return "bool" if kinds == {"bool"} else "text"


def losses(spool: Spool, names: dict[str, str], what: str) -> Iterator[str]:
    """Sentences on what a table with one kind of value in each column cannot hold."""
    mixed = [
        name
        for name in names
        if column_kind(spool, name) == "text" and spool.columns[name] - {"null", "str", "json"}
    ]
    if mixed:
        yield f"{what} holds one kind of value in a column; as text: {', '.join(mixed[:20])}"
    if spool.has_json_text:
        yield (
            f"{what} does not tell a text that is written as JSON from the list or object "
            "itself: it comes back as that"
        )
    if spool.has_absent:
        yield (
            f"{what} has every column in every row: "
            "what an item did not have comes back as no value"
        )
    yield from spool.renamed(names)
