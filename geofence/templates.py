"""Marketers' templates.

Liquid (https://shopify.github.io/liquid/) with limits, and fields from a fixed list.

A template that names a field nobody has is refused when it is saved, not when a shopper stands at
the door.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import liquid
from liquid.exceptions import LiquidError

from geofence.errors import InputError

MAX_LENGTH = 20_000
FIELDS: dict[str, str] = {
    "customer.id": "their id",
    "customer.first_name": "their attribute `first_name`",
    "customer.last_name": "their attribute `last_name`",
    "customer.attributes": "any attribute, as `customer.attributes.tier`",
    "store.id": "the retailer's id of the store",
    "store.name": "its name",
    "store.brand": "its brand",
    "store.address": "its address",
    "distance_m": "metres to the store, rounded to ten",
    "ring": "the ring's name",
    "offer.title": "the offer's title",
    "coupon.code": "the code, where the offer has one",
    "coupon.expires": "its last day at the store, as 2026-11-25",
    "unsubscribe_url": "the page that says why, and ends these messages",
}
_TAGS = (
    "if",
    "unless",
    "case",
    "for",
    "assign",
    "capture",
    "comment",
    "raw",
    "echo",
    "break",
    "continue",
)


# none that multiplies what it is given, or that stumbles over a value: those that are left work on
# any text or number
_FILTERS = {
    "abs",
    "append",
    "at_least",
    "at_most",
    "capitalize",
    "ceil",
    "default",
    "downcase",
    "escape",
    "escape_once",
    "first",
    "floor",
    "join",
    "last",
    "lstrip",
    "minus",
    "newline_to_br",
    "plus",
    "prepend",
    "remove",
    "remove_first",
    "replace_first",
    "round",
    "rstrip",
    "size",
    "split",
    "strip",
    "strip_newlines",
    "truncate",
    "truncatewords",
    "upcase",
    "url_encode",
}
MAX_LOOPS, MAX_FILTERS = 3, 50
_ODD_VALUES = (
    ArithmeticError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class _Environment(liquid.Environment):
    loop_iteration_limit = 200
    output_stream_limit = 100_000
    local_namespace_limit = 100_000
    context_depth_limit = 10
    block_nesting_limit = 10


_plain = _Environment()
_html = _Environment(autoescape=True)


def render(source: str, fields: Mapping[str, Any], *, html: bool = False) -> str:
    """The template filled in; `fields` as `FIELDS` names them, nested. Values are escaped in HTML.

    Raises `InputError` (code `template`) when it breaks a limit.
    """
    try:
        return str(_parsed(source, html).render(**fields))
    except LiquidError as error:
        raise InputError(_told(error), code="template") from None
    except _ODD_VALUES as error:
        raise InputError(
            f"The template cannot be used with this value ({type(error).__name__}).",
            code="template",
        ) from None


def check(
    source: str, fields: Mapping[str, Any], *, html: bool = False, coupon: bool = True
) -> None:
    """Raises `InputError` (code `template`) for a template that cannot be read, names an unknown field, or breaks a limit.

    Without `coupon` the offer has no code, and a template that names one would leave a hole.
    """
    if len(source) > MAX_LENGTH:
        raise InputError(f"A template may be {MAX_LENGTH:,} characters long.", code="template")
    try:
        parsed = _parsed(source, html)
        found = parsed.analyze()
    except LiquidError as error:
        raise InputError(_told(error), code="template") from None
    for tag in found.tags:
        if tag not in _TAGS:
            raise InputError(f"The tag `{tag}` cannot be used here.", code="template")
    for name in found.filters:
        if name not in _FILTERS:
            raise InputError(f"The filter `{name}` cannot be used here.", code="template")
    if (
        sum(map(len, found.filters.values())) > MAX_FILTERS
        or len(found.tags.get("for", ())) > MAX_LOOPS
    ):
        raise InputError(
            f"A template may have {MAX_LOOPS} loops and {MAX_FILTERS} filters.", code="template"
        )
    if any(".." in _QUOTED.sub("", part) for part in _MARKUP.findall(source)):
        raise InputError("Ranges like (1..9) cannot be used here.", code="template")
    for name in _named(found.globals):
        if not coupon and name.startswith("coupon."):
            raise InputError(f"There is no `{name}`: the offer has no coupon.", code="template")
        if name not in FIELDS:
            raise InputError(
                f"There is no field `{name}`; there are {', '.join(sorted(FIELDS))}.",
                code="template",
            )
    render(source, fields, html=html)


def _named(variables: Mapping[str, Any]) -> Iterator[str]:
    """Each variable as far as the list of fields knows it.

    Two words, or one where that is a field.
    """
    for places in variables.values():
        for variable in places:
            words = [str(segment) for segment in variable.segments]
            yield words[0] if words[0] in FIELDS or len(words) == 1 else ".".join(words[:2])


@lru_cache(maxsize=1024)
def _parsed(source: str, html: bool) -> Any:
    return (_html if html else _plain).from_string(source)


def _told(error: LiquidError) -> str:
    """The first line of the message: what is wrong, without the source around it."""
    return f"The template cannot be used: {str(error).partition(chr(10))[0].strip()}."
