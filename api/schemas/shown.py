"""How the model becomes an answer: one rule for every struct that clients see.

A field is taken from the model's field of the same name. A time is taken from the field in epoch
milliseconds (`created_at` from `created_ms`, `arrival` from `arrival_ms`) and is written as RFC
3339. The retailer's id is taken from the field with `_id` (`store` from `store_id`). An id that is
empty in the model is null where the answer may be null. Fields of the model that the answer does
not name, internal ids among them, are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from api.http.fields import moment_text

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
S = TypeVar("S", bound=msgspec.Struct)


class _Reader(NamedTuple):
    """How to read one kind of model: its values in order, and which of them change their form."""

    names: tuple[str, ...]
    values: Callable[[Any], Any]
    moments: tuple[int, ...]
    nullable: tuple[int, ...]


def shown(answer: type[S], thing: Any, **given: Any) -> S:
    """The answer's struct made from a thing of the model.

    Args:
        answer: The struct to fill.
        thing: What the database or the pipeline holds.
        given: Fields that do not follow the rule, by name.
    """
    reader = _reader(answer, type(thing), frozenset(given))  # type: ignore[arg-type]  # a class is hashable
    found = reader.values(thing)
    values = [found] if len(reader.names) == 1 else list(found)
    for place in reader.moments:
        if values[place] is not None:
            values[place] = moment_text(values[place])
    for place in reader.nullable:
        if values[place] == "":
            values[place] = None
    if not given:
        return answer(*values)
    return answer(**dict(zip(reader.names, values, strict=True)), **given)


@cache
def _reader(answer: type[msgspec.Struct], kind: type, given: frozenset[str]) -> _Reader:
    hints = get_type_hints(answer)
    has = {name for one in kind.__mro__ for name in getattr(one, "__annotations__", ())}
    names = tuple(name for name in answer.__struct_fields__ if name not in given)
    sources = [_source(name, has) for name in names]
    return _Reader(
        names,
        attrgetter(*sources),
        tuple(i for i, name in enumerate(sources) if name.endswith("_ms")),
        tuple(
            i for i, name in enumerate(names) if name.endswith("_id") and hints[name] == str | None
        ),
    )


def _source(name: str, has: set[str]) -> str:
    """The model's field behind a field of an answer; raises `TypeError` where there is none."""
    choices = (name, f"{name}_ms", f"{name.removesuffix('_at')}_ms", f"{name}_id")
    found = next((choice for choice in choices if choice in has), None)
    if found is None:
        raise TypeError(f"the model has no field behind {name}")
    return found
